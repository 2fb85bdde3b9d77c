"""Random programs do the same on retrov as on QEMU, and reach every instruction and CSR at least 100 times; both
engines do the same, wherever they are stopped. The seeds follow from the commit, so that a rerun repeats them. The
builds by clang++ and with the sanitizers run fewer, and draw the same programs from the same seeds.
"""
import subprocess
import sys

from _difftest import ROOT, difftest, digest, engines

command = ["git", "rev-parse", "--short=12", "HEAD"]
commit = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True).stdout.strip()
seed = int(commit or "1", 16)
difftest(4000, seed, least=100)
engines(2000, seed)
for build, programs in (("build/clang", 400), ("build/asan", 100)):
    if (ROOT / build / "difftest").exists():
        if digest(1000, seed) != digest(1000, seed, build=str(ROOT / build)):
            sys.exit(f"FAILED: {build}/difftest makes other programs from the same seeds")
        difftest(programs, seed + (1 << 48), build=str(ROOT / build))
        engines(programs, seed + (1 << 48), build=str(ROOT / build))
