#!/usr/bin/env python3
"""R41, R42: the commands of retrov-gdb.py move gdb with the machine, leave its own settings and breakpoints as they
were, and say positions on request, in gdb's console and through its machine interface."""
# Handlers: monitor:goto
import os
import re
import subprocess

from _session import NO_MORE, PATIENCE_SECONDS, ROOT, Gdb, Served, elf, gdbs, live, own_environment, replay, require

SCRIPT = ROOT / "gdb/retrov-gdb.py"


def told(gdb: Gdb, command: str) -> list[str]:
    return [line for line in gdb.ask(command).split("\n") if line]


def help_and_completion(gdb: Gdb) -> None:
    words = "back bookmark checkpoint first goto list printf when".split()
    require(told(gdb, "complete rv ") == [f"rv {word}" for word in words], "other words")
    for word in words:
        gdb.expect(f"help rv {word}", f"Usage: rv {word}" if word != "checkpoint" else "Usage: rv bookmark")
    require("rv goto begin" in told(gdb, "complete rv goto b"), "no positions")
    require("rv back account" in told(gdb, "complete rv back acc"), "no expressions")
    require("rv printf run_round" in told(gdb, "complete rv printf run_r"), "no locations")
    require("set rv verbose" in told(gdb, "complete set rv "), "no settings")


def goto_moves_at_once(gdb: Gdb) -> None:
    require(gdb.ask("rv when") == gdb.ask("monitor when"), "another position")
    gdb.ask("break pay")
    gdb.expect("continue", "hit Breakpoint 1")
    first, balance = gdb.step_number(), gdb.value("account.balance")
    gdb.expect("continue", "hit Breakpoint 1")
    require(gdb.value("account.balance") != balance, "the same balance")
    gdb.expect(f"rv goto {first}", r"stopped\..*pay \(")
    require(gdb.step_number() == first, "somewhere else")
    require(gdb.function() == "pay" and gdb.value("account.balance") == balance, "gdb looks at what was")
    gdb.ask("rv goto +100")
    require(gdb.step_number() == first + 100, "no relative position")
    for wrong in ("999,999,999", "nowhere", ""):
        refused = gdb.ask(f"rv goto {wrong}")
        require("Protocol error" not in refused and "Traceback" not in refused and refused, refused)
        require(gdb.step_number() == first + 100, "it moved")
    gdb.ask("delete")


def a_watch_knows_what_a_jump_changed(gdb: Gdb) -> None:
    gdb.ask("rv goto end")
    gdb.ask("watch total")
    gdb.ask("rv goto begin")
    gdb.expect("continue", "Old value = 0\nNew value = 2")
    gdb.ask("delete")


def bookmarks(gdb: Gdb) -> None:
    gdb.ask("rv goto 300")
    gdb.expect("rv bookmark here it is", "here")
    gdb.expect("rv checkpoint", "mark-")
    gdb.ask("rv goto begin")
    gdb.expect("rv list", r"here.* 300\b.*it is")
    gdb.ask("rv goto here")
    require(gdb.step_number() == 300, "not at the bookmark")


def back_and_first(gdb: Gdb) -> None:
    gdb.ask("rv goto end")
    gdb.ask("break work")
    points = gdb.ask("info breakpoints")
    gdb.expect("rv back total", r"Old value = 418\nNew value = 416")
    last = gdb.step_number()
    gdb.expect("rv back total", r"Old value = 416\nNew value = 392")
    require(gdb.step_number() < last, "the same change")
    gdb.expect("rv first total", r"Old value = 0\nNew value = 2")
    require(gdb.value("total") == 2, "not the first change")
    gdb.expect("rv back total", r"Old value = 2\nNew value = 0")
    at = gdb.step_number()
    gdb.expect("rv back total", f"total did not change before step {at:,}")
    require(gdb.step_number() == at, "it does not come back")
    gdb.expect("rv first account.owner", "account.owner never changed")
    require(gdb.step_number() == at, "it does not come back")
    require(gdb.function() == "run_round", "gdb looks at what was")
    for wrong in ("rv back", "rv back 3", "rv first nothing", "rv back $a0"):
        require("Python" not in gdb.ask(wrong), wrong)
        require(gdb.step_number() == at, "it moved")
    gdb.ask("set exec-direction reverse")
    gdb.expect("rv first total", r"Old value = 0\nNew value = 2")
    gdb.expect("rv back total", r"Old value = 2\nNew value = 0")
    gdb.expect("show exec-direction", "Reverse")
    gdb.ask("set exec-direction forward")
    # Hits are counted; all else of a breakpoint is as it was.
    gone = re.compile(r"\n\s+breakpoint already hit \d+ times?")
    require(gone.sub("", gdb.ask("info breakpoints")) == gone.sub("", points), "breakpoints are not what they were")
    gdb.ask("delete")


