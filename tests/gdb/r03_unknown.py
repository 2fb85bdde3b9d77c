#!/usr/bin/env python3
"""R3: what no row knows is answered empty, what cannot be done with a sentence, or a number where gdb wants one."""
# Handlers: qSupported qXfer:features:read: qXfer:threads:read: m qRcmd,
from _session import Gdb, Packets, live, require

UNKNOWN = (
    "vMustReplyEmpty", "vFile:open:00,0,0", "vNonsense", "qNonsense", "qTStatus", "qOffsets", "qXfer:auxv:read::0,100",
    "qXfer:memory-map:read::0,100", "QNonStop:1", "QPassSignals:e", "QTDP:1", "qbtrace", "_", "i", "t", "b", "be", "J",
)


def gdb_sees_them() -> None:
    with live() as served, Gdb(served) as gdb:
        for packet in ("qNonsense", "vMustReplyEmpty", "QNonStop:1"):
            gdb.expect(f"maint packet {packet}", 'received: ""')
        gdb.expect("maint packet m0,4", r'received: "E(01|\.nothing can be read at 0x0)"')
        gdb.expect("x/x 0", "Cannot access memory at address 0x0")
        gdb.expect("monitor nonsense", "unknown command 'nonsense'")
        # And nothing of that ends the session.
        gdb.expect("stepi", "0x0000000000001004")


def errors_are_as_the_client_wants_them() -> None:
    with live() as served:
        with Packets(served) as client:
            for packet in UNKNOWN:
                require(client.ask(packet) == "", f"{packet} is not answered empty")
            # A client of before gdb 16 would take text for data, and finds out about parts by asking for them.
            for packet in ("m0,4", "x0,4", "qCRC:0,4"):
                require(client.ask(packet) == "E01", f"{packet} is answered {client.ask(packet)}")
            for packet in ("qXfer:features:read:other.xml:0,100", "qXfer:threads:read:other:0,100"):
                require(client.ask(packet) == "E00", f"{packet} is answered {client.ask(packet)}")
            require("error-message" not in client.offered, "offered to who does not know it")
            # Where it wants no data it is told.
            require(client.ask("P0=0000000000000001").startswith("E."), "no sentence for P")
            require("unknown command" in client.monitor("nonsense"), "no sentence for monitor")
        with Packets(served, "multiprocess+;error-message+") as client:
            require("error-message+" in client.offered, "error-message+ is not taken")
            require(client.ask("m0,4") == "E.nothing can be read at 0x0", f"m0,4: {client.ask('m0,4')}")
            nonsense = client.ask("qRcmd," + b"nonsense".hex())
            require(nonsense.startswith("E.unknown command 'nonsense'"), f"monitor nonsense: {nonsense}")


gdb_sees_them()
errors_are_as_the_client_wants_them()
