#!/usr/bin/env python3
"""R10: what is written to a CSR is kept as far as the guest's own write would be, and on that hart alone."""
# Handlers: P p
from _session import Gdb, Packets, live, require, symbols


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


def registers_are_written_as_the_guest_writes_them() -> None:
    with live() as served, Packets(served) as client:
        require(client.ask("P5=8877665544332211") == "OK", "t0 is not written")
        require(client.ask("p5") == "8877665544332211", "t0 reads something else")
        require(client.ask("P0=0100000000000000").startswith("E"), "x0 is written")
        mhartid = 66 + 0xF14
        require(client.ask(f"P{mhartid:x}=0100000000000000").startswith("E"), "a read-only CSR is written")
        mtvec = 66 + 0x305
        require(client.ask(f"P{mtvec:x}=0600008000000000") == "OK", "mtvec is not written")
        require(client.ask(f"p{mtvec:x}") != "0600008000000000", "mtvec keeps a reserved mode")
        require(client.ask(f"P20={(symbols()['spin'] + 1).to_bytes(8, 'little').hex()}") == "OK", "pc is not written")
        require(client.ask("p20") == symbols()["spin"].to_bytes(8, "little").hex(), "pc is odd")


csrs_are_written_by_their_rules()
registers_are_written_as_the_guest_writes_them()
