"""Starts build/difftest."""
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def command_of(build: str, *options: object) -> list[str]:
    folder = Path(build or os.environ.get("RETROV_BUILD", str(ROOT / "build")))
    return [str(word) for word in (folder / "difftest", *options)]


def run(build: str, *options: object) -> None:
    command = command_of(build, *options)
    if subprocess.run(command, cwd=ROOT, check=False).returncode != 0:
        sys.exit(f"FAILED: {' '.join(command)}")


def difftest(programs: int, seed: int, least: int = 0, build: str = "") -> None:
    """Ends this program if a difference is found, or if an instruction or a CSR ran less often than `least` times."""
    qemu = subprocess.run([ROOT / "scripts/newer-qemu"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    run(build, "--qemu", ROOT / qemu, "--programs", programs, "--seed", seed, "--least", least)


def engines(programs: int, seed: int, build: str = "") -> None:
    """The same for the threaded engine against the reference engine."""
    run(build, "--engines", "--programs", programs, "--seed", seed)


def digest(programs: int, seed: int, build: str = "") -> str:
    """Of the programs that the seeds make."""
    command = command_of(build, "--digest", "--programs", programs, "--seed", seed)
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
