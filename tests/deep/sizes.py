"""What a trace spends its bytes on (dump -s): a boot of Linux to the shell and power-off, Linux that idles, ten
thousand timer interrupts."""
import json
import os
import subprocess
import time
from pathlib import Path

from _linux import PROMPT, RETROV, ROOT, SCRATCH, require, start

BARE = Path(os.environ.get("RETROV_BUILD", str(ROOT / "build"))) / "guests"
IDLE_SECONDS = 30
KIB = 1024


def sizes(trace: Path) -> dict[str, int]:
    """Bytes in the file by kind of frame."""
    done = subprocess.run([RETROV, "dump", "-s", "--json", str(trace)], capture_output=True, text=True, check=True)
    return {row["kind"]: row["stored_bytes"] for row in json.loads(done.stdout)["sizes"]}


def boot(name: str, idle_seconds: float) -> dict[str, int]:
    trace = SCRATCH / name
    guest = start("-o", str(trace), harts=1)
    guest.wait_for("shell ready")
    guest.wait_for(PROMPT)
    time.sleep(idle_seconds)
    guest.type("poweroff -f")
    require(guest.finish() == 0, f"the guest powers off: {guest.errors()}")
    return sizes(trace)


def of(told: dict[str, int], *kinds: str) -> int:
    return sum(told.get(kind, 0) for kind in kinds)


short, long = boot("boot.rvt", 0), boot("idle.rvt", IDLE_SECONDS)
inputs, marks = of(short, "events"), of(short, "marks", "components")
print(f"boot and power-off: {inputs} bytes of inputs, {marks} of hash marks; {of(short, 'progress')} say how far the "
      "recording is while the guest only computes")
require(0 < inputs <= 4 * KIB, "inputs of a boot take at most 4 KiB")
require(0 < marks <= 4 * KIB, "its hash marks at most 4 KiB more")
KINDS = ("events", "marks", "progress")
rate = (of(long, *KINDS) - of(short, *KINDS)) / IDLE_SECONDS
print(f"idle Linux: {rate:.0f} bytes a second")
require(rate <= 300, "idle Linux costs at most 300 bytes a second")


def ticking(name: str, steps: int) -> tuple[int, int]:
    """How often the timer interrupted, and bytes of inputs."""
    trace = SCRATCH / name
    subprocess.run([RETROV, "record", "-q", "-o", str(trace), "-bios", "none", "-m", "16M", "-kernel",
                    str(BARE / "echo.elf"), "--until", f"steps:{steps}"], stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL, check=False)
    log = subprocess.run([RETROV, "log", str(trace), "timer_interrupt: tick"], capture_output=True, check=True)
    return len(log.stdout.splitlines()), of(sizes(trace), "events")


few, few_bytes = ticking("few.rvt", 10_000)
many, many_bytes = ticking("many.rvt", 5_000_000)
print(f"{few} timer interrupts: {few_bytes} bytes of inputs; {many}: {many_bytes}")
require(many >= few + 10_000, "the guest was interrupted ten thousand times")
require(many_bytes == few_bytes, "timer interrupts cost nothing")
