"""Sessions with the demo's Debian guest, for the deep tests: record, verify, ask the prompt."""
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
from guest_console import GuestConsole  # noqa: E402

RETROV = os.environ.get("RETROV", str(ROOT / "build/retrov"))
GUESTS = ROOT / "build/guests"
SCRATCH = Path(os.environ.get("TMPDIR", "/tmp"))
PROMPT = "# "


def require(condition: bool, claim: str) -> None:
    if not condition:
        sys.exit(f"FAILED: {claim}")


def start(*options: str, subcommand: str = "record", harts: int = 2) -> GuestConsole:
    """The guest, on its way to the shell."""
    return GuestConsole([
        RETROV, subcommand, "-M", "virt", "-m", "256M", "-smp", str(harts), "-bios", str(GUESTS / "fw_dynamic.bin"),
        "-kernel", str(GUESTS / "Image"), "-initrd", str(GUESTS / "initramfs.cpio"), "-append", "console=ttyS0",
        "-nographic", *options,
    ])


def record(trace: Path, *options: str) -> bytes:
    """A short session from boot to power-off; what it printed."""
    trace.unlink(missing_ok=True)
    guest = start("-o", str(trace), *options)
    guest.wait_for("shell ready")
    guest.wait_for(PROMPT)
    for line in ("uname -a", "date", "head -c 16 /dev/urandom | hexdump -C"):
        guest.run(line, PROMPT)
    guest.type("poweroff -f")
    require(guest.finish() == 0, f"the recording ended badly: {guest.errors()}")
    return guest.console


def verify(trace: Path, *options: str, retrov: str = RETROV) -> str:
    """The final hash, after every mark has been compared."""
    done = subprocess.run([retrov, "verify", *options, str(trace)], capture_output=True, text=True, check=False)
    require(done.returncode == 0, f"verify {' '.join(options)} of {trace.name} ends with {done.returncode}: "
                                  f"{done.stdout}{done.stderr}")
    match = re.search(r"final hash ([0-9a-f]{16})", done.stdout)
    require(match is not None, f"verify names no final hash: {done.stdout}")
    return match.group(1)


def replayed_console(trace: Path) -> bytes:
    done = subprocess.run([RETROV, "replay", "-a", str(trace)], capture_output=True, check=False)
    require(done.returncode == 0, f"replay -a ends with {done.returncode}: {done.stderr.decode()}")
    return done.stdout


def prompt(trace: Path, *commands: str, options: tuple[str, ...] = ()) -> str:
    """What `retrov debug` answers to commands."""
    done = subprocess.run([RETROV, "debug", *options, str(trace)], input="\n".join(commands) + "\n",
                          capture_output=True, text=True, check=False)
    require(done.returncode == 0, f"debug ends with {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout


def hashes(text: str) -> list[str]:
    return re.findall(r"\b[0-9a-f]{16}\b", text)
