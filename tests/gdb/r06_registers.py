#!/usr/bin/env python3
"""R6: gdb knows the machine from its description, and every register that is listed can be read, at any moment."""
# Handlers: qXfer:features:read:target.xml: p g
import re
import xml.etree.ElementTree as ElementTree

from _session import Gdb, Packets, live, replay, require, symbols


def every_listed_register_is_readable() -> None:
    with replay("-g", "50%") as served, Packets(served) as client:
        description = ""
        while True:
            part = client.ask(f"qXfer:features:read:target.xml:{len(description):x},400")
            description += part[1:]
            if part[0] == "l":
                break
        tree = ElementTree.fromstring(description)
        require(tree.findtext("architecture") == "riscv:rv64", "another architecture")
        require(tree.findtext("osabi") == "none", "gdb would assume Linux programs")
        registers = {register.get("name"): register for register in tree.iter("reg")}
        for name in ("zero", "sp", "pc", "ft11", "fcsr", "priv", "mstatus", "satp", "mcause", "stimecmp", "pmpaddr15"):
            require(name in registers, f"{name} is not described")
        for name, register in registers.items():
            number = int(register.get("regnum"))
            value = client.ask(f"p{number:x}")
            digits = int(register.get("bitsize")) // 4
            require(re.fullmatch(f"(xx|[0-9a-f]{{2}}){{{digits // 2}}}", value), f"{name} reads {value!r}")
        require(int(registers["priv"].get("regnum")) == 65, "priv has another number")
        require(int(registers["satp"].get("regnum")) == 66 + 0x180, "satp has another number")
        # x0-x31, pc, f0-f31 and priv at 8 bytes each, then fflags, frm and fcsr at 4: gdb wants numbers without a gap.
        require(len(client.ask("g")) == 2 * (66 * 8 + 3 * 4), "g has another size")
        stop = client.ask("?")
        require(re.match(r"T05thread:p1\.[12];core:[01];", stop), f"? says {stop}")
        for number in (1, 2, 3, 8, *range(10, 18), 32):
            require(re.search(f";{number:x}:[0-9a-f]{{16}};", stop), f"register {number} is not in {stop}")


def info_registers_shows_all() -> None:
    with live() as served, Gdb(served) as gdb:
        gdb.ask("break run_round")
        gdb.ask("continue")
        shown = gdb.ask("info registers all")
        for name in ("zero", "pc", "fa0", "fcsr", "mstatus", "mie", "time", "pmpaddr15", "priv"):
            require(re.search(f"^{name} ", shown, re.MULTILINE), f"`info registers all` has no {name}")
        require("rror" not in shown and "ould not" not in shown, f"not all are readable: {shown}")
        require(gdb.value("$a0") == 0 and gdb.value("$pc") == gdb.value("&run_round"), "a0 or pc is wrong")
        require(gdb.value("$mtvec") == gdb.value("&on_timer"), "mtvec is wrong")
        require(gdb.value("$mhartid") == 0 and gdb.value("$priv") == 3, "mhartid or priv is wrong")
        gdb.expect("info frame", "called by frame at")
        # A value computed by the guest's FPU, in memory and in a register.
        gdb.ask("continue")
        gdb.expect("print ratio", r"= 0\.25")


every_listed_register_is_readable()
info_registers_shows_all()
