#!/usr/bin/env python3
"""R15: forwards, as gdb does it by source, and by each packet that moves; the first action that matches counts."""
# Handlers: vCont; c s C S
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


def each_packet_moves() -> None:
    names = symbols()
    mix, store = names["mix"], names["store"]

    def pc(client: Packets) -> int:
        return int.from_bytes(bytes.fromhex(client.ask("p20")), "little")

    with replay() as served, Packets(served) as client:
        for packet in (f"Z0,{mix:x},2", f"Z0,{store:x},2"):
            client.ask(packet)
        client.ask("vCont;c")
        # At mix, to store, and so on. A breakpoint where one stands stops at once: first a step off it.
        at = mix
        for step, resume in (("s", "c"), ("S05", "C05"), ("vCont;S05:p1.1;c", "vCont;C05:p1.1;c"),
                             ("vCont;s:p1.1;c:p1.-1", "vCont;c:p1.-1"), ("vCont;s:p1;c", "vCont;c:p1")):
            before = client.place()[0]
            require(pc(client) == at, f"not at {at:#x} before {step}")
            client.ask("Hcp1.1")
            require(client.ask(step).startswith("T05thread:p1.1;"), step)
            require(client.place()[0] == before + 1, f"{step} is not one step")
            require(client.ask(resume).startswith("T05swbreak:;"), resume)
            at = store if at == mix else mix
        # The first action that matches: the hart steps, whatever is said of it later.
        before = client.place()[0]
        client.ask("vCont;s:p1.1;c:p1.1;c")
        require(client.place()[0] == before + 1, "the second action counted")
        client.ask("vCont;c;s:p1.1")
        require(client.place()[0] > before + 2, "the second action counted")
        require(client.ask("vCont;t:p1.-1").startswith("T05thread:p1.1;"), "t moves")
    with live() as served, Packets(served) as client:
        # From another address, bit 0 of which is not kept.
        client.ask(f"Z0,{names['run_round']:x},2")
        client.ask("vCont;c")
        client.ask("Hcp1.1")
        require(client.ask(f"c{names['run_round']:x}").startswith("T05swbreak:;"), "a breakpoint there is passed")
        client.ask(f"s{mix + 1:x}")
        require(mix < pc(client) <= mix + 4, "s from an address")
        client.ask(f"S05;{store:x}")
        require(store < pc(client) <= store + 4, "S from an address")


gdb_steps_through_source()
each_packet_moves()
