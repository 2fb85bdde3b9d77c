#!/usr/bin/env python3
"""R1 and `--clients`: several gdbs on one trace, each with its own place and stops; one too many is turned away."""
# Handlers: monitor:goto vCont;
import os
import socket
import tempfile
from pathlib import Path

from _session import Gdb, Packets, Served, recording, require


def place(gdb: Gdb) -> tuple[int, str]:
    return gdb.step_number(), gdb.ask("monitor hash")


def served_trace(folder: str, *options: str) -> Served:
    trace = str(Path(folder) / "trace.rvt")
    if not Path(trace).exists():
        recording(trace)
    return Served(["replay", "-s", "0", "--clients", "3", *options, trace])


def walk(gdb: Gdb, number: int) -> list:
    """What one sees on a way back and forth; the same for everybody who goes it."""
    seen = []
    gdb.ask("delete")
    gdb.ask(f"break run_round if round == {number}")
    seen.append(gdb.ask("continue"))
    gdb.ask("watch total")
    seen.append(gdb.ask("reverse-continue"))
    seen.append(place(gdb))
    gdb.ask("delete")
    gdb.ask("stepi 200")
    seen.append(place(gdb))
    gdb.ask("reverse-stepi 150")
    seen.append(place(gdb))
    return seen


def each_has_a_place_of_its_own(folder: str) -> None:
    with served_trace(folder, "-k") as served:
        with Gdb(served) as gdb:
            alone = {number: walk(gdb, number) for number in (9, 17, 30)}
        with Gdb(served) as one, Gdb(served) as two, Gdb(served) as three:
            places = {one: 9, two: 17, three: 30}
            for gdb, number in places.items():
                gdb.ask("monitor goto begin")
                gdb.ask("stepi")
                gdb.ask(f"break run_round if round == {number}")
            # All at once; conditions keep each of them busy for a while.
            for gdb in places:
                gdb.begin("continue")
            for gdb, number in places.items():
                require(f"round=round@entry={number}" in gdb.answer(), f"{number}: stopped elsewhere")
            # The first place was used before.
            for gdb, number in places.items():
                gdb.ask("monitor goto begin")
                gdb.ask("stepi")
                walked = walk(gdb, number)
                require(walked[2:] == alone[number][2:], f"{number}: {walked} is not {alone[number]}")
            # What one changes in a copy or in a branch is not the others'.
            one.ask("monitor scratch on")
            one.ask("set var total = 77")
            require(one.value("total") == 77 and two.value("total") != 77, "a copy is shared")
            two.ask("monitor fork mine")
            two.ask("set var total = 88")
            two.ask("tbreak run_round")
            two.expect("continue", "run_round ")
            require("mine" not in three.ask("monitor branches"), "a branch is shared")
            require(two.value("total") > 80, "the branch forgets")

            late = socket.create_connection(("127.0.0.1", served.port))
            require(late.recv(1) == b"", "a fourth client is let in")
            served.wait_said("a further gdb was turned away: 3 are connected")
            where = place(three)
            one.ask("detach")
            with Packets(served) as again:
                require(again.place()[0] > 0, "the place that one left is not there")
            require(place(three) == where, "somebody else has moved")


def it_ends_with_the_last(folder: str) -> None:
    with served_trace(folder, "-e") as served:
        first, second = Packets(served), Packets(served)
        require(first.place() == second.place() and first.place()[0] > 1000, "-e is for the first alone")
        first.ask("D")
        first.close()
        require(second.ask("bs").startswith("T05"), "the other has ended, too")
        second.ask("D")
        second.close()
        require(served.finish() == 0, "the status is another one")
    with served_trace(folder) as served, Packets(served):
        served.process.terminate()
        require(served.finish() == 128 + 15, "a signal does not end it")


with tempfile.TemporaryDirectory() as traces:
    os.environ["RETROV_TRACE_DIR"] = traces
    each_has_a_place_of_its_own(traces)
    it_ends_with_the_last(traces)
