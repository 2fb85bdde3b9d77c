#!/usr/bin/env python3
"""R24: from its first byte every session goes backwards, live or replayed: by instructions, lines and calls."""
# Handlers: bs bc qSupported
from _session import Gdb, Packets, live, replay, require


def source_is_walked_backwards(start) -> None:
    with start() as served, Gdb(served) as gdb:
        gdb.ask("monitor edge go")
        gdb.ask("tbreak run_round if round == 5")
        gdb.expect("continue", r"run_round \(round=round@entry=5\)")
        at_entry, entry_total = gdb.step_number(), gdb.value("total")
        gdb.expect("next", "int mixed = mix")
        gdb.expect("next", r"store\(round")
        after_mix = gdb.step_number()
        # Into the call by its end, and out of it by its beginning.
        gdb.expect("reverse-step", r"mix \(.*return sum \^ b|mix \(.*\}")
        gdb.expect("reverse-finish", r"run_round.*int mixed = mix")
        gdb.expect("next", r"store\(round")
        require(gdb.step_number() == after_mix, "`next` leads elsewhere the second time")
        gdb.expect("reverse-next", "int mixed = mix")
        # Before the first line of a function comes the call.
        gdb.expect("reverse-next", r"main .*scaled = run_round\(round\)")
        require(gdb.step_number() < at_entry, f"reverse-next does not leave the function: {gdb.step_number()}")
        # A recursive function, left by its beginning.
        gdb.ask("tbreak factorial if n == 1")
        gdb.expect("continue", r"factorial \(n=(n@entry=)?1\)")
        require(gdb.ask("backtrace").count("factorial (n=") == 4, "not four frames of factorial")
        gdb.expect("reverse-finish", r"factorial .*return n \* factorial\(n - 1\)")
        require(gdb.ask("backtrace").count("factorial (n=") == 3, "reverse-finish does not leave one frame")
        gdb.ask("tbreak pay")
        gdb.expect("continue", "pay ")
        gdb.ask("tbreak run_round")
        gdb.expect("reverse-continue", r"run_round \(round=round@entry=5\)")
        require(gdb.step_number() == at_entry and gdb.value("total") == entry_total, "not the same place")
        gdb.expect("reverse-stepi", "main")
        require(gdb.step_number() == at_entry - 1, "reverse-stepi is not one step")
        gdb.ask("stepi")
        require(gdb.step_number() == at_entry, "stepi does not undo reverse-stepi")


def it_is_offered_at_once() -> None:
    for start in (live, replay):
        with start() as served, Packets(served) as client:
            features = client.offered.split(";")
            require({"ReverseStep+", "ReverseContinue+"} <= set(features), f"offered: {features}")
            for packet in ("bs", "bc"):
                require(client.ask(packet).startswith("T05replaylog:begin;"), f"{packet} at the first step")


it_is_offered_at_once()
source_is_walked_backwards(live)
source_is_walked_backwards(replay)
