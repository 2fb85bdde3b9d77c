"""scripts/run-gdb-suite judges what gdb's test suite says: which failures count, and which excuses are out of date. The
suite itself is run by `make check-gdb-suite`."""
import importlib.machinery
import importlib.util
import sys
from pathlib import Path

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parents[2]


def the_script():
    loader = importlib.machinery.SourceFileLoader("run_gdb_suite", str(ROOT / "scripts/run-gdb-suite"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


def require(condition, claim) -> None:
    if not condition:
        raise AssertionError(claim)


def refused(text: str) -> bool:
    try:
        script.reasons(text)
    except SystemExit:
        return True
    return False


script = the_script()

LISTED = "# An introduction.\n\n# It cannot\n# be.\nx/a: one .*\nx/a: two\n\n# Old.\nx/b: .*\n"
excuses = script.reasons(LISTED)
require(excuses == {"x/a: one .*": "It cannot be.", "x/a: two": "It cannot be.", "x/b: .*": "Old."}, excuses)
require(refused("x/a: one\n"), "an excuse without a reason is taken")
require(refused("# One.\nx/a: one\n\n# Two.\nx/a: one\n"), "an excuse with two reasons is taken")

results = {
    "x/a": [("PASS", "x/a: zero"), ("FAIL", "x/a: one (timeout)"), ("FAIL", "x/a: one two"), ("XPASS", "x/a: two")],
    "y/b": [("PASS", "y/b: zero"), ("ERROR", "y/b: hangs"), ("KFAIL", "y/b: two"), ("UNRESOLVED", "y/b: x/b: three")],
}
verdict = script.Verdict(results, excuses, complete=True)
require(verdict.counts["x"] == {"PASS": 1, "excused": 3}, verdict.counts)
require(verdict.counts["y"] == {"PASS": 1, "ERROR": 1, "KFAIL": 1, "UNRESOLVED": 1}, verdict.counts)
require(verdict.excused == {"It cannot be.": 3}, verdict.excused)
require(verdict.failures[:2] == ["ERROR: y/b: hangs", "UNRESOLVED: y/b: x/b: three"], verdict.failures)
require(len(verdict.failures) == 3 and "x/b: .*" in verdict.failures[2], "an excuse that nothing needs is not reported")
require(len(script.Verdict(results, excuses, complete=False).failures) == 2, "an excuse of what was not run counts")

# The lists themselves.
for name in ("excused.txt", "left-out.txt"):
    require(script.reasons((ROOT / "tests/gdb-suite" / name).read_text()), f"{name} lists nothing")
