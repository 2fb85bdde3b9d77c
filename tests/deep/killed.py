"""A recorder that is killed at any moment leaves a trace that replays up to its last flushed frame: at most 100 ms of
input lost, at least 90 % of the steps kept."""
import os
import random
import re
import subprocess
import sys
import time

from _linux import RETROV, SCRATCH, replayed_console, require, start, verify

KILLS = 10
chance = random.Random(int(time.time()) if len(sys.argv) < 2 else int(sys.argv[1]))


def reached(trace) -> int:
    done = subprocess.run([RETROV, "info", str(trace)], capture_output=True, text=True, check=False)
    require(done.returncode == 0, f"info ends with {done.returncode}: {done.stdout}{done.stderr}")
    match = re.search(r"^end\s+at (\d+)", done.stdout, re.MULTILINE)
    require(match is not None, f"info names no end: {done.stdout}")
    return int(match.group(1))


for number in range(KILLS):
    trace = SCRATCH / "killed.rvt"
    trace.unlink(missing_ok=True)
    guest = start("-o", str(trace))
    # From when the guest runs: before that there is nothing to lose.
    guest.wait_for("OpenSBI")
    began = time.time()
    moment = chance.uniform(0.5, 3.5)
    while time.time() - began < moment:
        guest.read(0.01)
    guest.process.kill()
    killed = time.time()
    guest.process.wait()
    # What was done since the file was last written is lost; the guest's speed is even enough to take time for steps.
    lost_seconds = max(0.0, killed - os.stat(trace).st_mtime)
    steps = reached(trace)
    verify(trace)
    kept = 1 - lost_seconds / (killed - began)
    print(f"killed after {moment:.2f} s: the last {1000 * lost_seconds:.0f} ms are lost, {steps:,} steps replay",
          flush=True)
    require(kept >= 0.9, f"only {100 * kept:.0f} % kept")
    require(steps > 0, "nothing was kept")
    printed = replayed_console(trace)
    require(guest.console.startswith(printed) or printed.startswith(guest.console), "the console differs")
trace.unlink()
