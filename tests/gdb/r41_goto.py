#!/usr/bin/env python3
"""R41: goto and its kind wait for the next command that moves, whatever it is, and gdb then sees where it is."""
# Handlers: monitor:goto
import time

from _session import Gdb, Packets, elf, framed, live, replay, require, symbols


def positions_by_name() -> None:
    with replay() as served, Gdb(served) as gdb:
        gdb.ask("tbreak run_round if round == 7")
        gdb.expect("continue", "round=round@entry=7")
        smash = gdb.step_number()
        gdb.expect("monitor bookmark smash free of a live page", rf"1  smash  step {smash:,}  free of a live page")
        for word in ("goto smash", "goto @smash", "goto @1", "restart 1", "restart smash", "seek smash",
                     "seek-ticks smash", "replay_seek smash"):
            gdb.ask("monitor goto begin")
            gdb.ask("stepi")
            require(gdb.step_number() == 0, "not at the beginning")
            gdb.expect(f"monitor {word}", f"goes to step {smash:,}")
            require(gdb.step_number() == 0, f"{word} moves at once")
            gdb.ask("continue")
            require(gdb.step_number() == smash, f"{word} leads to {gdb.step_number()}")
            require(gdb.function() == "run_round" and gdb.value("round") == 7, "gdb's registers are stale")
            gdb.expect("bt", "#0 +run_round.*#1 ")


def positions_by_execution() -> None:
    with replay("--symbols", elf("debuggee")) as served, Gdb(served) as gdb:
        gdb.ask("break run_round")
        stops = []
        for _ in range(4):
            gdb.ask("continue")
            stops.append(gdb.step_number())
        address = gdb.value("$pc")
        for word, at in (("run_round@3", stops[2]), (f"{address:#x}@1", stops[0]), ("run_round@4", stops[3])):
            gdb.expect(f"monitor goto {word}", f"goes to step {at:,}")
            gdb.ask("continue")
            require(gdb.step_number() == at and gdb.function() == "run_round", f"{word} leads elsewhere")
        gdb.expect("monitor goto run_round@999", "run_round is not executed 999 times in this history")
        gdb.expect("monitor goto nowhere@1", "'nowhere' is no number, no register")


def a_place_far_away_is_broken_off() -> None:
    with live(harts=1) as served, Packets(served) as client:
        client.ask(f"M{symbols()['mode']:x},4:02000000")
        client.raw(framed(b"vCont;c"))
        served.wait_console(b"rounds done")
        used = served.cpu_seconds()
        while served.cpu_seconds() < used + 0.5:
            time.sleep(0.01)
        client.raw(b"\x03")
        require(client.answer().startswith("T02"), "no stop")
        place = client.place()
        client.raw(framed(b"qRcmd," + f"goto {symbols()['spin'] + 4:#x}@999999999".encode().hex().encode()) + b"\x03")
        client.answer()
        require("interrupted" in client.printed, f"it says {client.printed!r}")
        require(client.place() == place, "it moved")


def where_one_has_been() -> None:
    with replay() as served, Gdb(served) as gdb:
        places = [gdb.step_number()]
        for number in (3, 6, 9):
            gdb.ask(f"tbreak run_round if round == {number}")
            gdb.ask("continue")
            places.append(gdb.step_number())
        gdb.ask("stepi 5")
        gdb.expect("monitor history", rf"-4  step 0\n.*-1  step {places[3]:,}\n\* 0  step ")
        for at in reversed(places):
            gdb.expect("monitor back", f"goes to step {at:,}")
            gdb.ask("stepi")
            require(gdb.step_number() == at, f"back leads to {gdb.step_number()}")
        gdb.expect("monitor back", "no place is that far back")
        gdb.ask("monitor forward 2")
        gdb.ask("reverse-continue")
        require(gdb.step_number() == places[2], "forward 2 leads elsewhere")
        gdb.expect("monitor history", rf"-2  step 0\n.*\* 0  step {places[2]:,}\n.*\+2  step ")


def an_armed_move_waits_for_any_packet() -> None:
    for packet in ("vCont;c", "vCont;s:p1.1", "c", "s", "bc", "bs"):
        with live() as served, Packets(served) as client:
            client.ask("vCont;s:p1.1")
            client.monitor("goto begin")
            stop = client.ask(packet)
            require(stop.startswith("T00thread:"), f"{packet}: {stop}")
            require(client.place()[0] == 0, f"{packet} leads elsewhere")


positions_by_name()
positions_by_execution()
a_place_far_away_is_broken_off()
where_one_has_been()
an_armed_move_waits_for_any_packet()
