"""Recordings made while both cores are busy replay to the same console bytes and the same final hash, every time; and
one of them does so on other builds, on the reference engine, with other snapshots, and after single steps."""
import random
import subprocess
from pathlib import Path

from _linux import ROOT, SCRATCH, hashes, prompt, record, replayed_console, require, verify

RECORDINGS = 20
REFERENCE_STEPS = 50_000_000

spinners = [subprocess.Popen(["sh", "-c", "while :; do :; done"]) for _ in range(2)]
try:
    for number in range(RECORDINGS):
        trace = SCRATCH / f"{number}.rvt"
        console = record(trace)
        require(replayed_console(trace) == console, f"recording {number}: the console differs")
        final = verify(trace)
        print(f"recording {number}: {final}", flush=True)
        if number + 1 < RECORDINGS:
            trace.unlink()
finally:
    for spinner in spinners:
        spinner.kill()

for build in ("clang", "asan"):
    other = ROOT / "build" / build / "retrov"
    if other.exists():
        require(verify(trace, retrov=str(other)) == final, f"the {build} build ends in another hash")
        print(f"{build} build: the same final hash")
for seed in (1, 2):
    policy = f"--snapshots=random:3000000,{seed}"
    require(verify(trace, policy) == final, f"with {policy} the end differs")
require(verify(trace, "--no-snapshots") == final, "without snapshots the end differs")

# There and back: what is reached from snapshots is what is reached from the beginning.
places = random.Random(final + "places").sample(range(10_000_000, 600_000_000), 3)
way = [command for place in places for command in (f"goto {place}", "hash", "reverse-step 3", "hash")]
straight = hashes(prompt(trace, *way, options=("--snapshots=none",)))
require(len(straight) >= 2 * len(places), f"no hashes: {straight}")
for policy in ("auto", "every:7000000", "random:5000000,3"):
    require(hashes(prompt(trace, *way, options=(f"--snapshots={policy}",))) == straight,
            f"with --snapshots={policy} other states are reached at {places}")

at = random.Random(final).randrange(100_000_000, 700_000_000)
answer = prompt(trace, f"goto {at}", "step 3000", "goto end", "hash")
require(final in answer, f"after single steps at {at} the end differs: {answer}")
answer = prompt(trace, f"goto {at}", "reverse-step 300", "goto end", "hash")
require(final in answer, f"after steps backwards at {at} the end differs: {answer}")

stretch = (f"goto {REFERENCE_STEPS}", "hash")
expected = hashes(prompt(trace, *stretch))
require(bool(expected) and hashes(prompt(trace, *stretch, options=("--engine", "reference"))) == expected,
        f"the reference engine is elsewhere at step {REFERENCE_STEPS}")
print("reference engine, no snapshots, single steps: the same hashes")
Path(trace).unlink()
