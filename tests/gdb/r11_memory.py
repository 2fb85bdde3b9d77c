#!/usr/bin/env python3
"""R11: memory is read, written, searched and summed up through the selected hart's translation, as the debugger and
without a trace of it; or by physical address."""
# Handlers: m M x X qSearch:memory: qCRC: qqemu.Supported qqemu.PhyMemMode Qqemu.PhyMemMode: monitor:phys
import os
import tempfile
from pathlib import Path

from _session import Gdb, Packets, live, replay, require, symbols

ROOT_TABLE, RAM, WINDOW = 0x83000000, 0x80000000, 0x40000000
SATP = 66 + 0x180
PRIV = 65
VALID, READ, EXECUTE, USER = 1, 2, 8, 16


def little(value: int) -> str:
    return value.to_bytes(8, "little").hex()


def gdb_reads_and_writes() -> None:
    with live() as served, Gdb(served) as gdb:
        gdb.expect("compare-sections .text", "matched")
        gdb.ask("break run_round if round == 20")
        gdb.ask("continue")
        gdb.ask("delete")
        gdb.expect("print account", r"owner = 7, balance = \d+")
        gdb.ask("set var table = {1, 2, 3, 4, 5, 6, 7, 8}")
        gdb.expect("print table", "{1, 2, 3, 4, 5, 6, 7, 8}")
        gdb.expect("find /w &table, +sizeof(table), 5", "<table[+]16>.*1 pattern found")
        gdb.expect('find 0x80000000, +0x10000, \'r\', \'o\', \'u\', \'n\', \'d\', \'s\'', "1 pattern found")
        gdb.expect("find /w &table, +sizeof(table), 99", "Pattern not found")
        with tempfile.TemporaryDirectory() as folder:
            dumped = Path(folder) / "ram.bin"
            gdb.ask(f"dump binary memory {dumped} 0x80000000 0x80100000")
            require(dumped.stat().st_size == 1 << 20, "a dump of another size")
            content = dumped.read_bytes()
            at = symbols()["table"] - RAM
            require(content[at : at + 8] == bytes([1, 0, 0, 0, 2, 0, 0, 0]), "the dump has something else")
            filled = Path(folder) / "fill.bin"
            filled.write_bytes(os.urandom(300_000))
            gdb.ask(f"restore {filled} binary 0x82000000")
            again = Path(folder) / "again.bin"
            gdb.ask(f"dump binary memory {again} 0x82000000 0x82000000+300000")
            require(again.read_bytes() == filled.read_bytes(), "what was restored reads differently")
        # Code is changed like data; the sections differ then.
        gdb.ask("set var *(int *) &mix = 0")
        gdb.expect("compare-sections .text", "MIS-MATCHED")


def packets_agree() -> None:
    text = b"rounds done\n"
    with replay() as served, Packets(served) as client:
        place = client.place()
        found = client.ask(b"qSearch:memory:80000000;10000;" + text)
        require(found.startswith("1,"), f"the text is not found: {found}")
        at = int(found[2:], 16)
        require(bytes.fromhex(client.ask(f"m{at:x},{len(text):x}")) == text, "m reads something else")
        require(client.ask(f"x{at:x},{len(text):x}").encode("latin-1") == b"b" + text, "x reads something else")
        # CRC-32 as gdb computes it: most significant bit first, all ones before, not inverted after.
        crc = 0xFFFFFFFF
        for byte in text:
            crc ^= byte << 24
            for _ in range(8):
                crc = (crc << 1 ^ 0x04C11DB7 if crc >> 31 else crc << 1) & 0xFFFFFFFF
        require(client.ask(f"qCRC:{at:x},{len(text):x}") == f"C{crc:x}", "another checksum")
        require(client.place() == place, "reading changes something")
    with live() as served, Packets(served) as client:
        data = bytes([0, 1, 0x23, 0x24, 0x7D, 0x2A, 0xFF, 3])
        escaped = b"".join(b"}" + bytes([b ^ 0x20]) if b in b"#$}*" else bytes([b]) for b in data)
        require(client.ask(f"X82000000,{len(data):x}:".encode() + escaped) == "OK", "X does not write")
        require(client.ask(f"m82000000,{len(data):x}") == data.hex(), "X wrote something else")
        require(client.ask("M82000002,2:beef") == "OK", "M does not write")
        require(client.ask("m82000000,8") == (data[:2] + b"\xbe\xef" + data[4:]).hex(), "M wrote something else")


def translation_is_the_selected_harts() -> None:
    """Hart 0 in S-mode with pages, hart 1 in M-mode without. A and D are clear, one page is the user's alone."""
    limit = symbols()["limit"]
    there = limit - RAM + WINDOW
    with live() as served, Packets(served) as client:
        pages = {1: RAM, 2: RAM, 3: RAM}
        flags = {1: VALID | READ, 2: VALID | READ | EXECUTE, 3: VALID | EXECUTE | READ | USER}
        for index, to in pages.items():
            entry = to >> 12 << 10 | flags[index]
            require(client.ask(f"M{ROOT_TABLE + 8 * index:x},8:{little(entry)}") == "OK", "no table")
        client.ask("Hgp1.1")
        require(client.ask(f"P{SATP:x}={little(8 << 60 | ROOT_TABLE >> 12)}") == "OK", "no satp")
        require(client.ask(f"P{PRIV:x}={little(1)}") == "OK", "no S-mode")
        place, table = client.place(), client.ask(f"m{ROOT_TABLE - RAM + 2 * (1 << 30):x},20")
        for window in (WINDOW, 3 << 30):
            at = limit - RAM + window
            require(client.ask(f"m{at:x},4") == "03000000", f"{at:#x} is not translated")
        require(client.ask(f"qSearch:memory:{there:x};8;\x03\0") == f"1,{there:x}", "qSearch is not translated")
        require(client.ask(f"qCRC:{there:x},4") == client.ask(f"qCRC:{limit:x},4"), "qCRC is not translated")
        require(client.ask("m0,4") == "E01", "what is not mapped can be read")
        require(client.place() == place and table == client.ask(f"m{ROOT_TABLE:x},20"), "reading leaves a trace")
        # The other hart's addresses are physical ones.
        client.ask("Hgp1.2")
        require(client.ask(f"m{there:x},4") == "E01", "hart 1 reads through hart 0's pages")
        client.ask("Hgp1.1")
        # Physical ones on request, in both ways to say it.
        require("PhyMemMode" in client.ask("qqemu.Supported"), "PhyMemMode is not offered")
        require(client.ask("qqemu.PhyMemMode") == "0", "physical from the start")
        require(client.ask("Qqemu.PhyMemMode:1") == "OK" and client.ask("qqemu.PhyMemMode") == "1", "not physical")
        require(client.ask(f"m{there:x},4") == "E01" and client.ask(f"m{limit:x},4") == "03000000", "still translated")
        require(client.monitor("phys") == "phys on\n", "monitor says something else")
        require(client.monitor("phys off") == "phys off\n", "not off")
        require(client.ask("qqemu.PhyMemMode") == "0" and client.ask(f"m{there:x},4") == "03000000", "still physical")


gdb_reads_and_writes()
packets_agree()
translation_is_the_selected_harts()
