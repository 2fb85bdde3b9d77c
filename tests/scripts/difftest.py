"""A few random programs do the same on retrov as on QEMU (tests/deep/difftest.py has many)."""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "deep"))
from _difftest import difftest, engines

difftest(programs=60, seed=1)
engines(programs=40, seed=1)
