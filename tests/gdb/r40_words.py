#!/usr/bin/env python3
"""R40: bookmarks that outlive the session, reports on the past, QEMU's words, and a trace of a live session."""
# Handlers: monitor:events monitor:bookmark monitor:export monitor:diff monitor:delete monitor:stats
import os
import re
import subprocess
import tempfile
from pathlib import Path

from _session import RETROV, Gdb, Packets, Served, live, machine, own_environment, replay, require, symbols


def retrov(*arguments: str) -> str:
    done = subprocess.run([RETROV, *arguments], check=True, capture_output=True, text=True, env=own_environment())
    return done.stdout


def stop_in_round(gdb: Gdb, number: int) -> None:
    gdb.ask(f"tbreak run_round if round == {number}")
    gdb.expect("continue", f"round=round@entry={number}")


def recorded(trace: str) -> Served:
    return Served(["record", *machine("debuggee", 2), "-S", "-gdb", "tcp::0", "-o", trace])


def bookmarks_stay_with_the_trace() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["RETROV_TRACE_DIR"] = folder
        trace = str(Path(folder) / "first.rvt")
        with recorded(trace) as served, Gdb(served) as gdb:
            stop_in_round(gdb, 3)
            at = gdb.step_number()
            gdb.expect("monitor bookmark third the third round", f"1  third  step {at:,}  the third round")
            gdb.ask("continue")
            gdb.ask("kill")
            served.finish()
        size = os.stat(trace).st_size
        with Served(["replay", "-k", "-s", "0", "-g", "third", trace]) as served:
            with Gdb(served) as gdb:
                require(gdb.step_number() == at and gdb.value("round") == 3, "-g third is elsewhere")
                gdb.ask("monitor checkpoint")
                for word in ("bookmarks", "info bookmarks", "info checkpoints"):
                    gdb.expect(f"monitor {word}", f"1  third  step {at:,}  the third round\n2  mark-2  step {at:,}")
                gdb.expect("monitor delete 2", "deleted bookmark 2 mark-2")
                # A branch has a trace of its own, and there its bookmarks are.
                gdb.ask("monitor fork try")
                made = served.wait_said(r"branch try is recorded to (\S+)").group(1)
                made = str(Path(folder) / Path(made).name)
                gdb.ask("set var total = 1")
                gdb.ask("monitor bookmark changed")
                there = gdb.step_number()
                gdb.expect("monitor bookmarks", rf"2  changed  step {there:,} of try")
                gdb.ask("monitor switch main")
                gdb.ask("stepi")
                gdb.expect("monitor goto changed", "branch try; `switch try` goes there")
            served.process.terminate()
            served.finish()
        require(os.stat(trace).st_size == size, "the trace was written to")
        require("third" in retrov_prompt(trace, "bookmarks"), "the bookmark is gone")
        require("changed" not in retrov_prompt(trace, "bookmarks"), "that of a branch is in the other trace")
        require(f"changed  step {there:,}\n" in retrov_prompt(made, "bookmarks"), "the branch's bookmark is gone")
        del os.environ["RETROV_TRACE_DIR"]


def retrov_prompt(trace: str, *lines: str) -> str:
    done = subprocess.run([RETROV, "debug", trace], input="\n".join(lines) + "\n", check=True, capture_output=True,
                          text=True, env=own_environment())
    return done.stdout


def reports_on_the_past() -> None:
    total = symbols()["total"]
    with replay() as served, Gdb(served) as gdb:
        stop_in_round(gdb, 3)
        first = gdb.step_number()
        at_first = gdb.value("total")
        stop_in_round(gdb, 4)
        second = gdb.step_number()
        before = gdb.ask("monitor hash")
        answer = gdb.ask(f"monitor diff {first} {second}")
        require(re.search(rf"^step {first:,} -> step {second:,}$", answer, re.MULTILINE), answer)
        page = re.search(rf"{total & ~0xfff:#x}  \d+ bytes?, first at 0x", answer)
        require(page and re.search(r"hart \d  \S+ +0x\S+ -> 0x", answer), answer)
        require(gdb.ask("monitor hash") == before and gdb.step_number() == second, "diff moves the session")
        require(gdb.value("total") != at_first, "the guest's total does not change")
        itself = gdb.ask(f"monitor diff {first} {first}")
        require(itself == f"step {first:,} -> step {first:,}", f"a place differs from itself: {itself}")
        # The clock's time and the entropy are said at power-on.
        gdb.expect("monitor events", r"^#1  0  event  rtc-start .*seed")
        gdb.expect("monitor events 1 end", "no events|#2")
        gdb.expect("monitor events 0-10", r"^#1  0  event")
        executed = r"executed: [\d,]+ steps, \d+ MIPS"
        gdb.expect("monitor stats", rf"history: [\d,]+ steps\n{executed}\nmemory: [\d,]+ MiB\n.*snapshots")
        gdb.expect("monitor when-end", r"^step [\d,]+, the end of the recording")
        gdb.expect("monitor elapsed-time", r"^t=\d+\.\d{7} s")
        gdb.expect("monitor info csr", "mstatus .*mtvec ")
        gdb.expect("monitor info csr mtvec", r"^hart 0:\nmtvec +0x[0-9a-f]{16}$")
        gdb.expect("monitor info mem", "^hart 0:\nNo translation or protection$")
        gdb.expect("monitor info tlb", "^hart 0:\nNo translation or protection$")
        gdb.expect(f"monitor xp /1dg {total:#x}", rf"{total:#x}:  {gdb.value('total')}$")
        gdb.expect(f"monitor x/2xw {total:#x}", rf"{total:#x}:  0x\S+  0x\S+$")
        gdb.expect("monitor system_reset", "the past is read-only")


