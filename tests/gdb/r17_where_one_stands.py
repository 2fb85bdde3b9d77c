#!/usr/bin/env python3
"""R17: to go on where a breakpoint stands is to stop there, with nothing executed; a step executes; before an access
that is watched both stop."""
# Handlers: Z0 Z1 Z2 vCont; vCont;r
from _session import Gdb, Packets, live, replay, require, symbols


def breakpoints() -> None:
    names = symbols()
    with replay() as served, Packets(served) as client:
        require(client.ask(f"Z1,{names['store']:x},2") == "OK", "Z1")
        stop = client.ask("vCont;c")
        require(stop.startswith("T05hwbreak:;thread:p1.1;"), f"{stop}")
        require(f";20:{names['store'].to_bytes(8, 'little').hex()};" in stop, f"not at store: {stop}")
        place = client.place()
        # R17: a resume where a breakpoint stands stops before anything is executed, a step executes.
        require(client.ask("vCont;c").startswith("T05hwbreak:;"), "it ran over the breakpoint it stands at")
        require(client.place() == place, "it moved")
        require(client.ask("vCont;s:p1.1;c:p1.-1").startswith("T05thread:p1.1;"), "a step stops for where it began")
        require(client.place()[0] == place[0] + 1, "no step was made")
        # Bit 0 of a pc is not kept, and a breakpoint at the next instruction is reported by a step to it.
        client.ask(f"Z0,{names['mix']:x},2")
        client.ask("vCont;c")
        second = client.ask("p20")
        require(int.from_bytes(bytes.fromhex(second), "little") == names["mix"], "not at mix")


def ranges() -> None:
    mix = symbols()["mix"]
    with replay() as served, Packets(served) as client:
        client.ask(f"Z0,{mix:x},2")
        client.ask("vCont;c")
        at = client.place()[0]
        # A range executes the instruction at pc first, too.
        stop = client.ask(f"vCont;r{mix:x},{mix + 2:x}:p1.1;c:p1.-1")
        require(stop.startswith("T05thread:p1.1;") and client.place()[0] == at + 1, f"a range where one stands: {stop}")


def watched_accesses() -> None:
    slot, store = symbols()["table"] + 4, symbols()["store"]
    with replay() as served, Packets(served) as client:
        client.ask(f"Z2,{slot:x},4")
        require(client.ask("vCont;c").startswith(f"T05watch:{slot:x};"), "the store is not seen")
        place = client.place()
        moves = ("vCont;c", "vCont;s:p1.1", f"vCont;r{store:x},{store + 64:x}:p1.1;c:p1.-1", "vCont;c:p1.-1")
        for move in moves:
            stop = client.ask(move)
            require(stop.startswith(f"T05watch:{slot:x};"), f"{move} makes the access: {stop}")
            require(client.place() == place, f"{move} moves")
        # From before it a range ends there, too.
        client.go_to(str(place[0] - 1))
        client.ask(moves[2])
        require(client.place() == place, "a range passes the access")
        client.ask(f"z2,{slot:x},4")
        client.ask("vCont;s:p1.1")
        require(client.ask(f"m{slot:x},4") == "17000000", "the access is not made")


def gdb_steps_off_by_itself() -> None:
    with live() as served, Gdb(served) as gdb:
        gdb.ask("break mix")
        gdb.ask("watch table[1]")
        gdb.expect("continue", r"mix \(a=a@entry=0")
        gdb.expect("continue", r"mix \(a=a@entry=1")
        gdb.expect("continue", r"Old value = 0\s+New value = 23")
        gdb.expect("continue", r"mix \(a=a@entry=2")
        at = gdb.step_number()
        gdb.ask("stepi")
        require(gdb.step_number() == at + 1, "stepi where a breakpoint stands is not one step")


breakpoints()
ranges()
watched_accesses()
gdb_steps_off_by_itself()
