#!/usr/bin/env python3
"""The terminal is raw while the guest has it, and as it was before however the program ends."""
import os
import subprocess
import sys

from _pty import GUESTS, RETROV, Terminal, check, signal, stopped

TRACES = os.environ["TMPDIR"] + "/traces"
# A shell with one job, as far as signals are concerned: it can stop the job and let it go on.
SHELL = """
import os, signal, sys
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
job = os.fork()
os.setpgid(job, 0)
if job == 0:
    os.tcsetpgrp(0, os.getpid())
    signal.signal(signal.SIGTTOU, signal.SIG_DFL)
    with open(sys.argv[1], "w") as file:
        print(os.getpid(), file=file)
    os.execv(sys.argv[2], sys.argv[2:])
sys.exit(os.waitstatus_to_exitcode(os.waitpid(job, 0)[1]))
"""
RECORD = [RETROV, "record", "-bios", "none", GUESTS + "echo.elf"]


def start(*command: str) -> Terminal:
    terminal = Terminal(*command, RETROV_TRACE_DIR=TRACES)
    terminal.wait_until(terminal.is_raw, "the raw mode")
    terminal.type("a")
    terminal.wait_for("a")
    return terminal


def check_restored(terminal: Terminal, how: str) -> None:
    check(terminal.mode() == terminal.before, f"the terminal is not as it was after {how}")


def main() -> None:
    terminal = start(*RECORD)
    terminal.type("\x03\x1a\x1c")  # Ctrl-C, Ctrl-Z and Ctrl-\ are for the guest.
    terminal.wait_for("\x03\x1a\x1c")
    terminal.type("\x01h")
    terminal.wait_for("Ctrl-a x")
    terminal.type("\x01\x01")
    terminal.wait_for("\x01")
    terminal.type("\x01x")
    check(terminal.status() == 0, "Ctrl-a x is no failure")
    check_restored(terminal, "Ctrl-a x")

    terminal = start(*RECORD)
    terminal.type("q")
    check(terminal.status() == 0, "the guest's power-off")
    check_restored(terminal, "the guest's power-off")

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGXCPU,
                   signal.SIGALRM, signal.SIGUSR1, signal.SIGUSR2, signal.SIGVTALRM):
        terminal = start(*RECORD)
        terminal.kill(number)
        status = terminal.status()
        check(status == 128 + number, f"status {status} after {number.name}")
        check_restored(terminal, number.name)
        info = subprocess.run([RETROV, "info"], env=dict(os.environ, RETROV_TRACE_DIR=TRACES), capture_output=True,
                              text=True, check=True).stdout
        check("complete yes" in info and "interrupted" in info, f"{number.name} ends the recording properly:\n{info}")

    for number in (signal.SIGABRT, signal.SIGSEGV):
        terminal = start(*RECORD)
        terminal.kill(number)
        check(terminal.status() == -number, f"{number.name} kills")
        check_restored(terminal, number.name)

    # A process whose parent is no shell cannot be stopped this way, so it goes on.
    terminal = start(*RECORD)
    terminal.kill(signal.SIGTSTP)
    terminal.type("y")
    terminal.wait_for("y")
    terminal.kill(signal.SIGSTOP)
    terminal.wait_until(lambda: stopped(terminal.process.pid), "the process to stop")
    terminal.cook()
    terminal.kill(signal.SIGCONT)
    terminal.wait_until(terminal.is_raw, "the raw mode after SIGCONT")
    terminal.type("z")
    terminal.wait_for("z")
    terminal.type("\x01x")
    check(terminal.status() == 0, "it goes on after SIGCONT")

    pid_file = os.environ["TMPDIR"] + "/pid"
    terminal = start(sys.executable, "-c", SHELL, pid_file, *RECORD)
    with open(pid_file, encoding="ascii") as file:
        pid = int(file.read())
    os.kill(pid, signal.SIGTSTP)
    terminal.wait_until(lambda: stopped(pid), "the job to stop")
    check_restored(terminal, "SIGTSTP")
    os.kill(pid, signal.SIGCONT)
    terminal.wait_until(terminal.is_raw, "the raw mode of the continued job")
    terminal.type("\x01x")
    check(terminal.status() == 0, "the job goes on after SIGCONT")

    terminal = Terminal(RETROV, "run", "-bios", "none", "/nowhere")
    check(terminal.status() == 66, "a missing kernel")
    check_restored(terminal, "a missing kernel")

    # With a plain console Ctrl-C is not the guest's.
    terminal = start(RETROV, "run", "-bios", "none", "-serial", "stdio", GUESTS + "echo.elf")
    terminal.type("\x01x")
    terminal.wait_for("\x01x")
    terminal.type("\x03")
    check(terminal.status() == 130, "Ctrl-C at a plain console")
    check_restored(terminal, "Ctrl-C at a plain console")


main()
