#!/usr/bin/env python3
"""R28: at the beginning of history every way back says so and leaves the first state."""
# Handlers: bs bc
from _session import NO_MORE, Gdb, Packets, live, replay, require


def beginning_of_history() -> None:
    for start in (live, replay):
        with start() as served, Gdb(served) as gdb:
            for command in ("reverse-stepi", "reverse-continue"):
                gdb.expect(command, NO_MORE)
                require(gdb.step_number() == 0, f"{command} leaves the beginning")
            gdb.ask("tbreak run_round")
            gdb.ask("continue")
            for command in ("reverse-continue", "reverse-continue", "reverse-stepi"):
                gdb.expect(command, f"{NO_MORE}.*0x0*1000 in")
                require(gdb.step_number() == 0 and gdb.value("$pc") == 0x1000, f"{command} ends elsewhere")
            gdb.ask("stepi 3")
            gdb.expect("reverse-stepi 5", NO_MORE)
            require(gdb.step_number() == 0, "reverse-stepi 5 ends elsewhere")


def packets_at_the_beginning() -> None:
    for start in (live, replay):
        with start() as served, Packets(served) as client:
            first = client.place()
            client.ask("vCont;s:p1.1")
            # Back over its first instruction: what the machine was given before, the time among it, is a step, too.
            require(client.ask("bs").startswith("T05thread:p1.1;"), "no step back")
            for packet in ("bs", "bc", "bs"):
                stop = client.ask(packet)
                require(stop.startswith("T05replaylog:begin;thread:p1.1;core:0;"), f"{packet}: {stop}")
                require(client.place() == first, f"{packet} leaves the first state")


beginning_of_history()
packets_at_the_beginning()
