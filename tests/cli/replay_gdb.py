#!/usr/bin/env python3
"""`replay` starts the gdb that is wanted or there, and says what to do when there is none."""
import os
import re
import stat
import subprocess

from _pty import GUESTS, RETROV, Terminal, check, signal

TMPDIR = os.environ["TMPDIR"]
TRACE = TMPDIR + "/t.rvt"
ENVIRONMENT = dict(os.environ, RETROV_TRACE_DIR=TMPDIR + "/traces")


def retrov(*arguments: str, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run([RETROV, *arguments], env=dict(ENVIRONMENT, **environment), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)


def ended_from_outside() -> None:
    for number in (signal.SIGTERM, signal.SIGHUP):
        terminal = Terminal(RETROV, "replay", "-e", TRACE)
        terminal.wait_for("(gdb) ")
        terminal.kill(number)
        check(terminal.status() == 128 + number, f"{number.name} ends gdb and us")
        check(b"Traceback" not in terminal.shown, f"{number.name} ends gdb quietly: {terminal.shown!r}")
        check(terminal.mode() == terminal.before, f"{number.name}: gdb restores the terminal")


def main() -> None:
    check(retrov("record", "-q", "-o", TRACE, "-bios", "none", GUESTS + "hello.elf").returncode == 0, "record")
    script = TMPDIR + "/script.gdb"
    with open(script, "w", encoding="ascii") as file:
        file.write("set pagination off\nmonitor when\nreverse-continue\nmonitor when\nkill\nquit 7\n")

    shown = retrov("replay", "-e", TRACE, "--symbols", GUESTS + "hello.elf", "-x", script)
    check(shown.returncode == 7, f"gdb's status is ours: {shown.returncode}\n{shown.stdout}")
    at_begin = re.search("No more reverse-execution history|Reached end of recorded history", shown.stdout)
    check(at_begin is not None and "step 0  hart 0" in shown.stdout, shown.stdout)

    ended_from_outside()

    own = TMPDIR + "/own-gdb"
    with open(own, "w", encoding="ascii") as file:
        file.write('#!/bin/sh\necho "own gdb: $*"\nexit 3\n')
    os.chmod(own, stat.S_IRWXU)
    shown = retrov("replay", TRACE, RETROV_GDB=own)
    check(shown.returncode == 3 and "own gdb: " in shown.stdout, shown.stdout)
    check("target remote 127.0.0.1:" in shown.stdout, shown.stdout)

    shown = retrov("replay", TRACE, PATH="/nowhere")
    check(shown.returncode == 69, f"status {shown.returncode} without a gdb")
    check("install gdb-multiarch" in shown.stdout and "target remote" in shown.stdout, shown.stdout)

    shown = retrov("replay", TRACE, RETROV_GDB="/nowhere/gdb")
    check(shown.returncode == 69 and "/nowhere/gdb" in shown.stdout, shown.stdout)


main()
