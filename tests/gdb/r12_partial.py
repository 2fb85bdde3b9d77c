#!/usr/bin/env python3
"""R12: a read gives what is there before memory ends; a write is made whole or not at all."""
# Handlers: m x M X qSearch:memory: qCRC:
from _session import Gdb, Packets, live, require


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


def gdb_is_told() -> None:
    end = 0x80000000 + (64 << 20)
    with live() as served, Gdb(served) as gdb:
        nothing = f"Cannot access memory at address {end:#x}"
        gdb.expect(f"x/4xw {end - 8}", rf"{end - 8:#x}:\s+0x00000000\s+0x00000000.*{nothing}")
        gdb.ask(f"set var *(long *) {end - 4} = -1")
        served.wait_said("not all of that memory is mapped RAM")
        gdb.expect(f"x/xw {end - 4}", "0x00000000")
        gdb.expect(f"set var *(int *) {end} = 1", nothing)
        gdb.expect(f"find /w {end - 64}, +128, 77", "Unable to access|Cannot access|Pattern not found")


reads_end_where_memory_does()
gdb_is_told()
