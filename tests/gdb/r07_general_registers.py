#!/usr/bin/env python3
"""R7: `g` has what gdb needs for a call, floating-point registers too; CSRs are read and written one by one."""
# Handlers: g G p P
import re

from _session import Gdb, Packets, live, require, symbols

GENERAL = 66  # x0 to x31, pc, f0 to f31 and priv; then fflags, frm and fcsr, which are shorter.
PC, F0, MSCRATCH = 32, 33, 66 + 0x340


def a_call_reads_no_register_by_itself() -> None:
    with live() as served, Gdb(served) as gdb:
        gdb.ask("break run_round if round == 4")
        gdb.ask("continue")
        registers = "info registers"
        before = gdb.ask(registers), gdb.value("$f0"), gdb.value("$fcsr")
        gdb.ask("maint flush register-cache")
        gdb.ask("set debug remote 1")
        said = gdb.ask("print mix(1, 2)")
        gdb.ask("set debug remote 0")
        require("= 13" in said, f"a call: {said}")
        # fN would be 32 packets before the call, and as many after it.
        asked = [int(number, 16) for number in re.findall(r"Sending packet: \$p([0-9a-f]+)#", said)]
        require(not [number for number in asked if number < GENERAL], f"registers read one by one: {asked}")
        require((gdb.ask(registers), gdb.value("$f0"), gdb.value("$fcsr")) == before, "a call changes registers")
        gdb.ask("set var $mscratch = 0x1234567890abcdef")
        gdb.ask("set var $f9 = 2.5")
        gdb.ask("maint flush register-cache")
        gdb.expect("print/x $mscratch", "= 0x1234567890abcdef")
        gdb.expect("print $fs1.double", r"= 2\.5\b")


def g_and_p_agree() -> None:
    with live() as served, Packets(served) as client:
        client.ask(f"Z0,{symbols()['run_round']:x},2")
        client.ask("vCont;c")
        general = client.ask("g")
        require(len(general) == 2 * (GENERAL * 8 + 3 * 4), f"g has {len(general)} digits")
        for number in range(GENERAL):
            one = general[16 * number : 16 * number + 16]
            require(client.ask(f"p{number:x}") == one, f"p{number:x} is not {one}")
        pc = int.from_bytes(bytes.fromhex(general[16 * PC : 16 * PC + 16]), "little")
        require(pc == symbols()["run_round"], "pc is elsewhere")
        # Written whole, with a few that differ, of both kinds.
        def replaced(text: str, number: int, value: int) -> str:
            return text[: 16 * number] + value.to_bytes(8, "little").hex() + text[16 * number + 16 :]

        other = replaced(replaced(general, 6, 0x1122334455667788), F0 + 3, 0x3FF0000000000000)
        require(client.ask("G" + other) == "OK" and client.ask("g") == other, "G does not write")
        require(client.ask("p6") == "8877665544332211", "t1 is not written")
        require(client.ask(f"P{F0 + 3:x}=" + "00" * 8) == "OK", "f3 is not written")
        require(client.ask("P6=" + general[16 * 6 : 16 * 7]) == "OK", "t1 is not written")
        require(client.ask("g") == replaced(general, F0 + 3, 0), "P wrote something else")
        require(client.ask(f"P{MSCRATCH:x}=efcdab9078563412") == "OK", "mscratch is not written")
        require(client.ask(f"p{MSCRATCH:x}") == "efcdab9078563412", "mscratch reads something else")


a_call_reads_no_register_by_itself()
g_and_p_agree()
