#!/usr/bin/env python3
"""R23: scheduler-locking. At the live end only the chosen hart runs, and that is history; in the past history rules."""
# Handlers: vCont;
import re

from _session import Gdb, Packets, gdbs, live, replay, require, symbols


def word(client: Packets, address: int) -> int:
    return int.from_bytes(bytes.fromhex(client.ask(f"m{address:x},8")), "little")


def event(client: Packets) -> int:
    return int(re.search(r"event (\d+)", client.monitor("when")).group(1))


def gdb_runs_one_hart() -> None:
    with live() as served, Gdb(served) as gdb:
        gdb.ask("break run_round if round == 6")
        gdb.ask("continue")
        worked = gdb.value("worked")
        require(worked > 0, "hart 1 has not worked yet")
        gdb.ask("delete")
        gdb.ask("set scheduler-locking on")
        # Hart 0 gives up its turn every four rounds.
        gdb.ask("break run_round if round == 20")
        gdb.expect("continue", "round=round@entry=20")
        locked_at = gdb.step_number()
        gdb.ask("tbreak run_round if round == 30")
        gdb.expect("continue", "round=round@entry=30")
        require(gdb.value("worked") == worked, "hart 1 has run")
        gdb.ask("thread 2")
        gdb.ask("stepi 40")
        require(gdb.value("worked") > worked and gdb.value("$mhartid") == 1, "hart 1 does not run alone")
        total = gdb.value("total")
        gdb.ask("stepi 1000")
        require(gdb.value("total") == total, "hart 0 has run")
        gdb.ask("set scheduler-locking off")
        gdb.ask("thread 1")
        gdb.ask("delete")
        gdb.ask("break run_round if round == 39")
        worked = gdb.value("worked")
        gdb.expect("continue", "round=round@entry=39")
        require(gdb.value("worked") > worked, "hart 1 is still locked")
        # All of it is history.
        gdb.ask("delete")
        gdb.ask("break run_round if round == 20")
        gdb.expect("reverse-continue", "round=round@entry=20")
        require(gdb.step_number() == locked_at, "backwards it is another history")


def a_hart_that_waits_alone_is_interrupted(program: str) -> None:
    """gdb ends by an internal error if it hears of another hart."""
    with live() as served, Gdb(served, program=program) as gdb:
        gdb.ask("set var mode = 2")
        gdb.ask("tbreak spin")
        gdb.ask("continue")
        gdb.begin("continue")
        gdb.expect_interrupt()
        gdb.ask("set scheduler-locking on")
        gdb.ask("thread 2")
        gdb.begin("continue")
        gdb.expect_interrupt()
        require(gdb.value("$mhartid") == 1, "another hart is shown")


def what_was_chosen_replays() -> None:
    names = symbols()
    with live() as served, Packets(served) as client:
        client.ask(f"Z0,{names['store']:x},4")
        for _ in range(5):
            client.ask("vCont;c")
            at, events = client.place()[0], event(client)
            # Stepping off a breakpoint: one step, and nothing that would have to be recorded.
            client.ask(f"z0,{names['store']:x},4")
            client.ask("vCont;s:p1.1")
            require(client.place()[0] == at + 1 and event(client) == events, "a step off a breakpoint is an event")
            client.ask(f"Z0,{names['store']:x},4")
        worked = word(client, names["worked"])
        for _ in range(10):
            require(client.ask("vCont;c:p1.1").startswith("T05swbreak:;thread:p1.1;"), "no store")
            client.ask(f"z0,{names['store']:x},4")
            client.ask("vCont;s:p1.1")
            client.ask(f"Z0,{names['store']:x},4")
        require(word(client, names["worked"]) == worked, "hart 1 has run")
        require(event(client) == events + 1, "the choice is made more than once")
        for _ in range(300):
            require(client.ask("vCont;s:p1.2").startswith("T05thread:p1.2;"), "hart 1 makes no step")
        end = client.place()
        require(word(client, names["worked"]) > worked, "hart 1 has not worked")
        client.ask(f"z0,{names['store']:x},4")
        require(client.ask("bc").startswith("T05replaylog:begin"), "no beginning")
        require(client.ask("vCont;c").startswith("T05replaylog:end"), "no end")
        require(client.place() == end, "it replays as something else")
        # Back at the edge: let both run again, to the end of the guest.
        while "replaylog" not in client.ask("vCont;c"):
            pass
        require(word(client, names["total"]) > 0 and client.place()[0] > end[0], "nothing runs any more")


def the_past_is_followed() -> None:
    with replay("-g", "40%") as served, Packets(served) as client:
        for _ in range(60):
            at = client.place()
            client.ask("vCont;s:p1.2;c:p1.-1")
            free = client.place()
            client.go_to(str(at[0]))
            require(client.place() == at, "goto leads elsewhere")
            client.ask("vCont;s:p1.2")
            require(client.place() == free, "a locked step in the past is another one")
        client.ask("vCont;c:p1.2")
        require("100.0%" in client.monitor("when"), "a locked continue in the past does not reach the end")


def a_stop_of_another_hart_ends_a_step_off_a_breakpoint(program: str) -> None:
    """gdb steps thread 2 alone; before it stops again, hart 0 has a turn. gdb ends by an internal error if told."""
    for order, found in (("watch -location total", "Thread 1 .*hit Hardware watchpoint.*Old value"),
                         ("break run_round", "Thread 1 .*hit Breakpoint.*run_round")):
        with replay() as served, Gdb(served, program=program) as gdb:
            gdb.ask("tbreak work if worked == 15")
            gdb.expect("continue", "Thread 2 .*hit Temporary breakpoint.*work")
            while gdb.function() != "pause_turn":
                gdb.ask("stepi")
            gdb.ask("break *$pc")
            gdb.ask(order)
            gdb.expect("continue", found)
            require(gdb.value("$mhartid") == 0, "another hart")


gdb_runs_one_hart()
what_was_chosen_replays()
the_past_is_followed()
for each in gdbs():
    a_hart_that_waits_alone_is_interrupted(each)
    a_stop_of_another_hart_ends_a_step_off_a_breakpoint(each)
