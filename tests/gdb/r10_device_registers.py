#!/usr/bin/env python3
"""R10 to R13, R16: what can be read and written, as much of it as there is, and devices only on request."""
from _session import Gdb, Packets, live, replay, require, symbols

UART, LSR = 0x10000000, 0x10000005


def reads_end_where_memory_does() -> None:
    end = 0x80000000 + (64 << 20)
    with live() as served, Packets(served) as client:
        require(client.ask(f"m{end - 4:x},10") == "00" * 4, "not the readable beginning")
        require(client.ask(f"x{end - 4:x},10") == "b" + "\0" * 4, "x: not the readable beginning")
        require(client.ask(f"m{end:x},4").startswith("E"), "what is not there can be read")
        before = client.ask(f"m{end - 8:x},8")
        for packet in (f"M{end - 4:x},8:" + "11" * 8, f"X{end - 4:x},8:" + "\x11" * 8, f"M{end:x},1:11"):
            require(client.ask(packet).startswith("E"), f"{packet[:20]} is taken")
        require(client.ask(f"m{end - 8:x},8") == before, "half of a write is made")
        require(client.ask(f"qSearch:memory:{end - 16:x};100;zz").startswith("E"), "a search beyond the end")
        require(client.ask(f"qCRC:{end - 16:x},100").startswith("E"), "a checksum beyond the end")


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


def csrs_are_written_by_their_rules() -> None:
    with live("debuggee", 2) as served, Gdb(served) as gdb:
        gdb.ask("set var $mscratch = 0x1234")
        require(gdb.value("$mscratch") == 0x1234, "mscratch is not written")
        gdb.ask("thread 2")
        require(gdb.value("$mscratch") == 0, "the other hart's is")
        gdb.ask("set var $satp = 0xf000000000000001")
        require(gdb.value("$satp") == 0, "a mode that does not exist is kept")
        gdb.expect("set var $mhartid = 7", "read-only|E01|[Cc]ould not write")
        require(gdb.value("$mhartid") == 1, "mhartid is written")


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


reads_end_where_memory_does()
registers_of_devices()
csrs_are_written_by_their_rules()
breakpoints_may_be_checked()
