#!/usr/bin/env python3
"""R35: gdb loads a program into a live machine before its first instruction, its entry is honoured, and the recording
has it."""
# Handlers: vCont;
import subprocess
import tempfile
from pathlib import Path

from _session import PATIENCE_SECONDS, RETROV, Gdb, Served, gdbs, machine, own_environment, require, symbols


def load_and_run(program: str) -> None:
    # Another program waits in RAM, to be written over.
    board = machine("hello", 2)
    with tempfile.TemporaryDirectory() as folder:
        trace = str(Path(folder) / "trace.rvt")
        arguments = ["record", *board, "-S", "-gdb", "tcp::0", "-o", trace]
        with Served(arguments) as served, Gdb(served, kind="extended-remote", program=program) as gdb:
            require(gdb.value("$pc") == 0x1000, "it has run")
            require("MIS-MATCHED" in gdb.ask("compare-sections"), "it is there already")
            entry = symbols()["_start"]
            gdb.expect("load", f"Start address {entry:#x}".replace("0x", "0x0*"))
            require(gdb.value("$pc") == entry, "the entry is not honoured")
            compared = gdb.ask("compare-sections")
            require("matched" in compared and "MIS-MATCHED" not in compared, compared)
            gdb.ask("set var limit = 2")
            gdb.ask("break pay")
            gdb.expect("continue", "hit Breakpoint 1.*pay")
            require(gdb.value("limit") == 2, "another value")
            # To before it was loaded, and back.
            gdb.ask("delete")
            gdb.ask("monitor goto begin")
            gdb.ask("stepi")
            require("MIS-MATCHED" in gdb.ask("compare-sections"), "it was always there")
            gdb.ask("monitor goto end")
            gdb.ask("stepi")
            require(gdb.function() == "pay", "not where it was")
            # Switched off, the machine forgets it; it can be loaded again.
            gdb.ask("starti")
            require("MIS-MATCHED" in gdb.ask("compare-sections"), "it is not forgotten")
            gdb.ask("load")
            gdb.ask("continue")
            served.wait_console(b"off\n")
            require(b"hello" not in served.console, f"the other program has run: {served.console}")
            gdb.ask("disconnect")
        for branch in ("main", "restart-1"):
            verdict = subprocess.run([RETROV, "verify", "--branch", branch, trace], check=True, text=True,
                                     capture_output=True, timeout=PATIENCE_SECONDS, env=own_environment())
            require("identical" in verdict.stdout, verdict.stdout)


for each in gdbs():
    load_and_run(each)
