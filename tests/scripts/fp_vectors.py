"""Floating-point vectors in all rounding modes give the same results and flags as on QEMU: the short form of the deep
test."""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "deep"))
from _fp_vectors import compare  # noqa: E402

compare(vectors=300, chunks=2)
