#!/usr/bin/env python3
"""R4: Ctrl-C while the guest runs, sleeps, is walked forwards through history and is searched backwards."""
# Handlers: vCont; bc
from _session import NO_MORE, Gdb, Packets, framed, live, require, symbols


def spinning_and_history() -> None:
    names = symbols()
    with live() as served:
        with Gdb(served) as gdb:
            gdb.ask("set var mode = 2")
            gdb.ask("break spin")
            gdb.expect("continue", "spin ")
            gdb.ask("delete")
            for _ in range(3):
                gdb.begin("continue")
                gdb.expect_interrupt()
                require(gdb.function() in ("spin", "on_timer", "set_timer", "work", "run_worker", "main"), "elsewhere")
            before = gdb.value("spins")
            # Long enough for the timer's interrupt handler to end; on the hart that spins, wherever the other is.
            gdb.ask("thread 1")
            gdb.ask("stepi 100")
            require(gdb.value("spins") > before, "it does not go on after Ctrl-C")
            # History for a search of some seconds.
            used = served.cpu_seconds()
            gdb.begin("continue")
            while served.cpu_seconds() < used + 0.7:
                pass
            gdb.expect_interrupt()
            end = gdb.step_number()
            # A breakpoint that was never met on the way: all of history is searched for it.
            gdb.ask("rwatch account.owner")
            gdb.begin("reverse-continue")
            gdb.expect_interrupt()
            searched_to = gdb.step_number()
            require(0 < searched_to <= end, f"interrupted at {searched_to} of {end}")
            gdb.ask("delete")
            gdb.ask("tbreak run_round if round == 7")
            gdb.expect("reverse-continue", "round=round@entry=7")
            gdb.kill()
        with Packets(served) as client:
            # A Ctrl-C right behind the packet: it comes while that is being worked on, wherever that is.
            client.go_to("end")
            for packet in ("bc", "vCont;c", "bs", "bc"):
                client.raw(framed(packet.encode()) + b"\x03")
                stop = client.answer()
                # The way forwards from there is short: its end may come before the Ctrl-C does.
                expected = ("T02thread:", "T05thread:", *(["T05replaylog:end;"] if packet == "vCont;c" else []))
                require(stop.startswith(expected), f"{packet} and Ctrl-C: {stop}")
                require(client.ask("qC").startswith("QCp1."), "the session is lost")
            at = client.place()[0]
            client.ask(f"Z0,{names['main']:x},2")
            require(client.ask("bc").startswith("T05swbreak:;"), "the search does not go on")
            require(client.place()[0] < at, "not backwards")
            # From there everything forwards is history.
            client.ask(f"z0,{names['main']:x},2")
            client.raw(framed(b"vCont;c") + b"\x03")
            require(client.answer().startswith("T02thread:"), "Ctrl-C in history")
            require(client.place()[0] < end, "it ran through")


def between_the_packets_of_a_command() -> None:
    """gdb steps by itself, or asks itself whether to stop: most of a Ctrl-C comes while the machine stands."""
    for command in ("stepi 1000000", "watch spins if spins == -1", "break *spin+4 if $mcause == 77UL"):
        with live() as served, Gdb(served) as gdb:
            gdb.ask("set var mode = 2")
            gdb.ask("tbreak spin")
            gdb.ask("continue")
            if command.startswith("stepi"):
                gdb.begin(command)
            else:
                gdb.ask(command)
                gdb.begin("continue")
            used = served.cpu_seconds()
            while served.cpu_seconds() < used + 0.1:
                pass
            # One that comes while gdb itself is at work is gdb's.
            answer = gdb.press_ctrl_c(5)
            require("received signal SIGINT" in answer, f"{command} and Ctrl-C: {answer}")


def asleep() -> None:
    with live() as served, Gdb(served) as gdb:
        gdb.ask("set var mode = 3")
        gdb.ask("break sleep_for_ever")
        gdb.expect("continue", "sleep_for_ever")
        gdb.ask("delete")
        for command in ("continue", "continue"):
            gdb.begin(command)
            gdb.expect_interrupt()
        gdb.expect("info threads", "WFI.*WFI")
        slept_to = gdb.step_number()
        gdb.ask("tbreak pay")
        gdb.expect("reverse-continue", "pay ")
        gdb.expect("continue", NO_MORE)
        require(gdb.step_number() == slept_to, "the live end is elsewhere")


def client_vanishes_while_it_runs() -> None:
    """R5: the machine stops, and forgets what that client wanted to stop at."""
    names = symbols()
    with live() as served:
        with Packets(served) as client:
            client.ask(f"M{names['mode']:x},4:02000000")
            client.ask(f"Z0,{names['main']:x},2")
            client.raw(framed(b"vCont;c"))
            client.answer()
            client.ask(f"z0,{names['main']:x},2")
            client.ask(f"Z0,{names['clear']:x},2")
            client.raw(framed(b"vCont;c"))
            served.wait_console(b"rounds done")
        served.wait_said("the guest waits for the next one")
        with Packets(served) as client:
            place = client.place()
            require(client.ask("?").startswith("T05thread:p1."), "no stop to be told")
            client.raw(framed(b"bc") + b"\x03")
            client.answer()
            client.raw(framed(b"bc"))
        with Packets(served) as client:
            require(client.place()[0] <= place[0], "a search backwards ended further on")
            client.go_to("end")
            require(client.place() == place, "the live end has moved")
            # The loop that clears .bss lies behind them, and is no stop any more.
            require(client.ask("bc").startswith("T05replaylog:begin;"), "a breakpoint of the vanished client is left")


spinning_and_history()
between_the_packets_of_a_command()
asleep()
client_vanishes_while_it_runs()
