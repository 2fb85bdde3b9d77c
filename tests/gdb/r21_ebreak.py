#!/usr/bin/env python3
"""R21: an ebreak of the guest stops, or is the guest's, as `monitor ebreak` says; forwards and backwards."""
# Handlers: monitor:ebreak
from _session import Gdb, Packets, live, require, symbols

EBREAK = "73001000"
MCAUSE = 66 + 0x342


def an_ebreak_in_m_mode_is_the_debuggers() -> None:
    with live() as served, Gdb(served) as gdb:
        gdb.expect("monitor ebreak", "ebreak stop m, guest s, guest u")
        gdb.ask("set var *(int *) &pay = 0x00100073")
        gdb.expect("continue", r"SIGTRAP.*\bpay\b")
        first = gdb.step_number()
        require(gdb.value("$pc == (long) &pay") == 1, "not at the ebreak")
        require(gdb.value("$mcause") == 0, "it has trapped already")
        # Going on gives it to the guest, whose handler of interrupts comes back to it.
        gdb.expect("continue", r"SIGTRAP.*\bpay\b")
        second = gdb.step_number()
        require(second > first and gdb.value("$mcause") == 3, "the guest did not get it")
        gdb.expect("reverse-continue", r"SIGTRAP.*\bpay\b")
        require(gdb.step_number() == first, "backwards the ebreak is elsewhere")
        gdb.expect("continue", r"SIGTRAP.*\bpay\b")
        require(gdb.step_number() == second, "forward again it is elsewhere")
        # A step takes the trap.
        gdb.ask("stepi")
        require(gdb.function() == "on_timer", f"a step leads to {gdb.function()}")


def each_mode_is_asked_by_itself() -> None:
    with live() as served, Packets(served) as client:
        require(client.monitor("ebreak guest m") == "ebreak guest m, guest s, guest u\n", "not for m")
        require(client.monitor("ebreak stop") == "ebreak stop m, stop s, stop u\n", "not for all")
        require(client.monitor("ebreak guest s") == "ebreak stop m, guest s, stop u\n", "not for s")
        client.ask("qRcmd," + b"ebreak never".hex())
        require("usage" in client.printed, "nonsense is taken")
        client.monitor("ebreak guest")
        pay, handler = symbols()["pay"], symbols()["on_timer"]
        require(client.ask(f"M{pay:x},4:{EBREAK}") == "OK", "no ebreak is written")
        client.ask(f"Z0,{pay:x},4")
        require(client.ask("vCont;c").startswith("T05swbreak"), "it does not come to the ebreak")
        client.ask(f"z0,{pay:x},4")
        client.ask("vCont;s:p1.1")
        require(client.ask("p20") == handler.to_bytes(8, "little").hex(), "the guest does not get its ebreak")
        require(client.ask(f"p{MCAUSE:x}") == "0300000000000000", "another cause")
        # A session that comes later finds the setting, as it finds the machine.
        require(client.monitor("ebreak").startswith("ebreak guest m"), "the setting is forgotten")


an_ebreak_in_m_mode_is_the_debuggers()
each_mode_is_asked_by_itself()
