#!/usr/bin/env python3
"""R33, R34: an extended client runs a recording again, from its beginning; small questions have their fixed answers."""
# Handlers: ! vRun; qAttached qSymbol:
from _session import Gdb, Packets, live, replay, require


def run_goes_to_the_beginning() -> None:
    with replay() as served, Gdb(served, kind="extended-remote") as gdb:
        gdb.ask("break store if value == 72")
        gdb.expect("continue", "hit Breakpoint.*store")
        at = gdb.step_number()
        gdb.ask("tbreak mix")
        gdb.expect("run", "hit Temporary breakpoint.*mix")
        require(gdb.step_number() < at, "run goes on from where it was")
        gdb.expect("continue", "hit Breakpoint.*store")
        require(gdb.step_number() == at, "another run")
        gdb.ask("kill")
        gdb.ask("tbreak mix")
        gdb.expect("run", "hit Temporary breakpoint.*mix")
        gdb.ask("disconnect")


def a_live_guest_is_not_run_again() -> None:
    with live() as served, Packets(served) as client:
        require(client.ask("!") == "OK", "no extended mode")
        place = client.place()
        require(client.ask("vRun;").startswith("E.a live guest"), "it is run again")
        require(client.place() == place, "it moved")


def small_questions() -> None:
    with replay() as served, Packets(served) as client:
        for packet, answer in (("qAttached", "1"), ("qAttached:1", "1"), ("qOffsets", ""), ("qTStatus", ""),
                               ("qSymbol::", "OK")):
            require(client.ask(packet) == answer, f"{packet} is answered {client.ask(packet)!r}")


run_goes_to_the_beginning()
a_live_guest_is_not_run_again()
small_questions()
