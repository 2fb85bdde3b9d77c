#!/usr/bin/env python3
"""What the host takes away: standard files, room on the disk, the process itself."""
import fcntl
import os
import random
import re
import resource
import signal
import subprocess
import sys
import termios
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
    for words in (["help"], ["help", "run"], ["run", "--help"], ["--version"]):
        with open("/dev/full", "w", encoding="ascii") as full:
            done = run(*words, stdout=full)
        check(done.returncode == 74 and done.stderr.count("\n") == 1, f"{words}: {done}")
    with open("/dev/full", "w", encoding="ascii") as full:
        done = run("debug", "-bios", "none", GUESTS + "hello.elf", stdin=None, input="when\nwhen\n", stdout=full)
    check(done.returncode == 74 and done.stderr.count("\n") == 1, f"what the prompt answers: {done}")


def a_console_that_nobody_reads() -> None:
    """The guest waits in the middle of what it says; who asks it to leave does not."""
    for how, status in (("SIGTERM", 128 + signal.SIGTERM), ("Ctrl-a x", 0)):
        trace = f"{TMPDIR}/unread-{status}.rvt"
        unread, console = os.pipe()
        room = fcntl.fcntl(console, fcntl.F_SETPIPE_SZ, 4096)
        process = subprocess.Popen([RETROV, "record", "-q", "-nographic", "-o", trace, *ECHO], env=ENVIRONMENT,
                                   stdin=subprocess.PIPE, stdout=console, stderr=subprocess.PIPE)
        os.close(console)
        process.stdin.write(b"z" * (room + 1000))
        process.stdin.flush()
        while fill_of(unread) < room:
            time.sleep(0.05)
        if status == 0:
            process.stdin.write(b"\x01x")
            process.stdin.flush()
        else:
            process.send_signal(signal.SIGTERM)
        check(process.wait() == status, f"{how}: status {process.returncode}")
        check(fill_of(unread) == room, "nobody has read")
        os.close(unread)
        verified = run("verify", trace)
        check(verified.returncode == 0 and verified.stderr == "", f"{how} leaves a whole trace: {verified}")


def fill_of(pipe: int) -> int:
    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)


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
    check(run("verify", "-q", trace).returncode == 0, "and it is what was recorded")


def no_space_left_under_gdb() -> None:
    """Who debugs the guest keeps all of its history; the trace says where and why it ends."""
    trace = TMPDIR + "/full_under_gdb.rvt"
    limit = 8000
    process = subprocess.Popen([RETROV, "record", "-S", "-gdb", "tcp::0", "-o", trace, *ECHO], env=ENVIRONMENT,
                               stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                               preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
    said = process.stderr.readline().decode() + process.stderr.readline().decode()
    target = re.search(r"target remote (\S+)", said).group(1)
    process.stdin.write("".join(random.Random(2).choices("abcdefghijklmno", k=60000)).encode())
    process.stdin.flush()
    commands = [f"target remote {target}", "continue", "monitor when", "reverse-continue", "monitor when", "stepi",
                "continue", "monitor when", "detach"]
    words = [word for command in commands for word in ("-ex", command)]
    shown = subprocess.run(["gdb-multiarch", "-nx", "-batch", *words], stdin=subprocess.DEVNULL, text=True,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False).stdout
    errors = process.communicate()[1].decode()
    check("SIGINT" in shown, f"the guest is stopped: {shown}")
    positions = re.findall(r"^step ([0-9,]+) ", shown, re.MULTILINE)
    there_and_back = len(positions) == 3 and positions[1] == "0" and positions[0] == positions[2]
    check(there_and_back, f"all history is there: {shown}")
    check(process.returncode == 74, f"status {process.returncode}: {errors}")
    check(errors.count("recording stopped at position") == 1 and errors.count("\n") == 1, errors)
    info = run("info", trace)
    check("unknown" in info.stdout and "File too large" in info.stdout, f"info says why it ends: {info}")
    verified = run("verify", trace)
    check(verified.returncode == 0, f"it verifies up to there: {verified}")
    check(verified.stderr.count("was given up by its recorder") == 1, verified.stderr)


def little_memory() -> None:
    """The host gives no memory, or no thread: a gibibyte has no room for an image of 2, nor for a stack of 64."""
    gibibyte = 1 << 30
    image = TMPDIR + "/large"
    with open(image, "wb") as file:
        file.truncate(2 * gibibyte)

    def limit(stack: int) -> None:
        resource.setrlimit(resource.RLIMIT_AS, (gibibyte, gibibyte))
        resource.setrlimit(resource.RLIMIT_STACK, (stack, resource.RLIM_INFINITY))

    hello = GUESTS + "hello.elf"
    for kernel, stack, said in ((image, 1 << 23, "out of memory"), (hello, 64 << 30, "the host refuses")):
        done = run("run", "-bios", "none", "-kernel", kernel, preexec_fn=lambda: limit(stack))
        check(done.returncode == 69 and done.stderr.count("\n") == 1 and said in done.stderr, str(done))


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
a_console_that_nobody_reads()
no_space_left()
no_space_left_under_gdb()
little_memory()
killed()
