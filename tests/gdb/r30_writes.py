#!/usr/bin/env python3
"""R30: what gdb writes at the live end is part of history; the past is read-only, and says so."""
# Handlers: M X P G
import tempfile
from pathlib import Path

from _session import Gdb, Packets, Served, live, machine, replay, require, symbols

SENTENCE = "the past is read-only; `monitor fork` lives on from here in a branch, `monitor scratch on` writes to a "


def writes_at_the_live_end_are_history() -> None:
    with tempfile.TemporaryDirectory() as folder:
        trace = str(Path(folder) / "written.rvt")
        arguments = ["record", *machine("debuggee", 2), "-S", "-gdb", "tcp::0", "-o", trace]
        with Served(arguments) as served, Gdb(served) as gdb:
            gdb.ask("break run_round if round == 3")
            gdb.ask("continue")
            before = gdb.step_number()
            gdb.ask("set var total = 1000000")
            gdb.ask("set var $a0 = 5")
            gdb.ask("set var account.owner = 42")
            require(gdb.value("total") == 1000000 and gdb.value("account.owner") == 42, "nothing is written")
            # A call made by gdb runs the guest, at the live end only.
            require(gdb.value("mix(1, 2)") == 13, "a call by gdb computes something else")
            gdb.ask("delete")
            gdb.ask("break run_round")
            gdb.expect("continue", "round=round@entry=4")
            written, hashed, there = gdb.value("total"), gdb.ask("monitor hash"), gdb.step_number()
            # mix is called with the a0 written: round 3's product is that of round 5 otherwise.
            require(written == 1000000 + 24, f"total is {written}")
            gdb.expect("monitor goto begin", "step 0")
            gdb.ask("stepi")
            require(gdb.value("total") == 0 and gdb.value("account.owner") == 7, "the beginning has changed")
            gdb.ask("delete")
            gdb.expect(f"monitor goto {there}", "goes to")
            gdb.ask("stepi")
            require(gdb.ask("monitor hash") == hashed and gdb.value("total") == written, "history is another one")
            gdb.ask("monitor edge go")
            gdb.ask("continue")
            final = gdb.ask("monitor hash")
            gdb.ask("kill")
            require(served.finish() == 0, "the recording ended badly")
        with Served(["replay", "-s", "0", trace]) as served, Gdb(served) as gdb:
            gdb.ask("continue")
            require(gdb.ask("monitor hash") == final, "a replay ends in another state")
            gdb.ask("watch total")
            # From round 39 down to round 3, and then the last store before the write by hand.
            for _ in range(38):
                gdb.ask("reverse-continue")
            require(gdb.value("total") < 1000000 and gdb.step_number() <= before, "the write is not undone")


def the_past_is_read_only() -> None:
    with live() as served, Gdb(served) as gdb:
        gdb.ask("break run_round if round == 3")
        gdb.ask("continue")
        gdb.ask("reverse-stepi")
        place, hashed = gdb.step_number(), gdb.ask("monitor hash")
        total, a0 = gdb.value("total"), gdb.value("$a0")
        for command in ("set var total = 77", "set var $a0 = 77", "print mix(1, 2)", "call pay(&account, 3)"):
            gdb.ask(command)
        gdb.ask("maint flush dcache")
        gdb.ask("maint flush register-cache")
        require(gdb.value("total") == total and gdb.value("$a0") == a0, "something is written")
        require(gdb.step_number() == place and gdb.ask("monitor hash") == hashed, "the past has changed")
        served.wait_said(SENTENCE)
        gdb.expect("monitor goto end", "goes to step")
        gdb.ask("stepi")
        gdb.ask("set var total = 77")
        require(gdb.value("total") == 77, "no write at the live end")


def each_way_to_write_is_refused() -> None:
    total = symbols()["total"]
    with replay("-g", "50%") as served, Packets(served, "error-message+;multiprocess+") as client:
        place = client.place()
        # t0 is the sixth register.
        registers = client.ask("g")
        other = registers[: 5 * 16] + "5a" * 8 + registers[6 * 16 :]
        for packet in (f"M{total:x},1:00", f"X{total:x},1:\0", "P5=0000000000000000", "G" + other):
            answer = client.ask(packet)
            require(answer.startswith("E.the past is read-only"), f"{packet[:20]} is answered {answer}")
        require(client.place() == place, "something is written")


writes_at_the_live_end_are_history()
the_past_is_read_only()
each_way_to_write_is_refused()
