#!/usr/bin/env python3
"""R9: harts are threads, with a name, a core and what they do; the hart that caused a stop is the one selected."""
# Handlers: qXfer:threads:read:: qfThreadInfo qsThreadInfo qThreadExtraInfo, qC Hg Hc T
import re
import xml.etree.ElementTree as ElementTree

from _session import Gdb, Packets, live, require, symbols


def harts_are_threads() -> None:
    with live() as served, Gdb(served) as gdb:
        gdb.expect("info threads", r'\* 1 .*"hart 0" \(M-mode, running\).*2 .*"hart 1" \(M-mode, running\)')
        gdb.ask("break work")
        gdb.expect("continue", 'Thread 2 "hart 1" hit Breakpoint')
        gdb.expect("info threads", r"\* 2 .*in (run_)?work.*|\* 2 .*work \(\)")
        require(gdb.value("$mhartid") == 1, "the selected thread is not the stop's hart")
        gdb.ask("thread 1")
        require(gdb.value("$mhartid") == 0, "thread 1 is not hart 0")
        both = gdb.ask("thread apply all -q print $mhartid")
        require(sorted(re.findall(r"= (\d)", both)) == ["0", "1"], f"thread apply all says {both}")
        # Stepping the other hart: the one at the breakpoint has its turns meanwhile.
        gdb.ask("delete")
        before = gdb.value("$pc")
        gdb.ask("stepi")
        require(gdb.value("$mhartid") == 0 and gdb.value("$pc") != before, "thread 1 made no step")


def waiting_harts_say_so() -> None:
    with live() as served, Gdb(served) as gdb:
        gdb.ask("break sleep_for_ever")
        gdb.ask("set var mode = 3")
        gdb.expect("continue", "sleep_for_ever")
        gdb.ask("delete")
        gdb.begin("continue")
        gdb.expect_interrupt()
        gdb.expect("info threads", r'"hart 0" \(M-mode, WFI\).*"hart 1" \(M-mode, WFI\)')


def every_question_about_them() -> None:
    with live(harts=2) as served, Packets(served) as client:
        client.ask(f"Z0,{symbols()['work']:x},2")
        client.ask("vCont;c")
        listed = client.ask("qXfer:threads:read::0,1000")
        require(listed[0] == "l", f"not all at once: {listed}")
        threads = [(thread.get("id"), thread.get("name"), thread.get("core"), thread.text)
                   for thread in ElementTree.fromstring(listed[1:])]
        expected = [(f"p1.{hart + 1}", f"hart {hart}", str(hart), "M-mode, running") for hart in (0, 1)]
        require(threads == expected, f"threads are {threads}")
        require(client.ask("qfThreadInfo") == "mp1.1,p1.2" and client.ask("qsThreadInfo") == "l", "the old list")
        for hart in (0, 1):
            said = bytes.fromhex(client.ask(f"qThreadExtraInfo,p1.{hart + 1}")).decode()
            require(said == f"hart {hart}: M-mode, running", f"of hart {hart}: {said}")
        client.ask(f"z0,{symbols()['work']:x},2")
        client.monitor("edge go")
        require(client.ask("qC") == "QCp1.2", "the stop's thread is not the current one")
        for thread, alive in (("p1.1", True), ("p1.2", True), ("p1.3", False), ("p2.1", False)):
            for packet in (f"T{thread}", f"Hg{thread}", f"Hc{thread}"):
                require(client.ask(packet).startswith("OK" if alive else "E"), packet)
        # Hg is whose registers are meant, Hc who steps.
        mhartid = 66 + 0xF14
        for hart in (0, 1):
            require(client.ask(f"Hgp1.{hart + 1}") == "OK" and client.ask("qC") == f"QCp1.{hart + 1}", "Hg selects not")
            require(client.ask(f"p{mhartid:x}") == f"{hart:02x}" + "00" * 7, "the registers of another hart")
            require(client.ask(f"Hcp1.{hart + 1}") == "OK", "Hc")
            for packet in ("s", "bs"):
                stop = client.ask(packet)
                require(stop.startswith(f"T05thread:p1.{hart + 1};"), f"{packet} of hart {hart}: {stop}")


harts_are_threads()
waiting_harts_say_so()
every_question_about_them()
