#!/usr/bin/env python3
"""gdb comes and goes while a guest runs: QEMU's -s -S, attaching to a running guest, detaching, killing, --on-exit."""
import os
import re
import subprocess

from _pty import GUESTS, RETROV, Terminal, check

TRACES = os.environ["TMPDIR"] + "/traces"


def start(*options: str, guest: str = "echo") -> tuple[Terminal, str]:
    terminal = Terminal(RETROV, "record", "-gdb", "tcp::0", *options, "-bios", "none", GUESTS + guest + ".elf",
                        RETROV_TRACE_DIR=TRACES)
    target = re.compile(rb"target remote (127\.0\.0\.1:\d+)\r")
    terminal.wait_until(lambda: target.search(terminal.shown) is not None, "the address")
    return terminal, target.search(terminal.shown).group(1).decode()


def gdb(target: str, *commands: str, guest: str = "echo") -> str:
    words = [word for command in (f"target remote {target}", *commands) for word in ("-ex", command)]
    done = subprocess.run(["gdb-multiarch", "-nx", "-batch", *words, GUESTS + guest + ".elf"], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return done.stdout


def main() -> None:
    # Nothing runs before gdb says so, and the end of the guest is a stop from which one can go back.
    terminal, target = start("-S", guest="hello")
    shown = gdb(target, "monitor when", "break next", "continue", "delete", "continue", "monitor when",
                "reverse-continue", "monitor when", "kill", guest="hello")
    positions = re.findall(r"^step ([0-9,]+)  hart", shown, re.MULTILINE)
    check(len(positions) == 3 and positions[0] == positions[2] == "0" and positions[1] != "0", shown)
    check("Breakpoint 1, next" in shown, shown)
    check(terminal.status() == 0, "a killed session is no failure")
    check(terminal.shown.count(b"\nhello\r") == 1, f"the console is shown once: {terminal.shown}")

    # A guest that runs is interrupted by gdb's coming and goes on when it leaves.
    terminal, target = start()
    terminal.wait_until(terminal.is_raw, "the raw mode")
    terminal.type("a")
    terminal.wait_for("a")
    for _ in range(2):
        shown = gdb(target, "info threads", "watch *(long *)&ticks", "continue", "delete", "monitor goto end", "stepi",
                    "detach")
        check("hart 0" in shown and "Old value" in shown, shown)
        terminal.type("b")
        terminal.wait_for("b")
    # The connection alone goes: the guest waits where it is, for the next one.
    shown = gdb(target, "info threads", "python import os; os._exit(0)")
    terminal.wait_for("gdb is gone")
    check("hart 0" in gdb(target, "info threads", "detach"), "the next gdb finds it")
    terminal.type("q")
    check(terminal.status() == 0, "the guest powered off")
    verified = subprocess.run([RETROV, "verify"], env=dict(os.environ, RETROV_TRACE_DIR=TRACES), capture_output=True,
                              text=True, check=False)
    check(verified.returncode == 0, f"what gdb did is in the recording: {verified}")

    # The terminal's escapes work while nothing runs: before gdb has come, and while it has stopped the guest.
    terminal, _ = start("-S")
    terminal.wait_until(terminal.is_raw, "the raw mode")
    terminal.type("\x01c")
    terminal.wait_for("(retrov) ")
    terminal.type("when\r")
    terminal.wait_for("step 0 ")
    terminal.type("quit\r")
    check(terminal.status() == 0, "leaving the prompt before the first step")
    terminal, target = start("-S")
    attached = subprocess.Popen(["gdb-multiarch", "-nx", "-q", "-ex", f"target remote {target}", "-ex", "echo here\\n"],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    while "here" not in attached.stdout.readline():
        pass
    terminal.type("\x01c")
    terminal.wait_for("gdb is attached")
    terminal.type("\x01x")
    check(terminal.status() == 0, "leaving while gdb has stopped the guest")
    check(terminal.mode() == terminal.before, "the terminal is as it was")
    attached.communicate("quit\n")

    # The session stays when the guest has ended.
    terminal, target = start("--on-exit=debug", guest="hello")
    terminal.wait_for("guest stopped: test finisher: pass")
    shown = gdb(target, "reverse-stepi", "monitor when", "kill", guest="hello")
    check(re.search(r"^step 6\d  hart", shown, re.MULTILINE) is not None, shown)
    check(terminal.status() == 0, "the guest's status")

    # A gdb that has started us is the only one; without it there is nothing to wait for.
    words = ["run", "-gdb", "stdio", "-serial", "none", "-S", "-bios", "none", GUESTS + "hello.elf"]
    shown = gdb("| " + " ".join([RETROV, *words]), "stepi", "monitor when", "kill")
    check("step 2  hart 0" in shown, f"over a pipe: {shown}")
    alone = subprocess.run([RETROV, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    check(alone.returncode == 0 and alone.stderr == "", f"nobody at the other end of the pipe: {alone}")


main()
