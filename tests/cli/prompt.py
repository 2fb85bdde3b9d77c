#!/usr/bin/env python3
"""The command prompt on a terminal: behind Ctrl-a c, with completion, Ctrl-C, and gdb's server beside it."""
import os
import re
import subprocess

from _pty import GUESTS, RETROV, Terminal, check

TRACES = os.environ["TMPDIR"] + "/traces"


def main() -> None:
    terminal = Terminal(RETROV, "record", "-bios", "none", GUESTS + "echo.elf", RETROV_TRACE_DIR=TRACES)
    terminal.wait_until(terminal.is_raw, "the raw mode")
    terminal.type("first")
    terminal.wait_for("first")
    terminal.type("\x01c")
    terminal.wait_for("(retrov) ")
    terminal.type("whe\t\r")
    terminal.wait_for("100.0%")
    terminal.wait_for("(retrov) ")
    terminal.type("half a line\x03")
    terminal.wait_for("(retrov) ")
    terminal.type("reverse-step 5\r")
    terminal.wait_for("step ")
    terminal.wait_for("(retrov) ")
    terminal.type("info recording\r")
    terminal.wait_for("live: it still grows")
    terminal.wait_for("(retrov) ")
    terminal.type("goto end\r")
    terminal.wait_for("(retrov) ")
    terminal.type("continue\r")
    terminal.wait_until(terminal.is_raw, "the guest to have the terminal again")
    terminal.type("second")
    terminal.wait_for("second")
    terminal.type("\x01c")
    terminal.wait_for("interrupted")
    terminal.wait_for("(retrov) ")
    terminal.type("gdbserver 0\r")
    terminal.wait_for("target remote ")
    terminal.wait_for("(retrov) ")
    # The number stands before what was just skipped, so it is asked for again.
    terminal.type("gdbserver 0\r")
    terminal.wait_for("target remote ")
    terminal.wait_until(lambda: re.search(rb"127\.0\.0\.1:\d+\s", terminal.shown) is not None, "the port")
    target = re.search(rb"127\.0\.0\.1:\d+", terminal.shown).group().decode()
    gdb = subprocess.run(
        ["gdb-multiarch", "-nx", "-batch", "-ex", f"target remote {target}", "-ex", "monitor when", "-ex", "stepi",
         "-ex", "reverse-stepi", "-ex", "monitor when", "-ex", "detach"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )
    positions = re.findall(r"^step ([0-9,]+)", gdb.stdout + gdb.stderr, re.MULTILINE)
    check(len(positions) == 2, f"gdb reached the session: {gdb.stdout}{gdb.stderr}")
    terminal.wait_for("gdb left in the past")
    terminal.wait_for("(retrov) ")
    terminal.type("continue\r")
    terminal.wait_for("the live end")
    terminal.wait_for("(retrov) ")
    terminal.type("continue\r")
    terminal.wait_until(terminal.is_raw, "the guest to have the terminal at last")
    terminal.type("q")
    check(terminal.status() == 0, "the guest powered off")
    check(terminal.mode() == terminal.before, "the terminal is as it was")
    environment = dict(os.environ, RETROV_TRACE_DIR=TRACES)
    replayed = subprocess.run(
        [RETROV, "replay", "-a"], env=environment, capture_output=True, text=True, check=True
    ).stdout
    check(replayed == "firstsecondq", f"the replay shows {replayed!r}")


main()
