#!/usr/bin/env python3
"""Harts under OpenSBI: started, interrupted, fenced, suspended and stopped through SBI by a guest in S-mode that checks
itself. The recording replays to the same hash, on the reference engine as well."""
import os
import re
import subprocess

from _pty import GUESTS, RETROV, check

TMPDIR = os.environ["TMPDIR"]
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LIMIT = "steps:400000000"
FIRMWARE = os.path.join(ROOT, "build", "guests", "fw_dynamic.bin")


def run(*command: str, text: str = "") -> str:
    done = subprocess.run([RETROV, *command], input=text, capture_output=True, text=True, check=False)
    check(done.returncode == 0, f"{' '.join(command)} ends with {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout


def last_hash(trace: str, engine: str) -> str:
    answer = run("debug", "--engine", engine, trace, text="goto end\nhash\n")
    hashes = re.findall(r"\b[0-9a-f]{16}\b", answer)
    check(hashes != [], f"no hash in {answer}")
    return hashes[0]


def main() -> None:
    for harts in (2, 4, 8):
        trace = f"{TMPDIR}/{harts}.rvt"
        console = run("record", "-q", "-o", trace, "--clock", "virtual", "--until", LIMIT, "-smp", str(harts), "-m",
                      "64M", "-bios", FIRMWARE, "-kernel", GUESTS + "sbi_harts.elf", "-nographic")
        check(f"all harts did as told: {harts:016x}" in console, f"{harts} harts: {console[-300:]}")
        run("verify", trace)
        check(last_hash(trace, "fast") == last_hash(trace, "reference"), f"{harts} harts: the engines differ")


main()
