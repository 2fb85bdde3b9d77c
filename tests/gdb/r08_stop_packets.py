#!/usr/bin/env python3
"""R8: a stop names its thread, its core, its reason if the client knows it, and the registers gdb asks for first."""
# Handlers: ? vCont; qSupported
import re

from _session import Gdb, Packets, live, replay, require, symbols

EXPEDITED = (1, 2, 3, 8, *range(10, 18), 32)


def fields(stop: str) -> dict[str, str]:
    return dict(part.split(":", 1) for part in stop[3:].rstrip(";").split(";"))


def check_place(client: Packets, stop: str) -> None:
    said = fields(stop)
    hart = int(said["core"])
    require(said["thread"] == f"p1.{hart + 1}", f"thread and core differ: {stop}")
    client.ask(f"Hg{said['thread']}")
    for number in EXPEDITED:
        require(said.get(f"{number:x}") == client.ask(f"p{number:x}"), f"register {number} in {stop}")


def each_reason() -> None:
    names = symbols()
    total, limit = names["total"], names["limit"]
    expected = (
        (f"Z0,{names['mix']:x},2", "swbreak:;"), (f"Z1,{names['store']:x},2", "hwbreak:;"),
        (f"Z2,{total:x},8", f"watch:{total:x};"), (f"Z3,{limit:x},4", f"rwatch:{limit:x};"),
        (f"Z4,{total:x},8", f"awatch:{total:x};"), (f"Z0,{names['work']:x},2", "swbreak:;"),
    )
    with replay() as served, Packets(served) as client:
        check_place(client, client.ask("?"))
        harts = set()
        for packet, reason in expected:
            require(client.ask(packet) == "OK", packet)
            for resume in ("vCont;c", "bc"):
                client.go_to("40%")
                stop = client.ask(resume)
                require(stop.startswith(f"T05{reason}thread:"), f"{packet}, {resume}: {stop}")
                check_place(client, stop)
                harts.add(fields(stop)["core"])
            client.ask("z" + packet[1:])
        require(harts == {"0", "1"}, f"stops of harts {harts}")
        check_place(client, client.ask("vCont;s:p1.1"))
        stop = client.ask("vCont;c")
        require(stop.startswith("T05replaylog:end;thread:"), stop)
        check_place(client, stop)


def reasons_are_for_those_who_know_them() -> None:
    names = symbols()
    with replay() as served, Packets(served, "vContSupported+") as client:
        for packet in (f"Z0,{names['mix']:x},2", f"Z1,{names['store']:x},2"):
            client.ask(packet)
            stop = client.ask("vCont;c")
            require(re.match(r"T05thread:[12];core:[01];", stop), f"{packet}: {stop}")
            client.ask("z" + packet[1:])


def gdb_needs_no_second_question() -> None:
    with live() as served, Gdb(served) as gdb:
        gdb.ask("break work")
        gdb.ask("set debug remote 1")
        said = gdb.ask("continue")
        gdb.ask("set debug remote 0")
        require(re.search(r"T05swbreak:;thread:p1\.2;core:1;", said), f"the stop: {said}")
        require('Thread 2 "hart 1" hit Breakpoint' in said, f"gdb takes it for another: {said}")
        require(gdb.value("$pc == (long) &work") == 1, "pc is elsewhere")
        gdb.expect("info threads", r"\* 2 ")


each_reason()
reasons_are_for_those_who_know_them()
gdb_needs_no_second_question()
