"""Recordings of about 100 million steps with disk and console traffic, on 1, 2 and 4 harts, made while four other
processes keep the host busy: each replays to the same console bytes, hashes and end. RETROV_PAIRS says how many."""
import os
import random
import re
import subprocess
import threading
import time

from _linux import RETROV, ROOT, SCRATCH, replayed_console, require, verify

PAIRS = int(os.environ.get("RETROV_PAIRS", "12"))
DISK_BYTES = 4096 * 512
ELF = ROOT / os.environ.get("RETROV_BUILD", "build") / "guests/traffic.elf"
seed = int(time.time())
print(f"seed {seed}", flush=True)
chance = random.Random(seed)
image = SCRATCH / "traffic.img"
image.write_bytes(chance.randbytes(DISK_BYTES))


def type_now_and_then(pipe, moments: list[float]) -> None:
    """Keys at moments of the host's clock, which nobody can repeat."""
    try:
        for moment in moments:
            time.sleep(moment)
            pipe.write(b"k")
            pipe.flush()
        pipe.close()
    except BrokenPipeError:
        pass


def record(trace, harts: int) -> bytes:
    trace.unlink(missing_ok=True)
    command = [RETROV, "record", "-q", "-o", trace, "-m", "4M", "-smp", harts, "-bios", "none", "-serial", "stdio",
               "-drive", f"file={image},format=raw,if=none,id=d0,snapshot=on", "-device",
               "virtio-blk-device,drive=d0,bus=virtio-mmio-bus.0", ELF]
    guest = subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    moments = [chance.uniform(0, 0.05) for _ in range(chance.randrange(12))]
    typist = threading.Thread(target=type_now_and_then, args=(guest.stdin, moments))
    typist.start()
    console = guest.stdout.read()
    require(guest.wait() == 0, f"record ends with {guest.returncode}")
    typist.join()
    return console


spinners = [subprocess.Popen(["sh", "-c", "while :; do :; done"]) for _ in range(4)]
steps = []
try:
    for number in range(PAIRS):
        trace = SCRATCH / "pair.rvt"
        harts = (1, 2, 4)[number % 3]
        console = record(trace, harts)
        require(replayed_console(trace) == console, f"pair {number}, {harts} harts: the console differs")
        verify(trace)
        info = subprocess.run([RETROV, "info", trace], check=True, stdout=subprocess.PIPE, text=True).stdout
        steps.append(int(re.search(r"^end\s+at (\d+)", info, re.MULTILINE).group(1)))
finally:
    for spinner in spinners:
        spinner.kill()
print(f"{PAIRS} of {PAIRS} pairs are identical, {min(steps):,} to {max(steps):,} steps")
trace.unlink()
