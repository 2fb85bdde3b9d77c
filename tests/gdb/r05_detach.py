#!/usr/bin/env python3
"""R5, R33: what becomes of the guest when gdb detaches, vanishes, or says that it is done."""
# Handlers: D


from _session import Gdb, Packets, live, position, replay, require


def in_round(gdb: Gdb, number: int) -> None:
    gdb.ask(f"tbreak run_round if round == {number}")
    gdb.expect("continue", f"round=round@entry={number}")


def by_default_it_runs_on_at_the_live_end() -> None:
    with live() as served:
        with Gdb(served) as gdb:
            in_round(gdb, 5)
            gdb.ask("detach")
        require(served.finish() == 0, "the guest did not end well")
        require(served.console.endswith(b"off\n"), f"the guest did not run on: {served.console}")


def by_default_it_waits_in_the_past() -> None:
    with live() as served:
        with Gdb(served) as gdb:
            in_round(gdb, 5)
            gdb.ask("reverse-stepi")
            at = gdb.step_number()
            gdb.ask("detach")
        served.wait_said(f"gdb left in the past, at step {at:,} .*the guest waits")
        with Gdb(served) as gdb:
            require(gdb.step_number() == at, "it moved")
            gdb.ask("kill")


def stop() -> None:
    with live("debuggee", 2, "--on-detach=stop") as served:
        with Gdb(served) as gdb:
            in_round(gdb, 5)
            at = gdb.step_number()
            gdb.ask("detach")
        served.wait_said(f"gdb left at step {at:,} .*the guest waits")
        with Gdb(served) as gdb:
            require(gdb.step_number() == at, "it moved")
            gdb.ask("kill")


def run_from_the_past() -> None:
    with live("debuggee", 2, "--on-detach=run") as served:
        with Gdb(served) as gdb:
            in_round(gdb, 5)
            gdb.ask("reverse-stepi")
            gdb.ask("detach")
        require(served.finish() == 0, "the guest did not end well")
        require(served.console == b"start\nrounds done\noff\n", f"printed: {served.console}")


def quit_ends_it() -> None:
    with live("debuggee", 2, "--on-detach=quit") as served:
        with Gdb(served) as gdb:
            in_round(gdb, 5)
            gdb.ask("detach")
        require(served.finish() == 0, "another status")
        require(b"off" not in served.console, "the guest ran on")


def once_ends_with_the_first_gdb() -> None:
    for way in ("detach", "kill", "vanish"):
        with live("debuggee", 2, "--once") as served:
            with Gdb(served) as gdb:
                in_round(gdb, 5)
                if way == "vanish":
                    gdb.kill()
                else:
                    gdb.ask(way)
            require(served.finish() == 0, f"{way}: another status")
            require(b"off" not in served.console, f"{way}: the guest ran on")


def one_that_vanishes_leaves_the_guest_to_the_next() -> None:
    with live() as served:
        with Gdb(served) as gdb:
            in_round(gdb, 5)
            gdb.ask("break run_round")
            gdb.ask("monitor watch-csr mip")
            gdb.ask("monitor watch-csr mie")
            at = gdb.step_number()
            gdb.kill()
        served.wait_said("the guest waits for the next one")
        with Packets(served) as client:
            require(position(client.monitor("when")) == at, "it moved")
            # The breakpoint of the one that is gone does not stop this one, nor does its CSR.
            require(client.monitor("watch-csr") == "watch-csr off\n", "a CSR is still watched")
            require("replaylog:end" in client.ask("vCont;c"), "an old breakpoint is there")


def quit_ends_retrov() -> None:
    with live() as served:
        with Gdb(served) as gdb:
            in_round(gdb, 5)
            gdb.ask("monitor quit")
        require(served.finish() == 0, "another status")
        require(b"off" not in served.console, "the guest ran on")
    # Also where another gdb would be waited for.
    with replay() as served:
        with Packets(served) as client:
            require(client.ask("qRcmd," + b"q".hex()) == "OK", "no answer")
        require(served.finish() == 0, "another status")


by_default_it_runs_on_at_the_live_end()
by_default_it_waits_in_the_past()
stop()
run_from_the_past()
quit_ends_it()
once_ends_with_the_first_gdb()
one_that_vanishes_leaves_the_guest_to_the_next()
quit_ends_retrov()
