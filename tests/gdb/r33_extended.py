#!/usr/bin/env python3
"""R33: an extended client runs a recording again, from its beginning, and switches a live guest off and on."""
# Handlers: ! R vRun;
import re
import subprocess
import tempfile
from pathlib import Path

from _session import PATIENCE_SECONDS, RETROV, Gdb, Packets, Served, framed, gdbs, live, machine
from _session import own_environment, replay, require, symbols


def run_goes_to_the_beginning() -> None:
    with replay() as served, Gdb(served, kind="extended-remote") as gdb:
        gdb.ask("break store if value == 72")
        gdb.expect("continue", "hit Breakpoint.*store")
        at = gdb.step_number()
        gdb.ask("tbreak mix")
        gdb.expect("run", "hit Temporary breakpoint.*mix")
        require(gdb.step_number() < at, "run goes on from where it was")
        gdb.expect("continue", "hit Breakpoint.*store")
        require(gdb.step_number() == at, "another run")
        gdb.ask("kill")
        gdb.expect("info threads", "No threads")
        gdb.expect("continue", "not being run")
        gdb.ask("tbreak mix")
        gdb.expect("run", "hit Temporary breakpoint.*mix")
        gdb.ask("disconnect")


def a_live_guest_is_switched_off_and_on(program: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        trace = str(Path(folder) / "trace.rvt")
        arguments = ["record", *machine("debuggee", 2), "-S", "-gdb", "tcp::0", "-o", trace]
        with Served(arguments) as served, Gdb(served, kind="extended-remote", program=program) as gdb:
            # The first run is the one that waits.
            gdb.ask("break store if value == 72")
            gdb.expect("run", "hit Breakpoint.*store")
            require("* main" in gdb.ask("monitor branches"), "another line")
            at, total = gdb.step_number(), gdb.value("total")
            gdb.expect("start", "hit Temporary breakpoint.*main")
            require(gdb.value("total") == 0 and gdb.step_number() < at, "not from power-on")
            served.wait_said("this is restart-1; what was before is in main")
            gdb.expect("continue", "hit Breakpoint.*store")
            # Nothing is typed and the entropy is not asked for: it comes there again.
            require(gdb.step_number() == at and gdb.value("total") == total, "another run")
            # Backwards one comes to its power-on, not to the run before.
            gdb.expect("reverse-continue", "")
            require(gdb.step_number() == 0, "not its beginning")
            # From the past, and after a kill.
            gdb.expect("run", "hit Breakpoint.*store")
            gdb.ask("kill")
            gdb.ask("delete")
            gdb.ask("run")
            served.wait_console(b"off\n")
            require(served.console.count(b"off\n") == 1, f"more than one end: {served.console}")
            # A guest that has powered off runs again.
            gdb.ask("tbreak mix")
            gdb.expect("run", "hit Temporary breakpoint.*mix")
            branches = gdb.ask("monitor branches")
            require(len(re.findall("live", branches)) == 5 and "* restart-4" in branches, branches)
            # The first one is still there.
            gdb.ask("monitor switch main")
            gdb.ask("stepi")
            require(gdb.step_number() == at and gdb.value("total") == total, "main is gone")
            gdb.ask("disconnect")
        for branch in ("main", "restart-1", "restart-2", "restart-3", "restart-4"):
            verdict = subprocess.run([RETROV, "verify", "--branch", branch, trace], check=True, text=True,
                                     capture_output=True, timeout=PATIENCE_SECONDS, env=own_environment())
            require("identical" in verdict.stdout, verdict.stdout)


def the_old_packet() -> None:
    with live() as served, Packets(served) as client:
        require(client.ask("!") == "OK", "no extended mode")
        start = client.place()
        client.ask(f"Z0,{symbols()['main']:x},2")
        require(client.ask("vCont;c").startswith("T05"), "no stop")
        require(client.place() != start, "it does not run")
        client.raw(framed(b"R00"))
        # No answer, so the next one is that of the next question.
        require(client.ask("?").startswith("T05thread:"), "no stop")
        here = client.place()
        require(here == start, f"{here} is not {start}")
        require(client.ask("vCont;c").startswith("T05"), "it does not run")


def the_packet_itself() -> None:
    """gdb falls back to the older one, so it cannot show that this one is answered."""
    with live() as served, Packets(served) as client:
        require(client.ask("!") == "OK", "no extended mode")
        start = client.place()
        client.ask(f"Z0,{symbols()['main']:x},2")
        require(client.ask("vCont;c").startswith("T05"), "no stop")
        require(client.ask("vKill;1") == "OK", "no kill")
        seen = [client.ask(packet) for packet in ("qfThreadInfo", "qC", "?")]
        require(seen == ["l", "", "W00"], f"who is killed is there: {seen}")
        require(client.ask("vRun;").startswith("T05"), "it is not run")
        require(client.ask("qfThreadInfo") == "mp1.1,p1.2", "there are no threads")
        require(client.place() == start, "not from power-on")


def without_history() -> None:
    with live("debuggee", 2, "--record", "off") as served, Gdb(served, kind="extended-remote") as gdb:
        gdb.ask("break mix")
        gdb.expect("run", "hit Breakpoint")
        gdb.expect("continue", "hit Breakpoint")
        at = gdb.step_number()
        gdb.expect("run", "hit Breakpoint")
        require(gdb.step_number() < at, "not from power-on")


run_goes_to_the_beginning()
for each in gdbs():
    a_live_guest_is_switched_off_and_on(each)
the_old_packet()
the_packet_itself()
without_history()
