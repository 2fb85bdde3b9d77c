#!/usr/bin/env python3
"""R31: a live session is reversible from its first instruction on and comes back to life, with a person typing all the
while; nothing is printed twice and nothing typed is lost."""
# Handlers: vCont; bc D monitor:replay-output
from _session import NO_MORE, Gdb, live, require


def type_and_wait(served, text: bytes) -> None:
    printed = len(served.console)
    served.type(text)
    served._wait(lambda: text in served.console[printed:], f"echo of {text!r}")


def there_and_back_while_typing() -> None:
    with live() as served, Gdb(served) as gdb:
        gdb.ask("set var mode = 4")
        gdb.begin("continue")
        served.wait_console(b"rounds done\n")
        type_and_wait(served, b"one ")
        gdb.expect_interrupt()
        edge, hashed = gdb.step_number(), gdb.ask("monitor hash")

        # Typed while the guest stands still, or is in the past: it comes when the guest runs live again.
        served.type(b"two ")
        gdb.expect("reverse-stepi", "")
        gdb.ask("watch scaled")
        gdb.expect("reverse-continue", "Hardware watchpoint.*main ")
        gdb.ask("delete")
        served.type(b"three ")
        gdb.expect("reverse-continue", NO_MORE)
        require(gdb.step_number() == 0, "a live session is not reversible to its first instruction")
        gdb.ask("tbreak echo")
        gdb.expect("continue", r"\becho ")
        require(served.console == b"start\nrounds done\none ", f"history is printed again: {served.console}")
        gdb.expect("continue", NO_MORE)
        require(gdb.step_number() == edge and gdb.ask("monitor hash") == hashed, "the live end has changed")

        gdb.begin("continue")
        served.wait_console(b"one two three ")
        type_and_wait(served, b"four ")
        gdb.expect_interrupt()
        gdb.ask("tbreak echo")
        gdb.expect("reverse-continue", r"\becho ")
        gdb.ask("monitor edge go")
        gdb.begin("continue")
        type_and_wait(served, b"five ")
        served.type(b"q")
        answer = gdb.answer()
        require("test finisher: pass" in answer, f"the guest's end: {answer}")
        served.wait_console(b"qoff\n")
        require(served.console == b"start\nrounds done\none two three four five qoff\n", f"printed: {served.console}")
        gdb.expect("reverse-continue", NO_MORE)
        gdb.expect("continue", NO_MORE)
        require(served.console == b"start\nrounds done\none two three four five qoff\n", f"printed: {served.console}")
        # But on request.
        gdb.expect("monitor replay-output on", "replay-output on")
        gdb.expect("reverse-continue", NO_MORE)
        before = len(served.console)
        gdb.expect("continue", NO_MORE)
        again = b"start\nrounds done\none two three four five qoff\n"
        served._wait(lambda: again in served.console[before - 1:], "the output once more")
        gdb.expect("monitor replay-output off", "replay-output off")


def guest_runs_on_after_detach() -> None:
    with live() as served:
        with Gdb(served) as gdb:
            gdb.ask("set var mode = 4")
            gdb.ask("break echo")
            gdb.expect("continue", "echo ")
            gdb.ask("detach")
        type_and_wait(served, b"hello ")
        # The next one stops what runs.
        with Gdb(served) as gdb:
            gdb.expect("backtrace", "echo ")
            stopped = gdb.step_number()
            gdb.ask("tbreak main")
            gdb.expect("reverse-continue", "main ")
            gdb.ask("monitor goto end")
            gdb.ask("stepi")
            require(gdb.step_number() == stopped, "it ran on while gdb was connected")
            gdb.ask("detach")
        type_and_wait(served, b"again ")
        served.type(b"q")
        require(served.finish() == 0, "the status is another one")
        require(served.console == b"start\nrounds done\nhello again qoff\n", f"printed: {served.console}")


there_and_back_while_typing()
guest_runs_on_after_detach()
