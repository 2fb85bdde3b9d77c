#!/usr/bin/env python3
"""R26: reverse-continue stops at the nearest earlier breakpoint, or right behind the nearest earlier watched access,
and never where it began."""
# Handlers: bc bs Z0 Z2
import re

from _session import NO_MORE, Gdb, Packets, replay, require, symbols


def breakpoints_are_met_backwards() -> None:
    with replay("-e") as served, Gdb(served) as gdb:
        gdb.ask("break run_round")
        rounds = []
        for _ in range(4):
            hit = gdb.expect("reverse-continue", r"hit Breakpoint 1, run_round \(round=round@entry=(\d+)\)")
            rounds.append(int(hit.group(1)))
        require(rounds == [39, 38, 37, 36], f"rounds {rounds}")
        gdb.ask("tbreak mix")
        gdb.expect("continue", r"mix \(a=a@entry=36")
        gdb.ask("delete")
        # One instruction back is far enough.
        address = gdb.value("$pc")
        gdb.ask("stepi")
        gdb.ask(f"break *{address}")
        gdb.expect("reverse-continue", "hit Breakpoint")
        require(gdb.value("$pc") == address and gdb.value("$a0") == 36, "not one instruction back")
        gdb.ask("delete")
        gdb.ask("break mix if a == 10")
        gdb.expect("reverse-continue", r"mix \(a=a@entry=10")


def last_writer_is_found() -> None:
    with replay("-e") as served, Gdb(served) as gdb:
        final = gdb.value("total")
        gdb.ask("watch total")
        # Round 39 adds factorial(2), round 38 factorial(4), round 37 factorial(3).
        values = [final]
        for added in (2, 24, 6):
            gdb.expect("reverse-continue", rf"Old value = {values[-1]}\s+New value = {values[-1] - added}\s.*run_round")
            values.append(values[-1] - added)
            require(gdb.value("total") == values[-1], "the store is not undone")
            gdb.expect("x/i $pc", r"sd\s")
        place = gdb.step_number()
        # Forwards the same stores, the other way round; gdb steps over each.
        gdb.expect("continue", rf"Old value = {values[3]}\s+New value = {values[2]}")
        require(gdb.step_number() == place + 1, "not the same store")
        gdb.expect("continue", rf"Old value = {values[2]}\s+New value = {values[1]}")
        # Standing right behind a store, that one is the first.
        gdb.expect("reverse-continue", rf"Old value = {values[1]}\s+New value = {values[2]}")
        gdb.ask("delete")
        gdb.ask("rwatch limit")
        gdb.expect("reverse-continue", r"Hardware read watchpoint.*Value = 3")
        gdb.ask("delete")
        gdb.ask("awatch table[2]")
        gdb.expect("reverse-continue", r"access \(read/write\) watchpoint.*Old value = \d+\s+New value = \d+")
        gdb.ask("delete")
        # Another hart's.
        gdb.ask("watch worked")
        worked = gdb.value("worked")
        change = rf"Old value = {worked}\s+New value = {worked - 1}\s"
        gdb.expect("reverse-continue", f'"hart 1" hit Hardware watchpoint.*{change}')
        require(gdb.value("$mhartid") == 1, "the stop's thread is not the hart that wrote")


def an_access_is_reported_once() -> None:
    total = symbols()["total"]
    watch = f"{total:x},8"
    with replay("-e") as served, Packets(served) as client:
        client.ask(f"Z2,{watch}")
        stop = client.ask("bc")
        require(stop.startswith(f"T05watch:{total:x};"), stop)
        behind = client.place()
        # This stop has been told; the next is another one. From there gdb's step back undoes the one instruction.
        stop = client.ask("bc")
        require(stop.startswith(f"T05watch:{total:x};") and client.place()[0] < behind[0], f"told twice: {stop}")
        client.go_to(str(behind[0]))
        stop = client.ask("bc")
        require(stop.startswith(f"T05watch:{total:x};"), stop)
        require(client.place() == behind, "the access just made is told without moving")
        new = client.ask(f"m{watch}")
        client.ask(f"z2,{watch}")
        client.ask("bs")
        require(client.place()[0] == behind[0] - 1 and client.ask(f"m{watch}") != new, "bs does not undo the store")


def both_at_one_place() -> None:
    """A breakpoint at the instruction behind a watched store: the breakpoint is later in time."""
    total = symbols()["total"]
    with replay("-e") as served, Packets(served) as client:
        client.ask(f"Z2,{total:x},8")
        client.ask("bc")
        behind = client.place()
        pc = int.from_bytes(bytes.fromhex(client.ask("p20")), "little")
        client.ask(f"Z0,{pc:x},2")
        client.go_to(str(behind[0] + 2))
        require(client.ask("bc").startswith("T05swbreak:;") and client.place() == behind, "not the breakpoint first")
        stop = client.ask("bc")
        require(stop.startswith(f"T05watch:{total:x};") and client.place() == behind, f"then {stop}")
        stop = client.ask("bc")
        require(client.place()[0] < behind[0], f"told twice: {stop}")
        # Forwards: the store is seen before it is made, the breakpoint behind it.
        client.go_to(str(behind[0] - 2))
        require(client.ask("vCont;c").startswith("T05watch:") and client.place()[0] == behind[0] - 1, "not the store")


def only_what_holds() -> None:
    mix = symbols()["mix"]
    with replay("-e") as served, Packets(served) as client:
        a0_is_7 = "X7,26000a22071327"
        client.ask(f"Z0,{mix:x},2;{a0_is_7}")
        require(client.ask("bc").startswith("T05swbreak:;"), "no stop")
        require(client.ask("pa") == "07" + "00" * 7, "a stop where the condition does not hold")
        require(client.ask("bc").startswith("T05replaylog:begin;"), "it stops where the condition does not hold")


breakpoints_are_met_backwards()
last_writer_is_found()
an_access_is_reported_once()
both_at_one_place()
only_what_holds()
