#!/usr/bin/env python3
"""What the host takes away: standard files, room on the disk, the process itself."""
import os
import random
import re
import resource
import signal
import subprocess
import time

from _pty import GUESTS, RETROV, check

TMPDIR = os.environ["TMPDIR"]
ENVIRONMENT = dict(os.environ, RETROV_TRACE_DIR=TMPDIR + "/traces")
ECHO = ["-bios", "none", "-m", "2M", GUESTS + "echo.elf"]


def run(*arguments: str, **options) -> subprocess.CompletedProcess:
    options.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.run([RETROV, *arguments], env=ENVIRONMENT, stdout=options.pop("stdout", subprocess.PIPE),
                          stderr=subprocess.PIPE, text=True, check=False, **options)


def without_standard_files() -> None:
    trace = TMPDIR + "/closed.rvt"
    command = f'exec "$0" record -q -o {trace} -bios none {GUESTS}hello.elf <&- >&- 2>&-'
    done = subprocess.run(["sh", "-c", command, RETROV], env=ENVIRONMENT, check=False)
    check(done.returncode == 0, f"status {done.returncode} without standard files")
    shown = run("replay", "-a", trace)
    check(shown.stdout.strip() == "hello", f"the trace is whole: {shown}")


def a_full_console() -> None:
    with open("/dev/full", "w", encoding="ascii") as full:
        done = run("run", "-bios", "none", GUESTS + "hello.elf", stdout=full)
    check(done.returncode == 74 and done.stderr.count("\n") == 1 and "console" in done.stderr, str(done))


def no_space_left() -> None:
    trace = TMPDIR + "/full.rvt"
    limit = 6000
    typed = "".join(random.Random(1).choices("abcdefghijklmno", k=60000)) + "q"
    done = run("record", "-q", "-o", trace, *ECHO, stdin=None, input=typed,
               preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
    check(done.returncode == 74, f"status {done.returncode}: {done.stderr}")
    check(done.stderr.count("\n") == 1 and trace in done.stderr, done.stderr)
    check(os.path.getsize(trace) <= limit, "the file is not beyond its limit")
    shown = run("replay", "-a", trace)
    check(shown.returncode == 0 and typed.startswith(shown.stdout), f"what was written replays: {shown}")


def killed() -> None:
    trace = TMPDIR + "/killed.rvt"
    process = subprocess.Popen([RETROV, "record", "-q", "-o", trace, *ECHO], env=ENVIRONMENT, stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    process.stdin.write(b"before the end")
    process.stdin.flush()
    seen = b""
    while b"the end" not in seen:
        seen += os.read(process.stdout.fileno(), 4096)
    time.sleep(0.3)
    process.send_signal(signal.SIGKILL)
    process.wait()
    shown = run("replay", "-a", trace)
    check(shown.returncode == 0 and shown.stdout == "before the end", f"a killed recording replays: {shown}")
    check("retrov: " in shown.stderr, "that it was killed is said")
    verified = run("verify", trace)
    check(verified.returncode == 0 and re.match("identical: ", verified.stdout) is not None, str(verified))


without_standard_files()
a_full_console()
no_space_left()
killed()
