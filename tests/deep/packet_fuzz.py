"""Ten million mutated packets of recorded gdb sessions, under the sanitizers: no crash, no hang, every handler reached
(tests/packet_fuzz_test.cpp). RETROV_FUZZ_PACKETS and RETROV_FUZZ_SEED choose others; the seed is printed."""
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# run-checks has built it for the suite under the sanitizers.
TESTS = ROOT / "build/asan/tests"
packets = os.environ.get("RETROV_FUZZ_PACKETS", "10000000")
seed = os.environ.get("RETROV_FUZZ_SEED", "4")

print(f"{packets} packets, seed {seed}", flush=True)
environment = dict(os.environ, RETROV_FUZZ_PACKETS=packets, RETROV_FUZZ_SEED=seed)
sys.exit(subprocess.run([TESTS, "[packet_fuzz]", "-s", "-d", "yes"], env=environment, check=False).returncode)
