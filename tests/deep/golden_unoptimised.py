"""A build without optimisation verifies every golden trace; those of clang++ and of the sanitizers do so in their runs
of the suite."""
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = "build/O0"

environment = {key: value for key, value in os.environ.items() if key not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
subprocess.run(["make", "--no-print-directory", f"-j{os.cpu_count()}", f"BUILD={BUILD}", "OPT=-O0", "retrov"], cwd=ROOT,
               env=environment, check=True, stdout=subprocess.DEVNULL)
traces = sorted((ROOT / "traces").glob("*.rvt"))
if not traces:
    sys.exit("FAILED: no golden traces")
for trace in traces:
    done = subprocess.run([ROOT / BUILD / "retrov", "verify", trace], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"FAILED: {trace.name}: {done.stdout}{done.stderr}")
print(f"{len(traces)} golden traces verify")
