#!/usr/bin/env python3
"""R24-R28: backwards with gdb: steps, lines, calls, breakpoints and watchpoints, and the beginning of history."""
import re

from _session import NO_MORE, Gdb, Packets, live, replay, require, symbols


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


source_is_walked_backwards(live)
source_is_walked_backwards(replay)
breakpoints_are_met_backwards()
last_writer_is_found()
beginning_of_history()
nearest_in_time_over_harts_and_kinds()
