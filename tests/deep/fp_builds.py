"""core/fp gives the same results and flags, over millions of operands, from g++ and clang++ with any optimisation and
for the host's own processor, where a fused multiply-add exists, as from the ordinary build."""
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GXX, CLANGXX = os.environ.get("GXX", "g++"), os.environ.get("CLANGXX", "clang++")
SAMPLES = "30000"
BUILDS = [[compiler, *options] for compiler in (GXX, CLANGXX)
          for options in (["-O2"], ["-O0"], ["-O3"], ["-O3", "-march=native"], ["-O2", "-march=native"])]
SOURCES = [*sorted((ROOT / "core").glob("fp*.cpp")), ROOT / "core/check.cpp", ROOT / "tests/deep/fp_hashes.cpp"]


def output_of(build: list[str]) -> list[str]:
    with tempfile.TemporaryDirectory() as scratch:
        program = Path(scratch) / "fp_hashes"
        # As the Makefile has it.
        subprocess.run([*build, "-std=c++20", "-ffp-contract=off", "-I", ROOT, "-o", program, *SOURCES], check=True)
        return subprocess.run([program, SAMPLES], check=True, capture_output=True, text=True).stdout.splitlines()


with ThreadPoolExecutor(os.cpu_count()) as pool:
    outputs = list(pool.map(output_of, BUILDS))
reference = outputs[0]
if len(reference) != 5 * (3 * (8 + 5 + 8 + 2) + 1):
    sys.exit(f"FAILED: {len(reference)} hashes")
differences = 0
for build, output in zip(BUILDS, outputs):
    wrong = [f"{ours} instead of {theirs}" for ours, theirs in zip(output, reference) if ours != theirs]
    if wrong or len(output) != len(reference):
        differences += 1
        print(f"{' '.join(build)} differs from {' '.join(BUILDS[0])}:", *wrong[:20], sep="\n  ")
if differences:
    sys.exit(f"FAILED: {differences} builds differ")
print(f"{len(BUILDS)} builds, {len(reference) * int(SAMPLES)} results each: the same")
