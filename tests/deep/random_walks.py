"""Random walks through sessions, 100,000 operations, and 10,000 under the sanitizers: each stop in the state of a
straight run, and where a slow search finds it (tests/random_walk_test.cpp). RETROV_WALK_OPS and RETROV_WALK_SEED choose
others; a walk that fails is shortened, and its seed is printed."""
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# run-checks has built both for the suite.
RUNS = ((ROOT / "build/tests", "100000", "100001"), (ROOT / "build/asan/tests", "10000", "200001"))

for binary, operations, seed in RUNS:
    environment = dict(os.environ)
    environment.setdefault("RETROV_WALK_OPS", operations)
    environment.setdefault("RETROV_WALK_SEED", seed)
    walks = f"{environment['RETROV_WALK_OPS']} operations from seed {environment['RETROV_WALK_SEED']} on"
    print(f"{binary}: {walks}", flush=True)
    if subprocess.run([binary, "[random_walk]"], env=environment, check=False).returncode != 0:
        sys.exit(1)
