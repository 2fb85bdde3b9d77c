#!/usr/bin/env python3
"""However a recording ends, all that was written replays, fsck finds it clean, and nobody takes the recorder's trouble
for the guest's status."""
import json
import os
import random
import resource
import signal
import subprocess
import time

from _pty import GUESTS, RETROV, Terminal, check

TMPDIR = os.environ["TMPDIR"]
ENVIRONMENT = dict(os.environ, RETROV_TRACE_DIR=TMPDIR + "/traces")
ECHO = ["-bios", "none", "-m", "2M", GUESTS + "echo.elf"]


def run(*arguments: str, **options) -> subprocess.CompletedProcess:
    return subprocess.run([RETROV, *arguments], env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          check=False, **options)


def require_replayable(trace: str, outcome: str) -> None:
    checked = run("fsck", "--json", trace)
    check(checked.returncode == 0 and json.loads(checked.stdout)["clean"], f"{trace} is clean: {checked}")
    verified = run("verify", "-q", trace)
    check(verified.returncode == 0, f"{trace} verifies: {verified}")
    end = json.loads(run("info", "--json", trace).stdout)["end"]
    check(end["outcome"] == outcome, f"{trace} says how it ended: {end}")


def start(trace: str, *more: str) -> subprocess.Popen:
    process = subprocess.Popen([RETROV, "record", "-q", "-serial", "stdio", "-o", trace, *more, *ECHO],
                               env=ENVIRONMENT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdin.write(b"typed")
    process.stdin.flush()
    seen = b""
    while b"typed" not in seen:
        piece = os.read(process.stdout.fileno(), 4096)
        check(piece != b"", f"it ends early: {seen}")
        seen += piece
    return process


def asked_to_end() -> None:
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGXCPU):
        trace = f"{TMPDIR}/asked-{number}.rvt"
        process = start(trace)
        process.send_signal(number)
        check(process.wait() == 128 + number, f"signal {number}: status {process.returncode}")
        check(process.stderr.read() == b"", "which speaks for itself")
        require_replayable(trace, "interrupted")


def asked_again_and_again() -> None:
    """The second Ctrl-C may come at any moment of the end; the third ends the process at once."""
    chance = random.Random(3)
    for number in range(12):
        trace = f"{TMPDIR}/again-{number}.rvt"
        process = start(trace)
        for _ in range(2 + number % 3):
            process.send_signal(signal.SIGINT)
            time.sleep(chance.choice((0, 0, 0.001, 0.01)))
        check(process.wait() == 128 + signal.SIGINT, f"status {process.returncode}")
        checked = run("fsck", trace)
        check(checked.returncode == 0, f"{trace} is clean: {checked}")
        shown = run("replay", "-a", trace)
        check(shown.stdout in (b"typed", b""), f"{trace} replays: {shown}")
        check(run("verify", "-q", trace).returncode == 0, f"{trace} verifies")


def terminal_gone() -> None:
    trace = TMPDIR + "/gone.rvt"
    terminal = Terminal(RETROV, "record", "-q", "-nographic", "-o", trace, *ECHO)
    terminal.wait_until(terminal.is_raw, "the terminal to be the guest's")
    terminal.type("typed")
    terminal.wait_for("typed")
    os.close(terminal.slave)
    os.close(terminal.master)
    check(terminal.process.wait() == 128 + signal.SIGHUP, f"status {terminal.process.returncode}")
    require_replayable(trace, "interrupted")


def full_and_going_on() -> None:
    typed = "".join(random.Random(1).choices("abcdefghijklmno", k=60000)) + "q"
    for choice, status, rest in (("continue", 0, True), ("stop", 74, False)):
        trace = f"{TMPDIR}/full-{choice}.rvt"
        limit = 9000
        done = run("record", "-q", f"--on-full={choice}", "-o", trace, *ECHO, input=typed.encode(),
                   preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
        check(done.returncode == status, f"{choice}: status {done.returncode}: {done.stderr}")
        said = done.stderr.decode()
        check(said.startswith("retrov: trace ") and said.count("recording stopped at position") == 1, said)
        check(said.count("\n") == 1, f"said once: {said}")
        check((done.stdout.decode() == typed) == rest, f"{choice}: the guest goes on or does not")
        require_replayable(trace, "unknown")
        shown = run("replay", "-a", trace)
        check(typed.encode().startswith(shown.stdout), "what was written replays")


def on_the_disk() -> None:
    trace = TMPDIR + "/synced.rvt"
    done = run("record", "-q", "--sync", "-o", trace, *ECHO, input=b"some text, q")
    check(done.returncode == 0 and done.stdout == b"some text, q", str(done))
    require_replayable(trace, "powered-off")


def damaged_and_recovered() -> None:
    trace, recovered = TMPDIR + "/damaged.rvt", TMPDIR + "/recovered.rvt"
    typed = "".join(random.Random(2).choices("abcdefghijklmno", k=3000)) + "q"
    run("record", "-q", "-o", trace, *ECHO, input=typed.encode())
    with open(trace, "r+b") as file:
        content = file.read()
        file.seek(len(content) - 1200)
        file.write(bytes(byte ^ 1 for byte in content[-1200:-1190]))
    checked = run("fsck", trace)
    check(checked.returncode == 65 and checked.stderr.count(b"\n") == 1, str(checked))
    check(checked.stderr.startswith(f"retrov: trace {trace}: damaged at offset ".encode()), str(checked))
    done = run("recover", trace, "-o", recovered)
    check(done.returncode == 0 and b"retrov: lost: " in done.stderr, str(done))
    require_replayable(recovered, "unknown")
    shown = run("replay", "-a", recovered)
    check(shown.returncode == 0 and typed.encode().startswith(shown.stdout), f"what is left replays: {shown}")
    again = run("recover", trace, "-o", recovered)
    check(again.returncode == 73 and again.stderr.count(b"\n") == 1, f"nothing is overwritten: {again}")
    nowhere = run("recover", trace)
    check(nowhere.returncode == 64, f"where to must be said: {nowhere}")
    check(os.stat(recovered).st_mode & 0o077 == 0, "its owner's alone")


asked_to_end()
asked_again_and_again()
terminal_gone()
full_and_going_on()
on_the_disk()
damaged_and_recovered()
