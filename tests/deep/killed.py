"""100 recorders that are killed at any moment, while Linux boots, while it waits, and while a guest uses its disk: each
leaves a trace that replays with every hash up to its last flushed frame. With a number: so many instead."""
import os
import random
import re
import subprocess
import sys
import time

from _linux import GUESTS, PROMPT, RETROV, SCRATCH, replayed_console, require, start, verify
from guest_console import GuestConsole

KILLS = int(sys.argv[1]) if len(sys.argv) > 1 else 100
DISK_BYTES = 4096 * 512
# What is told is written 30 ms later at the latest. The host may be busy: what is lost is printed, and compared with
# what no scheduler explains.
LOST_AT_MOST_SECONDS = 1.0
trace = SCRATCH / "killed.rvt"
image = SCRATCH / "killed.img"
seed = int(time.time())
print(f"seed {seed}", flush=True)
chance = random.Random(seed)
image.write_bytes(chance.randbytes(DISK_BYTES))


def booting() -> tuple[GuestConsole, float]:
    guest = start("-o", str(trace))
    # From when the guest runs: before that there is nothing to lose.
    guest.wait_for("OpenSBI")
    return guest, chance.uniform(0, 2.5)


def waiting() -> tuple[GuestConsole, float]:
    guest = start("-o", str(trace))
    guest.wait_for("shell ready")
    guest.wait_for(PROMPT)
    guest.run("echo typed", PROMPT)
    return guest, chance.uniform(0, 1)


def using_the_disk() -> tuple[GuestConsole, float]:
    guest = GuestConsole([
        RETROV, "record", "-o", str(trace), "-m", "4M", "-smp", "2", "-bios", "none", "-serial", "stdio", "-drive",
        f"file={image},format=raw,if=none,id=d0,snapshot=on", "-device",
        "virtio-blk-device,drive=d0,bus=virtio-mmio-bus.0", str(GUESTS / "traffic.elf")])
    guest.wait_for("\n")
    # The guest takes some 0.25 s in all.
    return guest, chance.uniform(0, 0.12)


def printed_until(guest: GuestConsole, end: float) -> list[tuple[float, int]]:
    """Reads until then; at which moments how much had been printed."""
    seen = [(time.time(), len(guest.console))]
    while time.time() < end and guest.read(max(0.0, min(0.01, end - time.time()))):
        seen.append((time.time(), len(guest.console)))
    return seen


def reached() -> int:
    done = subprocess.run([RETROV, "info", str(trace)], capture_output=True, text=True, check=False)
    require(done.returncode == 0, f"info ends with {done.returncode}: {done.stdout}{done.stderr}")
    match = re.search(r"^end\s+at (\d+)", done.stdout, re.MULTILINE)
    require(match is not None, f"info names no end: {done.stdout}")
    return int(match.group(1))


worst = 0.0
for number in range(KILLS):
    trace.unlink(missing_ok=True)
    situation = (booting, waiting, using_the_disk)[number % 3]
    guest, seconds = situation()
    seen = printed_until(guest, time.time() + seconds)
    guest.process.kill()
    killed = time.time()
    guest.process.wait()
    while guest.read(0):
        pass
    steps = reached()
    verify(trace)
    replayed = replayed_console(trace)
    printed = len(replayed)
    common = min(printed, len(guest.console))
    require(replayed[:common] == guest.console[:common], "the console differs")
    # Of what the guest had printed, the youngest that the trace has: what is older is not lost either.
    lost_since = next((moment for moment, length in seen if length > printed), killed)
    worst = max(worst, killed - lost_since)
    print(f"{situation.__name__}: {steps:,} steps replay, {1000 * (killed - lost_since):.0f} ms are lost", flush=True)
    require(killed - lost_since <= LOST_AT_MOST_SECONDS, "more was lost than was said")
trace.unlink()
print(f"{KILLS} of {KILLS} prefixes replay, at most {1000 * worst:.0f} ms of what was printed are lost")
