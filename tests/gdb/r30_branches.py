#!/usr/bin/env python3
"""R30: in the past gdb writes to a throw-away copy, or lives on in a branch; what was recorded stays as it was."""
# Handlers: monitor:fork monitor:switch monitor:scratch monitor:branches
import os
import re
import subprocess
import tempfile
from pathlib import Path

from _session import (
    NO_MORE, RETROV, Gdb, Packets, Served, live, machine, own_environment, recording, replay, require, symbols,
)

FLUSH = ("maint flush register-cache", "maint flush dcache")


def place(gdb: Gdb) -> tuple[int, str]:
    return gdb.step_number(), gdb.ask("monitor hash")


def stop_in_round(gdb: Gdb, number: int) -> None:
    gdb.ask(f"tbreak run_round if round == {number}")
    gdb.expect("continue", f"round=round@entry={number}")


def done(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([RETROV, *arguments], check=True, capture_output=True, text=True, env=own_environment())


def run(*arguments: str) -> str:
    return done(*arguments).stdout


def said(*arguments: str) -> str:
    return done(*arguments).stderr


def a_throw_away_copy_leaves_nothing_behind(served: Served) -> None:
    with Gdb(served) as gdb:
        stop_in_round(gdb, 30)
        gdb.ask("tbreak run_round")
        gdb.expect("reverse-continue", "round=round@entry=29")
        here = place(gdb)
        total = gdb.value("total")
        gdb.expect("monitor scratch", "scratch off")
        gdb.expect("monitor scratch on", "scratch on")
        require("scratch" not in gdb.ask("monitor when"), "a copy before anything is written")
        require(gdb.value("mix(1, 2)") == 13, "a call computes something else")
        gdb.expect("monitor when", rf"scratch@{here[0]:,}\+[\d,]+  step ")
        gdb.ask("set var total = 77")
        gdb.ask("set var $a0 = 78")
        require(gdb.value("total") == 77 and gdb.value("$a0") == 78, "nothing is written")
        served.wait_console(b"start\n")
        printed = served.console
        gdb.ask("call put_char('!')")
        served.wait_console(printed + b"!")
        require(served.console == printed + b"!", "what a copy says is not shown")

        # Off: at once where it was.
        gdb.expect("monitor scratch off", "maint flush")
        require(place(gdb) == here, "scratch off leaves something behind")
        for command in FLUSH:
            gdb.ask(command)
        require(gdb.value("total") == total, "the past has changed")
        gdb.ask("set var total = 77")
        for command in FLUSH:
            gdb.ask(command)
        require(gdb.value("total") == total, "the past is written to without scratch")

        # Backwards from where the copy was made, and there again.
        gdb.ask("monitor scratch on")
        require(gdb.value("factorial(5)") == 120, "a call computes something else")
        with tempfile.TemporaryDirectory() as folder:
            gdb.expect(f"monitor export {folder}/copy.rvt", "this is a throw-away copy")
            require(not list(Path(folder).iterdir()), "a file is left where nothing was exported")
        gdb.ask("stepi 20")
        gdb.ask("reverse-stepi")
        require(gdb.step_number() < here[0] and "scratch" not in gdb.ask("monitor when"), "the copy is still there")
        gdb.ask("stepi")
        require(place(gdb) == here, "a step back leaves something behind")
        # In the copy a run goes its own way.
        gdb.ask("set var round = 35")
        gdb.ask("set var account.balance = -1000000")
        gdb.ask("tbreak pay")
        gdb.expect("continue", "pay ")
        require(gdb.value("account.balance") == -1000000, "the copy forgets")
        gdb.ask(f"monitor goto {here[0]}")
        gdb.ask("stepi")
        require(place(gdb) == here and gdb.value("account.balance") > 0, "goto leaves something behind")
        gdb.ask("set var total = 77")
        gdb.ask("tbreak run_round")
        gdb.expect("reverse-continue", "round=round@entry=28")
        gdb.expect("monitor when", r"^step")
        # Who leaves takes the copy and the mode along.
        gdb.ask(f"monitor goto {here[0]}")
        gdb.ask("stepi")
        gdb.ask("set var total = 77")
        gdb.expect("monitor when", "scratch@")
    with Gdb(served) as gdb:
        require(place(gdb) == here, "gdb's end leaves something behind")
        gdb.expect("monitor scratch", "scratch off")


def scratch_in_a_replay_and_live() -> None:
    with replay() as served:
        a_throw_away_copy_leaves_nothing_behind(served)
    with live() as served:
        a_throw_away_copy_leaves_nothing_behind(served)


def scratch_at_the_end_of_a_replay() -> None:
    with tempfile.TemporaryDirectory() as folder:
        trace = str(Path(folder) / "cut.rvt")
        arguments = ["record", *machine("debuggee", 2), "-S", "-gdb", "tcp::0", "-o", trace]
        with Served(arguments) as served, Gdb(served) as gdb:
            stop_in_round(gdb, 5)
            gdb.ask("kill")
            served.finish()
        with Served(["replay", "-s", "0", "-e", trace]) as served, Gdb(served) as gdb:
            end = place(gdb)
            gdb.ask("monitor scratch on")
            require(gdb.value("mix(1, 2)") == 13, "no call at the end of a replay")
            gdb.ask("tbreak run_round")
            gdb.expect("continue", "round=round@entry=6")
            gdb.ask("monitor goto end")
            gdb.ask("stepi")
            require(place(gdb) == end, "the end has moved")
            gdb.expect("continue", NO_MORE)


def a_branch_of_a_recording_is_in_its_trace() -> None:
    with tempfile.TemporaryDirectory() as folder:
        trace = str(Path(folder) / "branched.rvt")
        arguments = ["record", *machine("debuggee", 2), "-S", "-gdb", "tcp::0", "-o", trace]
        with Served(arguments) as served, Gdb(served) as gdb:
            stop_in_round(gdb, 30)
            main_end = place(gdb)
            gdb.ask("tbreak run_round if round == 10")
            gdb.expect("reverse-continue", "round=round@entry=10")
            here = place(gdb)
            gdb.ask("set var total = 1000000")
            served.wait_said("the past is read-only; `monitor fork` .*`monitor scratch on`")
            gdb.expect("monitor fork fix", rf"branch fix leaves main at step {here[0]:,}")
            require(place(gdb) == here, "a fork moves")
            gdb.expect("monitor when", rf"fix@{here[0]:,}\+0  step {here[0]:,} ")
            gdb.ask("set var total = 1000000")
            require(gdb.value("mix(1, 2)") == 13, "no call in a branch")
            stop_in_round(gdb, 12)
            fix_end = place(gdb)
            fix_total = gdb.value("total")
            require(fix_total > 1000000, "the branch has another past")
            gdb.expect("monitor when", rf"fix@{here[0]:,}\+[\d,]+  step ")
            gdb.expect("monitor branches", r"main  ends .*\* fix  leaves main at step")
            # Back and forth between the two.
            gdb.expect("monitor switch main", "goes to where you were in main")
            gdb.ask("stepi")
            require(place(gdb) == here and gdb.value("total") < 1000000, "main has changed")
            gdb.ask("monitor goto end")
            gdb.ask("stepi")
            require(place(gdb) == main_end, "what came later is lost")
            gdb.ask("monitor switch fix")
            gdb.ask("stepi")
            require(place(gdb) == fix_end and gdb.value("total") == fix_total, "the branch is lost")
            gdb.ask("monitor switch main")
            gdb.ask("stepi")
            gdb.ask("continue")
            final = place(gdb)
            gdb.ask("monitor switch fix")
            gdb.ask("stepi")
            gdb.ask("kill")
            require(served.finish() == 0, "the recording ended badly")
            require(served.console.count(b"off\n") == 1, f"printed: {served.console}")
        require("name fix  parent main" in run("info", trace), "info knows no branches")
        require('"what": "branch"' in run("dump", "--json", trace), "dump knows no branches")
        for branch in ("fix", "main"):
            require("identical" in run("verify", "--branch", branch, trace), f"verify --branch {branch}")
        require("branch fix of 2" in said("verify", trace), "verify does not say which branch")
        with Served(["replay", "-s", "0", "-k", "-e", trace]) as served, Gdb(served) as gdb:
            require(place(gdb) == fix_end, "the last branch is not the one that is opened")
            gdb.ask("monitor switch main")
            gdb.ask("stepi")
            gdb.ask("monitor goto end")
            gdb.ask("stepi")
            require(place(gdb) == final, "main is not what it was")
        with Served(["replay", "-s", "0", "-e", "--branch", "main", trace]) as served, Gdb(served) as gdb:
            require(place(gdb) == final, "--branch opens another")


def a_branch_of_a_replay_is_a_trace_of_its_own() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["RETROV_TRACE_DIR"] = folder
        trace = str(Path(folder) / "first.rvt")
        recording(trace)
        before = Path(trace).read_bytes()
        with Served(["replay", "-s", "0", "-k", trace]) as served:
            with Gdb(served) as gdb:
                stop_in_round(gdb, 10)
                here = place(gdb)
                gdb.ask("monitor fork try")
                said_name = Path(served.wait_said(r"branch try is recorded to (\S+)").group(1)).name
                made = str(Path(folder) / said_name)
                gdb.ask("set var mode = 4")
                gdb.begin("continue")
                served.wait_console(b"rounds done\n")
                served.type(b"hello q")
                answer = gdb.answer()
                require("test finisher: pass" in answer, f"the branch's end: {answer}")
                served.wait_console(b"start\nrounds done\nhello qoff\n")
                end = place(gdb)
                gdb.ask("monitor switch main")
                gdb.ask("stepi")
                require(place(gdb) == here, "main is not where it was left")
                gdb.ask("set var mode = 1")
                served.wait_said("the past is read-only")
                gdb.ask("monitor switch try")
                gdb.ask("stepi")
                gdb.ask("kill")
            served.process.terminate()
            served.finish()
        require(Path(trace).read_bytes() == before, "the opened trace was written to")
        require(said_name == "first-try-1.rvt", f"recorded to {said_name}")
        require("identical" in run("verify", made), "the new trace does not replay")
        os.unlink(trace)
        with Served(["replay", "-s", "0", "-e", made]) as served, Gdb(served) as gdb:
            require(place(gdb) == end, "the new trace ends elsewhere")
        del os.environ["RETROV_TRACE_DIR"]


def what_cannot_be_says_why() -> None:
    with live() as served, Packets(served, "error-message+;multiprocess+") as client:
        for line in ("fork", "switch nowhere", "scratch maybe", "switch", "fork a b"):
            answer = client.ask("qRcmd," + line.encode().hex())
            require(answer.startswith("E."), f"monitor {line}: {answer}")
        total = symbols()["total"]
        require(client.ask("vCont;s:p1.1").startswith("T05"), "no step")
        require(client.ask("bs").startswith("T05"), "no step back")
        answer = client.ask(f"M{total:x},1:00")
        require(re.match(r"E\.the past is read-only; `monitor fork` .*`monitor scratch on`", answer), answer)
        require(client.monitor("fork").startswith("branch branch-1 leaves main at step"), "no fork near the first step")
        require(client.ask(f"M{total:x},1:00") == "OK", "no write in a branch")


scratch_in_a_replay_and_live()
scratch_at_the_end_of_a_replay()
a_branch_of_a_recording_is_in_its_trace()
a_branch_of_a_replay_is_a_trace_of_its_own()
what_cannot_be_says_why()
