#!/usr/bin/env python3
"""R32: a long way backwards says how far it is, in lines that gdb prints; a short one, and a run forward, do not."""
# Handlers: bc
import re

from _session import Gdb, Packets, framed, live, require, symbols

LINE = r"retrov: step [\d,]+ of [\d,]+, \d+%"


def a_long_history(served, gdb: Gdb) -> None:
    """Of which a search takes some seconds of this machine, however fast it is."""
    gdb.ask("set var mode = 2")
    gdb.ask("break spin")
    gdb.expect("continue", "spin ")
    gdb.ask("delete")
    used = served.cpu_seconds()
    gdb.begin("continue")
    while served.cpu_seconds() < used + 2:
        pass
    answer = gdb.interrupt()
    require("received signal SIGINT" in answer, f"Ctrl-C: {answer}")
    require(not re.search(LINE, answer), f"a run forward says how far it is: {answer}")


def searches_and_gotos() -> None:
    owner = symbols()["account"]
    with live() as served:
        with Gdb(served) as gdb:
            a_long_history(served, gdb)
            end = gdb.step_number()
            require(not re.search(LINE, gdb.ask("reverse-stepi")), "a short way says how far it is")
            # Nobody reads there: all of history is searched, which takes no less time than it took to live it.
            gdb.ask("rwatch account.owner")
            gdb.ask("tbreak main")
            answer = gdb.ask("reverse-continue")
            require(re.search(LINE, answer), f"no progress: {answer}")
            require("main" in answer, f"another stop: {answer}")
            gdb.ask("delete")
            gdb.kill()
        # Packet by packet: O packets while the machine moves, Ctrl-C behind the first, then the stop.
        with Packets(served) as client:
            client.go_to("end")
            client.ask(f"Z3,{owner:x},1")
            client.raw(framed(b"bc"))
            first = client.receive()
            require(re.match(LINE, bytes.fromhex(first[1:].decode()).decode()), f"no progress: {first}")
            client.raw(b"\x03")
            require(client.answer().startswith("T02"), "Ctrl-C is not heard")
            client.ask(f"z3,{owner:x},1")
            require(client.go_to(str(end - 5)).startswith("T00"), "the protocol is out of step")
            require(client.ask("qC").startswith("QCp1."), "the protocol is out of step")


searches_and_gotos()