def a_reset_is_recorded() -> None:
    with tempfile.TemporaryDirectory() as folder:
        trace = str(Path(folder) / "reset.rvt")
        with recorded(trace) as served, Gdb(served) as gdb:
            stop_in_round(gdb, 5)
            total = gdb.value("total")
            gdb.expect("monitor system_reset", "reset with its next step")
            gdb.expect("monitor events", "system-reset")
            gdb.ask("stepi")
            stop_in_round(gdb, 3)
            require(gdb.value("total") < total, "what the guest had counted is still there")
            # Before the button was pressed all is as it was.
            gdb.ask("tbreak run_round if round == 4")
            gdb.expect("reverse-continue", "round=round@entry=4")
            require(0 < gdb.value("total") < total, "the past has changed")
            gdb.ask("monitor goto end")
            gdb.ask("stepi")
            gdb.ask("continue")
            gdb.ask("kill")
            require(served.finish() == 0, "another status")
            require(served.console == b"start\nstart\nrounds done\noff\n", f"printed: {served.console}")
        require("identical" in retrov("verify", trace), "the reset does not replay")
        require("system-reset" in retrov("dump", trace), "dump does not show it")


def a_live_session_becomes_a_trace() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["RETROV_TRACE_DIR"] = folder
        exported = str(Path(folder) / "found.rvt")
        with live() as served, Gdb(served) as gdb:
            stop_in_round(gdb, 4)
            gdb.ask("monitor bookmark four")
            four = gdb.step_number()
            stop_in_round(gdb, 6)
            end, hashed = gdb.step_number(), gdb.ask("monitor hash")
            gdb.expect(f"monitor export {exported}", f"exported to {exported}, ")
            gdb.expect(f"monitor export {exported}", "a trace is never overwritten")
            # The session itself goes on.
            stop_in_round(gdb, 8)
            gdb.ask("kill")
        require("identical" in retrov("verify", exported), "the trace does not replay")
        with Served(["replay", "-s", "0", "-k", "-e", exported]) as served:
            with Gdb(served) as gdb:
                require(gdb.step_number() == end and gdb.ask("monitor hash") == hashed, "another end")
                gdb.ask("monitor goto four")
                gdb.ask("stepi")
                require(gdb.step_number() == four and gdb.value("round") == 4, "the bookmark did not come along")
                again = str(Path(folder) / "again.rvt")
                gdb.expect(f"monitor export {again}", f"exported to {again}")
            served.process.terminate()
            served.finish()
        require(f"{end:,} steps" in retrov("verify", again), "a copy of a recording is another one")
        del os.environ["RETROV_TRACE_DIR"]


def mistakes_are_one_line() -> None:
    with replay() as served, Packets(served, "error-message+;multiprocess+") as client:
        for line, sentence in (
            ("bookmrk", "unknown command 'bookmrk'; did you mean bookmark?"),
            ("bookmark end",
             "a bookmark's name is a letter, then letters, digits and any of ._- (not begin, start, end)"),
            ("goto", "usage: goto POSITION"), ("restart", "usage: restart NAME|N"), ("delete", "usage: delete NAME|N"),
            ("diff 5", "usage: diff A B"), ("diff 5 nowhere", "there is no bookmark 'nowhere'; `bookmarks` lists them"),
            ("back x", "'x' is not a number (12 or 0xc)"), ("export", "usage: export FILE"),
            ("info mem now", "usage: info mem"), ("info nothing", "info nothing: no such topic; info lists them"),
            ("info csr a0", "there is no CSR 'a0'"), ("xp", "usage: x [/NFU] ADDRESS"), ("when now", "usage: when"),
            ("events 5 4 3", "usage: events [A [B]]"), ("stats all", "usage: stats"),
        ):
            answer = client.ask("qRcmd," + line.encode().hex())
            require(answer == "E." + sentence, f"{line}: {answer}")
        listed = client.monitor("help")
        for word in ("bookmark", "bookmarks", "restart", "delete", "back", "forward", "history", "when-end",
                     "elapsed-time", "events", "diff", "stats", "export", "system_reset", "xp", "x", "quit"):
            require(re.search(rf"^{word} .*\S", listed, re.MULTILINE), f"help does not list {word}")


bookmarks_stay_with_the_trace()
reports_on_the_past()
a_reset_is_recorded()
a_live_session_becomes_a_trace()
mistakes_are_one_line()
