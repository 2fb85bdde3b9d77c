"""Flipped bits (RETROV_FLIPS: 2,000) and a tenth as many cuts of a recording of nearly 2 MiB with key frames, under
the sanitizers: each is found and named (tests/trace_flips_test.cpp). A flip in its index is repaired, too. Says how
long a look at it takes at most; that is for people, not a limit."""
import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RETROV = os.environ.get("RETROV", str(ROOT / "build/retrov"))
GUESTS = Path(os.environ.get("RETROV_BUILD", str(ROOT / "build"))) / "guests"
SCRATCH = Path(os.environ["TMPDIR"])
TESTS = os.environ.get("RETROV_FLIP_TESTS", str(ROOT / "build/asan/tests"))
MOST_BYTES = 2 << 20
LOOKS = 100

trace, initrd = SCRATCH / "large.rvt", SCRATCH / "initrd"
chance = random.Random(1)
initrd.write_bytes(chance.randbytes(MOST_BYTES - 100_000))
command = [RETROV, "record", "-q", "--key-frames", "every=200000", "-o", str(trace), "-bios", "none", "-m", "16M",
           "-initrd", str(initrd), "-kernel", str(GUESTS / "echo.elf")]
process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                           env=dict(os.environ, RETROV_TRACE_DIR=str(SCRATCH / "traces")))
# Each key comes when the one before has been answered, so they are in frames of their own.
for number in range(60):
    process.stdin.write(b"x")
    process.stdin.flush()
    process.stdout.read(1)
    time.sleep(0.04)
process.stdin.write(b"q")
process.stdin.close()
process.stdout.read()
if process.wait() != 0 or not 1_900_000 < trace.stat().st_size <= MOST_BYTES:
    sys.exit(f"FAILED: no recording: {process.returncode}, {trace.stat().st_size} bytes")

content = trace.read_bytes()
damaged = SCRATCH / "damaged.rvt"
longest = 0.0
for _ in range(LOOKS):
    flipped = bytearray(content)
    flipped[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    damaged.write_bytes(flipped)
    began = time.monotonic()
    done = subprocess.run([RETROV, "fsck", "--json", str(damaged)], capture_output=True, check=False)
    longest = max(longest, time.monotonic() - began)
    if done.returncode != 65 or len(json.loads(done.stdout)["findings"]) != 1:
        sys.exit(f"FAILED: {done}")
# The index stands at the end: its size, and "RVIX", before the last eight bytes.
index = len(content) - 24 - int.from_bytes(content[-16:-12], "little")
if content[-12:-8] != b"RVIX":
    sys.exit("FAILED: the recording has no index")
repaired = SCRATCH / "repaired.rvt"
for at in chance.sample(range(index, len(content)), LOOKS):
    flipped = bytearray(content)
    flipped[at] ^= 1 << chance.randrange(8)
    damaged.write_bytes(flipped)
    done = subprocess.run([RETROV, "fsck", "--json", str(damaged)], capture_output=True, check=False)
    found = [(finding["what"], finding["offset"]) for finding in json.loads(done.stdout)["findings"]]
    if done.returncode != 65 or found != [("index", index)]:
        sys.exit(f"FAILED: byte {at}: {done}")
    repaired.unlink(missing_ok=True)
    done = subprocess.run([RETROV, "recover", str(damaged), "-o", str(repaired)], capture_output=True, check=False)
    if done.returncode != 0 or repaired.read_bytes() != content:
        sys.exit(f"FAILED: byte {at} is not repaired: {done}")
print(f"{LOOKS} flips in the index of {len(content) - index} bytes are named and repaired")
print(f"{len(content):,} bytes: fsck takes {1000 * longest:.0f} ms at most", flush=True)

flips = int(os.environ.get("RETROV_FLIPS", "2000"))
environment = dict(os.environ, RETROV_FLIP_TRACE=str(trace), RETROV_FLIPS=str(flips))
began = time.monotonic()
done = subprocess.run([TESTS, "[trace_flips]", "-s", "-d", "yes"], env=environment, check=False,
                      stdout=subprocess.PIPE, text=True)
print(done.stdout[-2000:])
print(f"{flips:,} flips and {flips // 10:,} cuts in {time.monotonic() - began:.0f} s by {TESTS}")
sys.exit(done.returncode)
