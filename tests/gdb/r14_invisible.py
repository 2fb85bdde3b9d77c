#!/usr/bin/env python3
"""R14: breakpoints are nowhere in the guest: not in its memory, in checksums, in the state or in a recording."""
# Handlers: Z0 Z1 m
import subprocess
import tempfile
from pathlib import Path

from _session import RETROV, Gdb, Packets, Served, live, machine, own_environment, replay, require, symbols


def breakpoints_are_not_in_the_guest() -> None:
    code = symbols()["mix"]
    with replay() as served, Packets(served) as client:
        client.go_to("40%")
        place, text = client.place(), client.ask(f"m{code:x},40")
        require(len(text) == 2 * 0x40, f"no memory: {text}")
        client.go_to("90%")
        later = client.place()
        client.go_to("40%")
        for offset in range(0, 0x40, 2):
            require(client.ask(f"Z0,{code + offset:x},2") == "OK", "no Z0")
            require(client.ask(f"Z1,{code + offset:x},2") == "OK", "no Z1")
        require(client.ask(f"m{code:x},40") == text, "breakpoints are in memory")
        require(client.place() == place, "breakpoints are in the state")
        hits = 0
        while (stop := client.ask("vCont;c")).startswith("T05swbreak:;"):
            hits += 1
            client.ask("vCont;s:p1.1")
        require(hits > 40 and stop.startswith("T05replaylog:end;"), f"{hits} hits, then {stop}")
        client.go_to("90%")
        require(client.place() == later, "breakpoints changed what came after them")


def gdb_leaves_them_set() -> None:
    names = symbols()
    with live() as served, Gdb(served) as gdb:
        gdb.ask("set breakpoint always-inserted on")
        at = gdb.ask("monitor hash")
        code = gdb.ask("x/8xw &mix")
        for name in ("mix", "store", "pay", "factorial", "run_round"):
            gdb.ask(f"break {name}")
            gdb.ask(f"hbreak *{names[name] + 4}")
        gdb.expect("compare-sections .text", "matched")
        gdb.ask("maint flush dcache")
        require(gdb.ask("x/8xw &mix") == code, "breakpoints are in memory")
        require(gdb.ask("monitor hash") == at, "breakpoints are in the state")
        for _ in range(20):
            gdb.expect("continue", "hit Breakpoint")
        gdb.expect("compare-sections .text", "matched")


def they_are_not_recorded() -> None:
    """Two recordings, with and without, differ in nothing that is replayed."""
    with tempfile.TemporaryDirectory() as folder:
        final = []
        for stops in (False, True):
            trace = str(Path(folder) / f"{stops}.rvt")
            arguments = ["record", *machine("debuggee", 2), "-S", "-gdb", "tcp::0", "-o", trace, "--seed", "14",
                         "-rtc", "base=2026-01-01", "--clock", "virtual"]
            with Served(arguments) as served, Gdb(served) as gdb:
                if stops:
                    gdb.ask("break mix")
                    gdb.ask("hbreak store")
                    for _ in range(80):
                        gdb.expect("continue", "hit Breakpoint")
                    gdb.ask("delete")
                gdb.expect("continue", "test finisher: pass")
                gdb.ask("kill")
                served.finish()
            done = subprocess.run([RETROV, "verify", trace], check=True, capture_output=True, text=True,
                                  env=own_environment())
            require("identical" in done.stdout, done.stdout)
            final.append(done.stdout.split("final hash")[1].split()[0])
        require(final[0] == final[1], f"with breakpoints the end is {final[1]}, without {final[0]}")


breakpoints_are_not_in_the_guest()
gdb_leaves_them_set()
they_are_not_recorded()
