#!/usr/bin/env python3
"""Whatever is made of a trace is whole or is not there: pack that is asked to end, or killed, leaves nothing behind."""
import os
import signal
import subprocess

from _pty import GUESTS, RETROV, check

FOLDER = os.environ["TMPDIR"] + "/packs"
TRACE = FOLDER + "/long.rvt"
ENVIRONMENT = dict(os.environ, RETROV_TRACE_DIR=os.environ["TMPDIR"] + "/traces")
# So many that whoever packs a part of them has not made them when the signal comes.
STEPS = 200_000_000


def retrov(*words: str) -> subprocess.CompletedProcess:
    return subprocess.run([RETROV, *words], env=ENVIRONMENT, capture_output=True, text=True, check=False)


def has_nameless_file(pid: int) -> bool:
    """One in the folder that is being written to."""
    folder = f"/proc/{pid}/fd"
    try:
        targets = [os.readlink(f"{folder}/{name}") for name in os.listdir(folder)]
    except FileNotFoundError:
        return False
    return any(target.startswith(FOLDER + "/") and target.endswith(" (deleted)") for target in targets)


def ended_while_it_packs(number: int, status: int, said: str) -> None:
    process = subprocess.Popen([RETROV, "pack", "--slice", "0-end", "--key-frames", "off", "-o", FOLDER + "/part.rvt",
                                TRACE], env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while process.poll() is None and not has_nameless_file(process.pid):
        pass
    process.send_signal(number)
    out, err = process.communicate()
    check(process.returncode == status, f"signal {number}: status {process.returncode}: {out}{err}")
    check(out == "" and said in err, f"signal {number}: {out}{err}")
    check(os.listdir(FOLDER) == ["long.rvt"], f"signal {number} leaves {os.listdir(FOLDER)}")


os.makedirs(FOLDER)
made = retrov("record", "-q", "-o", TRACE, "--key-frames", "off", "--clock", "virtual", "--until", f"steps:{STEPS}",
              "-bios", "none", "-m", "32M", "-serial", "none", GUESTS + "bench_sort.elf")
check(made.returncode == 124, str(made))
for asking in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    ended_while_it_packs(asking, 128 + asking, "interrupted")
ended_while_it_packs(signal.SIGKILL, -signal.SIGKILL, "")
packed = retrov("pack", "--slice", "0-1000", "-o", FOLDER + "/part.rvt", TRACE)
check(packed.returncode == 0, str(packed))
refused = retrov("pack", "--slice", "0-1000", "-o", FOLDER + "/part.rvt", TRACE)
check(refused.returncode == 73 and "never overwritten" in refused.stderr, str(refused))
check(sorted(os.listdir(FOLDER)) == ["long.rvt", "part.rvt"], str(os.listdir(FOLDER)))
