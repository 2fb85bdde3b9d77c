"""Ten million floating-point vectors in all rounding modes give the same results and flags as on QEMU."""
from _fp_vectors import compare

compare(vectors=4_000, chunks=6)
