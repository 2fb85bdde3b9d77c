#!/usr/bin/env python3
"""R14-R17, R20: stepping and breakpoints forwards, as gdb does them; breakpoints leave no trace in the guest."""
from _session import Gdb, Packets, live, replay, require, symbols


def gdb_steps_through_source() -> None:
    with live() as served, Gdb(served) as gdb:
        gdb.ask("tbreak run_round")
        gdb.expect("continue", r"run_round \(round=round@entry=0\)")
        gdb.expect("step", r"int mixed = mix\(round, 3\)")
        gdb.expect("step", r"mix \(a=a@entry=0, b=b@entry=3\).*int sum = a \+ b")
        gdb.expect("backtrace", r"#0 +mix .*#1 .*run_round .*#2 .*main ")
        gdb.expect("finish", r"Run till exit.*run_round.*Value returned is \$\d+ = 12")
        gdb.expect("next", r"store\(round % kSlots, mixed\)")
        gdb.expect("next", r"long product = factorial")
        require(gdb.value("table[0]") == 12, "`next` did not make the call")
        gdb.ask("tbreak factorial if n == 1")
        gdb.expect("continue", r"factorial \(n=(n@entry=)?1\)")
        gdb.expect("finish", r"Value returned is \$\d+ = 1\b")
        gdb.expect("up", "#1")
        gdb.ask("hbreak pay")
        gdb.expect("continue", r"hit Breakpoint \d+, pay ")
        gdb.expect("print *to", r"owner = 7, balance = 100")
        gdb.expect("advance run_round", r"run_round")
        pc = gdb.value("$pc")
        gdb.ask("delete")
        gdb.ask("stepi")
        require(0 < gdb.value("$pc") - pc <= 4, "stepi is not one instruction")
        gdb.ask("stepi 20")
        require(gdb.function() in ("main", "mix", "run_round"), "20 steps lead elsewhere")
        # Out of the loop.
        gdb.expect("until", "rounds done")


def stepping_sends_few_packets() -> None:
    """What `osabi none` and range stepping are for: one resume packet for a line, one more for a call in it."""
    with live() as served, Gdb(served) as gdb:
        gdb.ask("tbreak run_round")
        gdb.ask("continue")
        gdb.ask("next")
        gdb.ask("set debug remote 1")
        answer = gdb.ask("next")
        require("vCont;r" in answer, f"no range stepping: {answer}")
        require(answer.count("Sending packet: $vCont") <= 4, f"too many packets for a line: {answer}")
        answer = gdb.ask("stepi")
        require(answer.count("Sending packet: $vCont") == 1, f"too many packets for a step: {answer}")
        require("$Z0" not in answer, f"a breakpoint for a step: {answer}")


def breakpoints_are_not_in_the_guest() -> None:
    code = symbols()["mix"]
    with replay() as served, Packets(served) as client:
        client.go_to("40%")
        place, text = client.place(), client.ask(f"m{code:x},40")
        client.go_to("90%")
        later = client.place()
        client.go_to("40%")
        for offset in range(0, 0x40, 2):
            require(client.ask(f"Z0,{code + offset:x},2") == "OK", "no Z0")
            require(client.ask(f"Z1,{code + offset:x},2") == "OK", "no Z1")
        require(client.ask(f"m{code:x},40") == text, "breakpoints are in memory")
        require(client.place() == place, "breakpoints are in the state")
        hits = 0
        while (stop := client.ask("vCont;c")).startswith("T05swbreak:;"):
            hits += 1
            client.ask("vCont;s:p1.1")
        require(hits > 40 and stop.startswith("T05replaylog:end;"), f"{hits} hits, then {stop}")
        client.go_to("90%")
        require(client.place() == later, "breakpoints changed what came after them")


def breakpoints_are_a_set() -> None:
    names = symbols()
    with replay() as served, Packets(served) as client:
        # Twice set, once removed: gone.
        for packet in ("Z0,{:x},2", "Z0,{:x},4", "z0,{:x},2", "z0,{:x},2"):
            require(client.ask(packet.format(names["mix"])) == "OK", packet)
        # Not mapped, and never executed.
        require(client.ask("Z0,ffffffff80001000,4") == "OK", "a breakpoint where nothing is mapped")
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


def ranges_end_where_they_should() -> None:
    names = symbols()
    mix, size = names["mix"], 4
    with replay() as served, Packets(served) as client:
        client.ask(f"Z0,{mix:x},2")
        client.ask("vCont;c")
        before = client.place()[0]
        # An empty range is one step.
        client.ask(f"vCont;r{mix:x},{mix:x}:p1.1;c:p1.-1")
        require(client.place()[0] == before + 1, "an empty range is more than a step")
        stop = client.ask(f"vCont;r{mix:x},{mix + 64 * size:x}:p1.1;c:p1.-1")
        require(stop.startswith("T05thread:p1.1;"), f"the range ends by {stop}")
        pc = int.from_bytes(bytes.fromhex(client.ask("p20")), "little")
        require(not mix <= pc < mix + 64 * size, f"{pc:#x} is in the range")
        # A breakpoint in a range ends it.
        client.ask("vCont;c")
        start = client.place()[0]
        client.ask("vCont;s:p1.1")
        inner = int.from_bytes(bytes.fromhex(client.ask("p20")), "little")
        client.go_to(str(start))
        client.ask(f"Z0,{inner:x},2")
        stop = client.ask(f"vCont;r{mix:x},{mix + 64 * size:x}:p1.1;c:p1.-1")
        require(stop.startswith("T05swbreak:;"), f"a breakpoint in the range: {stop}")


gdb_steps_through_source()
stepping_sends_few_packets()
breakpoints_are_not_in_the_guest()
breakpoints_are_a_set()
ranges_end_where_they_should()
