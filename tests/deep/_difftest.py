"""Starts build/difftest on the newer QEMU."""
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def difftest(programs: int, seed: int, least: int = 0, build: str = "") -> None:
    """Ends this program if a difference is found, or if an instruction or a CSR ran less often than `least` times."""
    folder = Path(build or os.environ.get("RETROV_BUILD", str(ROOT / "build")))
    qemu = subprocess.run([ROOT / "scripts/newer-qemu"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    command = [folder / "difftest", "--qemu", ROOT / qemu, "--programs", programs, "--seed", seed, "--least", least]
    done = subprocess.run([str(word) for word in command], cwd=ROOT, check=False)
    if done.returncode != 0:
        sys.exit(f"FAILED: {folder}/difftest --seed {seed} --programs {programs}")
