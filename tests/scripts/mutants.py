"""What `make mutants` breaks: its mistakes are of all kinds, spread over all files of rows, the same for the same seed,
one line each, and what a formatted line of C++ is broken into is what a person would break it into."""
import importlib.machinery
import importlib.util
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
sys.dont_write_bytecode = True

import mutations  # noqa: E402


def expect(ok: bool, what: str) -> None:
    if not ok:
        sys.exit(what)


def broken(line: str, kind: str = "") -> set[str]:
    found = mutations.mutations_of("core/isa/rv_x.cpp", line + "\n")
    return {each.after.strip() for each in found if kind in ("", each.kind)}


# --- single lines ---
meaning = "constexpr u64 f(u64 a, u64 b) { return a - (b & 63); }"
expect(meaning.replace("-", "+") in broken(meaning, "operator"), "no other operator")
expect(meaning.replace("63", "31") in broken(meaning, "width"), "no other width")
row = '    alu<reg_imm<shift_right>>("c.srli", "100 i 00 ddd iiiii 01", Format::kCBShift),'
expect(row.strip().replace("shift_right", "shift_right_signed") in broken(row, "sign"), "no other sign")
expect(row.strip().replace('"100', '"110') in broken(row, "mask"), "no other fixed bit")
expect(not any("c.srlx" in each or "c_srli" in each for each in broken(row)), "the name is not to be touched")
gate = '    {0x180, "satp", get<&Csrs::satp>, set_satp, satp_gate},'
expect(gate.strip().replace("satp_gate", "nullptr") in broken(gate, "check"), "no missing gate")
expect(broken("  if (priv == Priv::kUser) return illegal();", "check") == {"// gone"}, "no missing check")
for silent in ("// a - b", "static_assert(a - b == 0);", '#include "a - b"', "  RV_CHECK(a - b == 0);",
               "constexpr u64 min(u64 a, u64 b) { return b < a ? b : a; }"):
    expect(not broken(silent, "operator"), f"{silent} is not to be broken")

# --- the choice ---
loader = importlib.machinery.SourceFileLoader("mutants", str(ROOT / "scripts/mutants"))
script = importlib.util.module_from_spec(importlib.util.spec_from_loader("mutants", loader))
loader.exec_module(script)
chosen = mutations.queues(ROOT, script.FILES, script.COUNT, "a")
expect(len(chosen) == script.COUNT and all(chosen), "too few")
expect(chosen == mutations.queues(ROOT, script.FILES, script.COUNT, "a"), "a seed does not repeat its choice")
expect(chosen != mutations.queues(ROOT, script.FILES, script.COUNT, "b"), "another seed chooses the same")
everything = [each for queue in chosen for each in queue]
expect(len(set(everything)) == len(everything), "a mistake is in two places")
expect({queue[0].path for queue in chosen} >= set(script.ROWS), "a file of rows is left out")
expect({queue[0].kind for queue in chosen} == set(mutations.KINDS), "a kind is left out")
texts = {path: (ROOT / path).read_text().splitlines() for path in set(script.FILES)}
for each in everything:
    expect(texts[each.path][each.line - 1] == each.before != each.after, f"{each} is not in the file")
for unit in script.UNITS:
    expect((ROOT / f"tests/{unit}_test.cpp").exists(), f"there is no test of {unit}")
for path, before, _, _ in mutations.EQUIVALENT:
    expect(any(before in line for line in texts[path]), f"{path} has no {before} any more")
print(f"{len(everything)} mistakes")
