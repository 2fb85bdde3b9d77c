"""Recordings on a disk that becomes full, and as many on one that fails (RETROV_FULL_DISKS: 10): each stops with one
message and status 74, or goes on with --on-full=continue and returns the guest's; what was written is clean and
replays. The full disk is a tmpfs, which only root can mount: without it a file-size limit stands in."""
import json
import os
import random
import re
import resource
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RETROV = os.environ.get("RETROV", str(ROOT / "build/retrov"))
GUESTS = Path(os.environ.get("RETROV_BUILD", str(ROOT / "build"))) / "guests"
SCRATCH = Path(os.environ["TMPDIR"])
RUNS = int(os.environ.get("RETROV_FULL_DISKS", "10"))
PIECES, PIECE_BYTES = 500, 100
chance = random.Random(1)


def require(condition, claim: str) -> None:
    if not condition:
        sys.exit(f"FAILED: {claim}")


def run(*words: str) -> subprocess.CompletedProcess:
    return subprocess.run([RETROV, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)


def record(trace: Path, goes_on: bool, environment: dict, limit: int) -> None:
    """Types piece by piece, each when the guest has echoed the one before, until retrov ends."""
    def confine() -> None:
        if limit:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    process = subprocess.Popen(
        [RETROV, "record", "-q", f"--on-full={'continue' if goes_on else 'stop'}", "-o", str(trace), "-bios", "none",
         "-m", "2M", "-kernel", str(GUESTS / "echo.elf")], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, preexec_fn=confine,
        env=dict(os.environ, RETROV_TRACE_DIR=str(SCRATCH / "traces"), **environment))
    typed = b""
    for _ in range(PIECES):
        piece = bytes(chance.choices(b"abcdefghijklmno", k=PIECE_BYTES))
        try:
            process.stdin.write(piece)
            process.stdin.flush()
        except BrokenPipeError:
            break
        typed += piece
        if len(process.stdout.read(PIECE_BYTES)) < PIECE_BYTES:
            break
    try:
        process.communicate(b"q")
    except BrokenPipeError:
        pass
    said = ""
    if process.stderr is not None and not process.stderr.closed:
        said = process.stderr.read().decode()
    require(process.returncode == (0 if goes_on else 74), f"status {process.returncode}: {said}")
    checked = run("fsck", "--json", str(trace))
    require(checked.returncode == 0 and json.loads(checked.stdout)["clean"], f"not clean: {checked}")
    verified = run("verify", str(trace))
    require(verified.returncode == 0, f"does not verify: {verified}")
    shown = run("replay", "-a", str(trace))
    require(typed.decode().startswith(shown.stdout), "what was written replays")
    steps = re.search(r"identical: ([0-9,]+) steps", verified.stdout).group(1)
    print(f"{trace.name}: {trace.stat().st_size:,} bytes, {steps} steps, {len(shown.stdout):,} of {len(typed):,} keys",
          flush=True)


def mounted(folder: Path, size: int) -> bool:
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", folder], capture_output=True,
                          check=False)
    return done.returncode == 0


for number in range(RUNS):
    size = (3 + number) * 4096
    disk = SCRATCH / f"disk-{number}"
    is_tmpfs = mounted(disk, size)
    if not is_tmpfs and number == 0:
        print("no tmpfs can be mounted: a file-size limit instead")
    try:
        record(disk / f"full-{number}.rvt", number % 2 == 1, {}, 0 if is_tmpfs else size)
    finally:
        if is_tmpfs:
            subprocess.run(["umount", disk], check=True)

shim = SCRATCH / "failing_disk.so"
subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", shim, Path(__file__).with_name("_failing_disk.c")], check=True)
for number in range(RUNS):
    after = chance.randrange(6000, 40000)
    failing = {"LD_PRELOAD": str(shim), "FAILING_AFTER": str(after)}
    record(SCRATCH / f"failing-{number}.rvt", number % 2 == 1, failing, 0)