def verbose(gdb: Gdb) -> None:
    gdb.expect("show rv verbose", "do not print")
    require("[rv]" not in gdb.ask("stepi"), "a line without being asked")
    require(gdb.ask("set rv verbose on") == "", "it says so")
    text = gdb.ask("stepi")
    require(text.count("[rv] step") == 1, text)
    require(f"[rv] {gdb.ask('monitor when')}" in text, "another position")
    require(gdb.ask("rv back total").count("[rv] step") == 1, "a line for each move inside")
    gdb.ask("set rv verbose off")
    require("[rv]" not in gdb.ask("stepi"), "it does not end")


def nothing_of_gdbs_own_is_changed(program: str) -> None:
    def settings(*commands: str) -> list[str]:
        script = [word for command in (*commands, "show") for word in ("-ex", command)]
        answer = subprocess.run([program, "-nx", "-q", "-batch", *script], check=True, capture_output=True, text=True,
                                timeout=PATIENCE_SECONDS, env=own_environment(), stdin=subprocess.DEVNULL).stdout
        return [line for line in answer.split("\n") if not line.startswith("rv ") and "history" not in line]

    before, after = settings(), settings(f"source {SCRIPT}")
    require(before == after, f"{set(after) ^ set(before)}")


def machine_interface(program: str) -> None:
    """The line is console text, and each line of the conversation still a record."""
    with replay() as served:
        commands = [f"-interpreter-exec console \"source {SCRIPT}\"", f"-target-select remote 127.0.0.1:{served.port}",
                    "-gdb-set rv verbose on", "-exec-step-instruction", "-interpreter-exec console \"rv goto 500\"",
                    "-interpreter-exec console \"rv back total\""]
        gdb = subprocess.Popen([program, "-nx", "-q", "-i=mi3", elf("debuggee")], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True, env=own_environment())
        records = []

        def read_until(begins: str) -> None:
            for line in gdb.stdout:
                records.append(line.rstrip("\n"))
                if records[-1].startswith(begins):
                    return
            raise AssertionError(f"no {begins}: {records}")

        for number, command in enumerate(commands, 1):
            gdb.stdin.write(f"{number}{command}\n")
            gdb.stdin.flush()
            read_until(f"{number}^")
            require(not records[-1].startswith(f"{number}^error"), f"{records}")
            if command == "-exec-step-instruction":
                read_until("*stopped")
        gdb.stdin.write("-gdb-exit\n")
        gdb.stdin.flush()
        records += gdb.stdout.read().split("\n")
        gdb.wait(PATIENCE_SECONDS)
    require(any(re.match(r'~"\[rv\] step \d  hart \d', line) for line in records), f"no line: {records}")
    require(any(re.match(r'~"\[rv\] step 500  hart \d', line) for line in records), f"no line: {records}")
    for line in records:
        require(re.match(r'\d*[\^*=+]|[~@&]"|\(gdb\) ?$|$', line), f"not of the machine interface: {line!r}")


def a_live_session(program: str) -> None:
    with live() as served, Gdb(served, program=program) as gdb:
        gdb.ask(f"source {SCRIPT}")
        gdb.ask("monitor edge go")
        gdb.ask("break work if worked == 20")
        gdb.expect("continue", "hit Breakpoint")
        end = gdb.step_number()
        # It does not run beyond the live end to find one.
        gdb.expect("rv first spins", "spins never changed")
        require(gdb.step_number() == end, "not where it was")
        gdb.expect("monitor edge", "edge go")
        gdb.ask("rv goto 10")
        require(gdb.step_number() == 10, "not there")
        gdb.ask("rv goto end")
        require(gdb.step_number() == end, "not back")
        gdb.expect("reverse-stepi", ".")
        gdb.ask("delete")
        gdb.ask("monitor edge stop")
        gdb.expect("continue", NO_MORE)


def it_says_so_without_retrov(program: str) -> None:
    answer = subprocess.run([program, "-nx", "-q", "-batch", "-x", str(SCRIPT), "-ex", "rv when"], check=False,
                            capture_output=True, text=True, timeout=PATIENCE_SECONDS, env=own_environment(),
                            stdin=subprocess.DEVNULL)
    require("not supported by this target" in answer.stderr and "Python" not in answer.stderr, answer.stderr)


def main() -> None:
    for program in gdbs():
        with replay() as served, Gdb(served, program=program) as gdb:
            require(gdb.ask(f"source {SCRIPT}") == "", "the script says something")
            for part in (help_and_completion, goto_moves_at_once, a_watch_knows_what_a_jump_changed, bookmarks,
                         back_and_first, verbose):
                part(gdb)
        nothing_of_gdbs_own_is_changed(program)
        machine_interface(program)
        a_live_session(program)
        it_says_so_without_retrov(program)


main()
