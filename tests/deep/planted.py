#!/usr/bin/env python3
"""Recorders and replayers with faults on purpose (make PLANT=KIND:STEP): both kinds are found, each as exactly as
docs/divergence.md says is possible, whichever of the two programs is the broken one."""
import os
import re
import subprocess
from pathlib import Path

BUILD = Path(os.environ["RETROV_BUILD"])
GOOD = os.environ["RETROV"]
STEP = 4000
DENSE = f"--paranoid=1,{STEP - 50}-{STEP + 50}"
os.environ["RETROV_TRACE_DIR"] = os.environ["TMPDIR"]


def planted(kind: str) -> str:
    environment = {key: value for key, value in os.environ.items() if key not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    folder = os.path.relpath(BUILD)
    subprocess.run(["make", "--no-print-directory", f"BUILD={folder}", f"PLANT={kind}:{STEP}", "retrov"],
                   env=environment, stdout=subprocess.DEVNULL, check=True)
    return str(BUILD / f"retrov-{kind}-{STEP}")


def record(program: str, name: str, *options: str) -> str:
    trace = os.path.join(os.environ["TMPDIR"], name)
    subprocess.run([program, "record", "-q", "-bios", "none", "-smp", "2", "--seed", "1", *options, "-o", trace,
                    str(BUILD / "guests/two_harts.elf")], stdin=subprocess.DEVNULL, check=True)
    return trace


def run(program: str, *arguments: str) -> tuple[int, str]:
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def steps(text: str) -> list[int]:
    found = re.search(r"DIVERGED between step ([\d,]+) and step ([\d,]+)", text)
    assert found, text
    return [int(number.replace(",", "")) for number in found.groups()]


def first_step(text: str) -> int | None:
    found = re.search(r"first differing step: step ([\d,]+) ->", text)
    return int(found[1].replace(",", "")) if found else None


def check(condition: bool, text: str) -> None:
    assert condition, text


good_sparse, good_dense = record(GOOD, "good.rvt"), record(GOOD, "good-dense.rvt", DENSE)
for trace in (good_sparse, good_dense):
    status, text = run(GOOD, "verify", "--twice", trace)
    check(status == 0 and "identical" in text, text)

for kind in ("transient", "consistent"):
    broken = planted(kind)
    sparse, dense = record(broken, f"{kind}.rvt"), record(broken, f"{kind}-dense.rvt", DENSE)
    # A recording of the broken one, replayed by the good one: the interval, and no step that nobody can know.
    status, text = run(GOOD, "verify", sparse)
    after, at = steps(text)
    check(status == 80 and after < STEP <= at and first_step(text) is None, text)
    check("differs: hart0" in text and "two replays agree" in text, text)
    # A later key frame says in what the two differ by then.
    keyed = record(broken, f"{kind}-keyed.rvt", "--key-frames", "every=5000")
    for jobs in ("1", "2"):
        status, text = run(GOOD, "verify", "--jobs", jobs, keyed)
        after, at = steps(text)
        check(status == 80 and after < STEP <= at == 5000 and first_step(text) is None, text)
        check("at the key frame at step 5,000, in the replay -> in the recording:" in text, text)
        check(re.search(r"hart 0  s11 +0x0 -> 0x10000000000", text[text.index("at the key frame"):]) is not None, text)
    # With dense marks, the step, the hart and the register.
    report = os.path.join(os.environ["TMPDIR"], f"{kind}.txt")
    status, text = run(GOOD, "verify", "--report", report, dense)
    check(status == 80 and first_step(text) == STEP - 1 and re.search(r"hart \d at 0x8", text) is not None, text)
    check(re.search(r"s11 +0x0 -> 0x10000000000", text) is not None, text)
    check(Path(report).read_text(encoding="utf-8") in text, text)
    status, text = run(GOOD, "replay", "-a", dense)
    check(status == 80 and first_step(text) == STEP - 1, text)
    # A recording of the good one, replayed by the broken one.
    status, text = run(broken, "verify", good_dense)
    check(status == 80 and steps(text) == [STEP - 1, STEP], text)
    if kind == "transient":
        # Its second replay does not have the fault, so the two differ; and then it does not come again.
        check("did so once" in text, text)
    else:
        check(first_step(text) == STEP - 1, text)
    # By the program that made it: recorder and replayer are the same function, or did the same wrong once each …
    status, text = run(broken, "verify", sparse)
    check(status == 0, text)
    # … but of two replays in one process only the first does it.
    status, text = run(broken, "verify", "--twice", sparse)
    if kind == "transient":
        check(status == 80 and "two replays differ from each other" in text and "did not come again" in text, text)
        check(re.search(r"s11 +0x10000000000 -> 0x0", text) is not None, text)
    else:
        check(status == 0, text)
    print(kind, "found")
