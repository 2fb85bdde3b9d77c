"""The aarch64 build, under qemu-user, is the same machine: the same floating-point results, the same run of a guest
that computes them all; the golden traces verify on both, and a recording of one on the other, with the same hashes."""
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from _fp_vectors import build, on_retrov

ROOT = Path(__file__).resolve().parents[2]
RETROV = os.environ.get("RETROV", str(ROOT / "build/retrov"))
GUESTS = Path(os.environ.get("RETROV_BUILD", str(ROOT / "build"))) / "guests"
CXX = os.environ.get("GXX", "g++")
CROSS_CXX = "aarch64-linux-gnu-g++"
SAMPLES = "3000"


def run(command: list, **options) -> str:
    done = subprocess.run([str(word) for word in command], cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, errors="replace", check=False, **options)
    if done.returncode != 0:
        sys.exit(f"FAILED: {' '.join(map(str, command))} ends with {done.returncode}:\n"
                 f"{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def require_same(ours: str, theirs: str, claim: str) -> None:
    if ours == theirs:
        return
    for pair in zip(ours.splitlines(), theirs.splitlines()):
        if pair[0] != pair[1]:
            sys.exit(f"FAILED: {claim}: here {pair[0]}, on aarch64 {pair[1]}")
    sys.exit(f"FAILED: {claim}: one says more than the other")


def emulator() -> list:
    host = run(["dpkg", "--print-architecture"]).strip()
    run(["scripts/debian-packages", "trixie", host, "qemu-user"])
    return [ROOT / f"build/deps/trixie-{host}/qemu-user/usr/bin/qemu-aarch64", "-L", "/usr/aarch64-linux-gnu"]


def make() -> Path:
    run(["scripts/deps", "build", "cross-arm64"])
    # Neither the jobserver of the make that started this, nor its variables.
    environment = {key: value for key, value in os.environ.items()
                   if key not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "BUILD", "CXX")}
    run(["make", "CROSS=aarch64", f"-j{os.cpu_count()}", "WERROR=-Werror"], env=environment)
    return ROOT / "build/aarch64/retrov"


def fp_hashes(scratch: Path, compiler: str, *prefix) -> str:
    """What core/fp gives, built by that compiler. aarch64 fuses without being asked to."""
    program = scratch / "fp_hashes"
    sources = [*sorted((ROOT / "core").glob("fp*.cpp")), ROOT / "core/check.cpp", ROOT / "tests/deep/fp_hashes.cpp"]
    run([compiler, "-std=c++20", "-O2", "-ffp-contract=off", "-I", ROOT, "-o", program, *sources])
    return run([*prefix, program, SAMPLES])


def final_hash(text: str) -> str:
    match = re.search(r"final hash ([0-9a-f]{16})", text)
    if match is None:
        sys.exit(f"FAILED: no final hash in {text}")
    return match.group(1)


def main() -> None:
    qemu, theirs = emulator(), make()
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        require_same(fp_hashes(scratch, CXX), fp_hashes(scratch, CROSS_CXX, *qemu), "core/fp")

        vectors = build(scratch, 40, 2)
        machine = ["run", "--bios", "none", "--record", "off", "-nographic", vectors]
        require_same("\n".join(on_retrov(vectors)), run([*qemu, theirs, *machine]), "the guest of the vectors")

        for trace in sorted((ROOT / "traces").glob("*.rvt")):
            require_same(run([RETROV, "verify", trace]), run([*qemu, theirs, "verify", trace]), f"golden {trace.name}")

        recordings = {"here": [RETROV], "aarch64": [*qemu, theirs]}
        for place, recorder in recordings.items():
            trace = scratch / f"{place}.rvt"
            run([*recorder, "record", "-o", trace, "--bios", "none", "-smp", "2", "-nographic",
                 GUESTS / "two_harts.elf"])
            hashes = {final_hash(run([*player, "verify", trace])) for player in recordings.values()}
            if len(hashes) != 1:
                sys.exit(f"FAILED: the recording made {place} ends with the hashes {hashes}")
    print("the same on aarch64")


main()
