#!/usr/bin/env python3
"""R33: `k` and vKill end a plain client's session and, with it, the program; an extended client may attach again, or
run a recording from its beginning."""
# Handlers: k vKill; vAttach; vRun; !
from _session import Gdb, Packets, framed, live, replay, require


def ended(client: Packets) -> bool:
    return client.socket.recv(1) == b""


def a_plain_client_ends_it() -> None:
    for packet, answer in ((b"k", b""), (b"vKill;1", b"OK")):
        with live() as served:
            client = Packets(served)
            client.ask("vCont;s:p1.1")
            client.raw(framed(packet))
            # k has no answer.
            require(not answer or client.receive() == answer, f"{packet} is answered otherwise")
            require(ended(client), f"{packet} leaves the connection")
            client.close()
            require(served.finish() == 0, "the status is another one")


def an_extended_client_stays() -> None:
    with replay() as served, Packets(served) as client:
        require(client.ask("!") == "OK", "no extended mode")
        place = client.place()
        require(client.ask("vKill;1") == "OK" and client.place() == place, "vKill takes the session")
        require(client.ask("vAttach;1").startswith("T05thread:p1.1;"), "vAttach does not attach")
        require(client.ask("vAttach;2").startswith("E."), "vAttach to what is not there")
        require(client.place() == place, "it moved")
        client.go_to("50%")
        require(client.ask("vRun;").startswith("T05thread:p1.1;") and client.place() == place, "vRun leads elsewhere")


def gdb_kills() -> None:
    with live() as served, Gdb(served) as gdb:
        gdb.ask("stepi 5")
        gdb.expect("kill", "Inferior 1 .*killed")
        require(served.finish() == 0, "the status is another one")
    with replay() as served, Gdb(served, kind="extended-remote") as gdb:
        gdb.ask("stepi 5")
        gdb.expect("kill", "Inferior 1 .*killed")
        gdb.expect("attach 1", "0x0*10")
        gdb.expect("monitor when", "step ")


a_plain_client_ends_it()
an_extended_client_stays()
gdb_kills()
