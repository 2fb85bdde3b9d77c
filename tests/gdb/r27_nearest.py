#!/usr/bin/env python3
"""R27: backwards the nearest stop in time counts, of whichever hart and of whichever kind."""
# Handlers: bc
import re

from _session import Gdb, Packets, replay, require, symbols


def nearest_in_time_over_harts_and_kinds() -> None:
    """Against the stops of a forward run over the same stretch."""
    names = symbols()
    stop_packets = [f"Z0,{names['work']:x},2", f"Z0,{names['run_round']:x},2", f"Z2,{names['total']:x},8",
                    f"Z3,{names['limit']:x},4"]

    def reason(stop: str) -> str:
        return re.match(r"T..(\w+:[0-9a-f]*);", stop).group(1)

    with replay("-g", "20%") as served, Packets(served) as client:
        begin = client.place()[0]
        forward = []
        while len(forward) < 120:
            for packet in stop_packets:
                client.ask(packet)
            stop = client.ask("vCont;c")
            # What is watched is reported before the access here, and behind it backwards.
            is_watch = "watch:" in reason(stop)
            hart = int(re.search(r"core:(\d)", stop).group(1))
            forward.append((client.place()[0] + is_watch, hart, reason(stop)))
            for packet in stop_packets:
                client.ask("z" + packet[1:])
            client.ask(f"vCont;s:p1.{hart + 1}")
        require({entry[1] for entry in forward} == {0, 1}, "one hart never stopped")
        require(len({entry[2] for entry in forward}) == 3, f"not all kinds: {set(entry[2] for entry in forward)}")
        for packet in stop_packets:
            client.ask(packet)
        backward = []
        while (stop := client.ask("bc")) and client.place()[0] > begin and "replaylog" not in stop:
            backward.append((client.place()[0], int(re.search(r"core:(\d)", stop).group(1)), reason(stop)))
        wanted = [entry for entry in forward if entry[0] > begin]
        # The last forward stop was stepped over: where that ended may be behind it or at it.
        backward = [entry for entry in backward if entry[0] <= forward[-1][0]]
        require(backward[::-1] == wanted, f"backwards {backward[::-1]}\nforwards {wanted}")


def gdb_sees_both_harts() -> None:
    with replay("-g", "30%") as served, Gdb(served) as gdb:
        gdb.ask("break work")
        gdb.ask("break run_round")
        gdb.ask("watch total")
        threads, at = set(), gdb.step_number()
        for _ in range(60):
            stop = gdb.expect("reverse-continue", r'"hart (\d)" hit (Breakpoint|Hardware watchpoint)')
            threads.add(stop.groups())
            before, at = at, gdb.step_number()
            require(at < before, f"from {before} to {at}")
        require({("0", "Breakpoint"), ("0", "Hardware watchpoint"), ("1", "Breakpoint")} <= threads, f"{threads}")


nearest_in_time_over_harts_and_kinds()
gdb_sees_both_harts()
