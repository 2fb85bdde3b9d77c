#!/usr/bin/env python3
"""R16: Z0 to Z4, as many as one likes, are a set: set twice and removed once, a stop is gone; where nothing is mapped
they wait, unless one asks for a check."""
# Handlers: Z0 Z1 Z2 Z3 Z4 z0 z1 z2 z3 z4 monitor:break-check monitor:break-space
from _session import NO_MORE, Gdb, Packets, live, replay, require, symbols


def each_kind_is_a_set() -> None:
    names = symbols()
    total, limit, mix = names["total"], names["limit"], names["mix"]
    # The kind of a breakpoint is no part of its name, the length of a watchpoint is.
    cases = (
        ("0", f"{mix:x},2", f"{mix:x},4", "T05swbreak:;"), ("1", f"{mix:x},2", f"{mix:x},4", "T05hwbreak:;"),
        ("2", f"{total:x},8", f"{total:x},8", f"T05watch:{total:x};"),
        ("3", f"{limit:x},4", f"{limit:x},4", f"T05rwatch:{limit:x};"),
        ("4", f"{total:x},8", f"{total:x},8", f"T05awatch:{total:x};"),
    )
    with replay() as served, Packets(served) as client:
        for kind, first, second, stop in cases:
            client.go_to("begin")
            for place in (first, second):
                require(client.ask(f"Z{kind},{place}") == "OK", f"Z{kind},{place}")
            require(client.ask("vCont;c").startswith(stop), f"Z{kind} does not stop")
            require(client.ask(f"z{kind},{second}") == "OK", f"z{kind}")
            client.go_to("begin")
            require(client.ask("vCont;c").startswith("T05replaylog:end;"), f"z{kind} leaves one of two")
            # What is not there is removed without complaint.
            require(client.ask(f"z{kind},{second}") == "OK", f"z{kind} of nothing")
        client.go_to("begin")
        for place in (f"{total:x},8", f"{total:x},4"):
            client.ask(f"Z2,{place}")
        client.ask(f"z2,{total:x},8")
        require(client.ask("vCont;c").startswith(f"T05watch:{total:x};"), "a watch of another length is removed, too")
        # Those of one kind are no others'.
        for removed in "0134":
            client.ask(f"z{removed},{total:x},4")
        client.go_to("begin")
        require(client.ask("vCont;c").startswith(f"T05watch:{total:x};"), "another kind removes it")


def as_many_as_one_likes() -> None:
    names = symbols()
    with live() as served, Gdb(served) as gdb:
        for offset in range(0, 600, 2):
            gdb.ask(f"hbreak *{names['pay'] + 0x1000 + offset}")
        for index in range(60):
            gdb.expect(f"watch *(char *) {0x82000000 + 8 * index}", "Hardware watchpoint")
        gdb.expect("rwatch limit", "Hardware read watchpoint")
        gdb.expect("watch -location *(char (*)[100000]) 0x82100000", "Hardware watchpoint|Watchpoint")
        gdb.ask("hbreak run_round if round == 5")
        gdb.expect("continue", "Hardware read watchpoint.*limit")
        gdb.ask("delete 361")
        gdb.expect("continue", "round=round@entry=5")
        gdb.ask("delete")
        gdb.expect("continue", NO_MORE)


def where_nothing_is_mapped() -> None:
    with replay() as served, Packets(served) as client:
        for kind in "01234":
            require(client.ask(f"Z{kind},ffffffff80001000,4") == "OK", f"Z{kind} where nothing is mapped")
        require(client.ask("vCont;c").startswith("T05replaylog:end;"), "one of them stops")


def breakpoints_may_be_checked() -> None:
    with replay() as served, Packets(served) as client:
        nowhere = 0x4000_0000_0000
        require(client.ask(f"Z0,{nowhere:x},4") == "OK", "a breakpoint that is not mapped yet is refused")
        require(client.monitor("break-check on") == "break-check on\n", "not on")
        for packet in (f"Z0,{nowhere:x},4", f"Z1,{nowhere:x},4"):
            require(client.ask(packet).startswith("E.nothing is mapped at 0x400000000000"), packet)
        require(client.ask(f"Z0,{symbols()['mix']:x},4") == "OK", "one that is mapped is refused")
        require(client.monitor("break-space current") == "break-space current\n", "not current")
        require(client.monitor("break-space any") == "break-space any\n", "not any")


each_kind_is_a_set()
as_many_as_one_likes()
where_nothing_is_mapped()
breakpoints_may_be_checked()
