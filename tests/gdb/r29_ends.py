#!/usr/bin/env python3
"""R29: the end of history, in a recording, at the live end, and when the guest has powered off."""
# Handlers: vCont; vKill; monitor:edge
import re

from _session import NO_MORE, Gdb, Packets, live, replay, require


def end_of_a_recording() -> None:
    with replay() as served, Gdb(served) as gdb:
        gdb.ask("continue")
        end = gdb.step_number()
        gdb.expect("monitor when", r"100\.0%")
        for command in ("continue", "stepi", "next", "continue"):
            gdb.expect(command, NO_MORE)
            require(gdb.step_number() == end, f"{command} leaves the end")
        gdb.expect("reverse-stepi", "")
        require(gdb.step_number() < end, "no way back from the end")
        gdb.expect("stepi 10", NO_MORE)
        require(gdb.step_number() == end, "stepi 10 ends elsewhere")
        # What does not fit in is broken off, not forgotten: a finish that never comes.
        gdb.ask("break main")
        gdb.expect("reverse-continue", "hit Breakpoint.*main ")
        gdb.ask("delete")
        gdb.expect("continue", NO_MORE)
        require(gdb.step_number() == end, "the end is another one now")


def live_end() -> None:
    with live() as served, Gdb(served) as gdb:
        gdb.ask("break run_round if round == 8")
        gdb.ask("continue")
        edge = gdb.step_number()
        gdb.ask("delete")
        gdb.ask("tbreak run_round if round == 2")
        gdb.expect("reverse-continue", "round=round@entry=2")
        gdb.expect("continue", f"{NO_MORE}.*run_round")
        require(gdb.step_number() == edge, "the live end is elsewhere")
        # The next resume runs live.
        gdb.ask("tbreak run_round if round == 9")
        gdb.expect("continue", "round=round@entry=9")
        gdb.ask("tbreak run_round if round == 2")
        gdb.ask("reverse-continue")
        gdb.expect("monitor edge go", "edge go")
        gdb.ask("tbreak run_round if round == 10")
        gdb.expect("continue", "round=round@entry=10")
        gdb.expect("monitor edge stop", "edge stop")
        # A breakpoint right at the edge is one, not the end of history.
        gdb.ask("reverse-stepi 7")
        gdb.ask("tbreak run_round")
        gdb.expect("continue", "hit Temporary breakpoint.*round=round@entry=10")


def power_off_keeps_the_session() -> None:
    with live() as served, Gdb(served) as gdb:
        answer = gdb.ask("continue")
        require("test finisher: pass" in answer and re.search(NO_MORE, answer), f"the end of the guest says {answer}")
        end = gdb.step_number()
        answer = gdb.ask("stepi")
        require(re.search(NO_MORE, answer) and gdb.step_number() == end, f"stepi behind the end says {answer}")
        served.wait_console(b"off\n")
        require(served.console == b"start\nrounds done\noff\n", f"the guest printed {served.console}")
        gdb.expect("info threads", '"hart 0"')
        gdb.ask("break run_round")
        gdb.expect("reverse-continue", "round=round@entry=39")
        gdb.ask("delete")
        gdb.expect("continue", NO_MORE)
        require(gdb.step_number() == end, "the end is another one now")
        gdb.expect("reverse-continue", NO_MORE)
        require(gdb.step_number() == 0, "not at the beginning")
        require(served.console == b"start\nrounds done\noff\n", f"printed again: {served.console}")
        # Killing it ends the program, with the guest's status.
        gdb.ask("kill")
        require(served.finish() == 0, "the status is another one")


def the_end_as_an_exit() -> None:
    for served in (live("debuggee", 2, "--exit=report"), replay("--exit=report")):
        with served, Gdb(served) as gdb:
            gdb.ask("tbreak run_round if round == 8")
            gdb.expect("continue", "round=round@entry=8")
            gdb.expect("reverse-continue", NO_MORE)
            while "exited" not in (answer := gdb.ask("continue")):
                require(re.search(NO_MORE, answer), f"the end says {answer}")
            require(answer.endswith("[Inferior 1 (process 1) exited normally]") and "retrov:" not in answer, answer)
            gdb.expect("info threads", "No threads")
    with live("debuggee", 2, "--exit=report") as served:
        with Gdb(served, kind="extended-remote") as gdb:
            gdb.expect("continue", "exited normally")
            # This gdb stays, and with it the session.
            gdb.expect("monitor when", r"100\.0%")
            gdb.ask("disconnect")
        with Packets(served) as client:
            require(client.ask("vCont;c").startswith("W00"), "the exit is forgotten")
        require(served.finish() == 0, "another status")


end_of_a_recording()
live_end()
power_off_keeps_the_session()
the_end_as_an_exit()
