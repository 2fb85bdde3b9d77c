#!/usr/bin/env python3
"""R13: devices are looked at without a side effect and written only on request."""
# Handlers: m M monitor:mmio-write
from _session import Gdb, Packets, live, require

UART, LSR = 0x10000000, 0x10000005


def registers_of_devices() -> None:
    with live("debuggee", 1) as served, Packets(served) as client:
        place = client.place()
        # THR empty: looking at it changes nothing.
        require(client.ask(f"m{LSR:x},1") == "60", "LSR reads something else")
        require(client.place() == place, "looking changes something")
        require(client.ask(f"M{UART:x},1:41").startswith("E"), "a device is written without leave")
        require(client.monitor("mmio-write") == "mmio-write off\n", "on from the start")
        client.monitor("mmio-write on")
        require(client.ask(f"M{UART:x},1:41") == "OK", "the UART is not written")
        served.wait_console(b"A")
        for packet in (f"M{UART:x},3:414243", f"M{UART + 0x500:x},1:00", f"M{UART + 2:x},4:00000000"):
            require(client.ask(packet).startswith("E"), f"{packet} is no access")
        # It is history: the register it left is there again.
        scratch = UART + 7
        require(client.ask(f"M{scratch:x},1:5a") == "OK" and client.ask(f"m{scratch:x},1") == "5a", "no scratch")
        there = client.place()
        client.ask("bc")
        require(client.ask(f"m{scratch:x},1") == "00", "it was there at the beginning")
        require(client.ask(f"M{scratch:x},1:00").startswith("E"), "the past is written")
        client.ask("vCont;c")
        require(client.place() == there and client.ask(f"m{scratch:x},1") == "5a", "it replays as something else")
        require(served.console == b"A", "the letter is shown twice")


def gdb_looks_and_writes() -> None:
    with live("debuggee", 1) as served, Gdb(served) as gdb:
        at = gdb.ask("monitor hash")
        gdb.expect(f"x/xb {LSR}", "0x60")
        gdb.expect("x/xw 0x0c000004", "0x00000000")
        require(gdb.ask("monitor hash") == at, "looking changes something")
        gdb.ask(f"set var *(unsigned char *) {UART} = 'A'")
        served.wait_said("not all of that memory is mapped RAM")
        require(served.console == b"", "a device is written without leave")
        gdb.expect("monitor mmio-write on", "mmio-write on")
        gdb.ask(f"set var *(unsigned char *) {UART} = 'B'")
        served.wait_console(b"B")


registers_of_devices()
gdb_looks_and_writes()
