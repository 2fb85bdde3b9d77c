#!/usr/bin/env python3
"""R20: a line is one packet: `vCont;r` goes on while the hart is in the range, and stops for what stops."""
# Handlers: vCont;r vCont?
from _session import Gdb, Packets, live, replay, require, symbols


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


def what_stops_an_instruction_ends_a_range() -> None:
    """A CSR that is watched, an ebreak that is the debugger's: not only where the range begins."""
    main = symbols()["main"]
    # All of the code: what is called lies in it, too.
    begin, end = 0x80000000, 0x80001000
    with live(harts=1) as served, Packets(served) as client:
        client.ask(f"Z0,{main:x},2")
        require(client.ask("vCont;c").startswith("T05swbreak"), "main is not reached")
        client.ask(f"z0,{main:x},2")
        client.monitor("watch-csr mtvec")
        stop = client.ask(f"vCont;r{begin:x},{end:x}:p1.1")
        require(stop.startswith("T00") and "writes mtvec" in client.printed, f"a watched CSR in a range: {stop}")
        at = client.place()[0]
        # The one where one stands was reported.
        client.monitor("watch-csr off")
        pc = int.from_bytes(bytes.fromhex(client.ask("p20")), "little")
        require(client.ask(f"M{pc + 4:x},4:73001000") == "OK", "no ebreak is written")
        stop = client.ask(f"vCont;r{begin:x},{end:x}:p1.1")
        require(stop.startswith("T05thread"), f"an ebreak in a range: {stop}")
        require(client.ask("p20") == (pc + 4).to_bytes(8, "little").hex(), "not at the ebreak")
        require(client.place()[0] > at, "it stays")


def a_call_leaves_the_range() -> None:
    """gdb then sets a breakpoint where the call returns, and goes on with the range from there."""
    with live() as served, Gdb(served) as gdb:
        gdb.ask("tbreak run_round if round == 3")
        gdb.ask("continue")
        gdb.expect("next", "int mixed = mix")
        gdb.ask("set debug remote 1")
        said = gdb.ask("next")
        gdb.ask("set debug remote 0")
        gdb.expect("frame", r"store\(round")
        require(said.count("Sending packet: $vCont;r") == 2, f"not two ranges: {said}")
        # A watchpoint inside ends it.
        gdb.expect("next", "long product = factorial")
        gdb.ask("watch account.balance")
        gdb.expect("next", r"pay\(&account, product\)")
        gdb.expect("next", r"Old value = \d+\s+New value = \d+")


stepping_sends_few_packets()
ranges_end_where_they_should()
what_stops_an_instruction_ends_a_range()
a_call_leaves_the_range()
