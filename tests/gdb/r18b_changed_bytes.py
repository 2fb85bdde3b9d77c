#!/usr/bin/env python3
"""R18b: of several watched ranges that one access touches, the first whose bytes change is reported; a store that
changes nothing of what is watched is no stop."""
# Handlers: Z2 vCont; bc monitor:watch-unchanged
import re

from _session import Gdb, Packets, live, replay, require, symbols


def the_half_that_changes() -> None:
    """`ratio` is a double: its upper half changes in every round, its lower half stays 0 in the first ones."""
    ratio = symbols()["ratio"]
    with replay() as served, Packets(served) as client:
        for place in (f"{ratio:x},4", f"{ratio + 4:x},4", f"{ratio:x},8", f"{ratio + 6:x},1"):
            require(client.ask(f"Z2,{place}") == "OK", place)
        client.ask(f"z2,{ratio:x},8")
        stop = client.ask("vCont;c")
        first = client.place()
        require(stop.startswith(f"T05watch:{ratio + 4:x};"), f"0.5 to 0.25: {stop}")
        for place in (f"{ratio + 4:x},4", f"{ratio + 6:x},1"):
            client.ask(f"z2,{place}")
        # What is left stays as it is: this store is none of its.
        stop = client.ask("vCont;c")
        require(stop.startswith(f"T05watch:{ratio:x};"), f"the lower half never changes: {stop}")
        require(client.place()[0] > first[0], "a stop for bytes that stay")
        at = client.place()
        before = client.ask(f"m{ratio:x},4")
        client.ask(f"z2,{ratio:x},4")
        client.ask("vCont;s:p1.1")
        require(client.ask(f"m{ratio:x},4") != before, "the lower half stays")
        # Backwards the same choice.
        for place in (f"{ratio:x},4", f"{ratio + 4:x},4"):
            client.ask(f"Z2,{place}")
        client.go_to(str(first[0] + 1))
        require(client.ask("bc").startswith(f"T05watch:{ratio + 4:x};"), "backwards another range")
        client.ask(f"z2,{ratio + 4:x},4")
        client.go_to(str(first[0] + 2))
        require(client.ask("bc").startswith("T05replaylog:begin;"), "backwards a stop for bytes that stay")
        # On request every store counts.
        client.monitor("watch-unchanged on")
        client.go_to("begin")
        require(client.ask("vCont;c").startswith(f"T05watch:{ratio:x};"), "no stop for what stays")
        require(client.place()[0] <= first[0] < at[0], "not the first store")


def gdb_shows_the_one_that_changed() -> None:
    with live() as served, Gdb(served) as gdb:
        gdb.ask("watch *(int *) &ratio")
        gdb.ask("watch *((int *) &ratio + 1)")
        seen = [gdb.ask("continue") for _ in range(4)]
        for stop in seen:
            change = re.search(r"Old value = (-?\d+)\s+New value = (-?\d+)", stop)
            require(change and change.group(1) != change.group(2), f"a stop without a change: {stop}")
        require("Hardware watchpoint 2" in seen[0], f"the first change is the upper half's: {seen[0]}")


the_half_that_changes()
gdb_shows_the_one_that_changed()
