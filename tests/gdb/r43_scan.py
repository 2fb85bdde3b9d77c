#!/usr/bin/env python3
"""R43: `monitor scan` and `rv printf` print over all of history, whatever one looks at, and leave the session alone."""
# Handlers: monitor:scan
import re
import signal
import time

from _session import ROOT, Gdb, Packets, Served, framed, gdbs, live, machine, replay, require, symbols

SCRIPT = ROOT / "gdb/retrov-gdb.py"


def lines(text: str) -> list[str]:
    """Of hits, and the last one, which counts them."""
    return [line for line in text.split("\n") if re.match(r"step [\d,]+  hart|\d+ hits?", line)]


def expected(gdb: Gdb, location: str, expression: str) -> list[str]:
    """The same by going there: breakpoint for breakpoint, in all of a recording."""
    number = gdb.expect(f"break {location}", r"Breakpoint (\d+)").group(1)
    gdb.ask("monitor goto begin")
    gdb.ask("stepi")
    result = []
    while re.search(rf"hit Breakpoint {number}[.,]|Breakpoint {number}, ", gdb.ask("continue")):
        hart = int(re.search(r"= (\d+)", gdb.ask("print $_thread")).group(1)) - 1
        value = gdb.value(expression)
        result.append(f"step {gdb.step_number():,}  hart {hart}  {value}")
    gdb.ask(f"delete {number}")
    return result


def state(gdb: Gdb) -> tuple[str, str]:
    return gdb.ask("monitor when"), gdb.ask("monitor hash")


def a_recording(program: str) -> None:
    with replay("-g", "50%") as served, Gdb(served, program=program) as gdb:
        gdb.ask(f"source {SCRIPT}")
        before, said = state(gdb), served.console
        for location, expression in (("store", "value"), ("work", "worked"), ("debuggee.c:59", "product + total")):
            scanned = lines(gdb.ask(f'rv printf {location},"%ld\\n",{expression}'))
            require(state(gdb) == before, "it moved")
            require(served.console == said, "it shows what the guest says")
            wanted = expected(gdb, location, expression)
            require(len(wanted) > 20, f"too few: {wanted}")
            require(scanned[:-1] == wanted, f"{scanned} is not {wanted}")
            require(scanned[-1].startswith(f"{len(wanted)} hits in steps 0 to "), scanned[-1])
            gdb.ask("monitor goto 50%")
            gdb.ask("stepi")
            # What the guest printed on the way to its end is read beside.
            served.wait_console(b"off\n")
            said = served.console
        harts = {re.search(r"hart (\d)", line).group(1) for line in lines(gdb.ask('rv printf work,"x"'))[:-1]}
        require(harts == {"1"}, f"work runs on hart 1: {harts}")


def conditions_and_kinds_of_arguments(program: str) -> None:
    with replay() as served, Gdb(served, program=program) as gdb:
        gdb.ask(f"source {SCRIPT}")
        wanted = expected(gdb, "pay if amount == 6", "amount")
        scanned = lines(gdb.ask('rv printf pay if amount == 6,"%d",amount'))
        require(scanned[:-1] == wanted and len(wanted) > 10, f"{scanned} is not {wanted}")
        # Several arguments, with jumps in them; commas inside; both quotes; an array is its address.
        text = gdb.ask(r'rv printf pay if amount == 2 && account.owner == 7,"%d,\"%ld\" %lx %c%x",'
                       r"limit == 3 || mode ? 40 + 2 : 3, (1, amount), table, 120, account.owner")
        require(re.search(rf'hart 0  42,"2" {symbols()["table"]:x} x7$', text, re.MULTILINE), text)
        require('hart 0  "off\\n"' not in gdb.ask(r'rv printf put_string,"\"%s\"",text'), "escapes are printed")
        require('hart 0  "start\n' in gdb.ask(r'rv printf put_string,"\"%s\"",text'), "no text of the guest's")
        # The place of an address has registers and global variables, and nothing of where gdb stands.
        at = symbols()["pay"]
        require("hart 0  7\n" in gdb.ask(f'rv printf *{at:#x},"%d",account.owner') + "\n", "no line for an address")
        require(lines(gdb.ask(f'rv printf *{at:#x} if $a1 == 6,"%d",$a1'))[:-1] == wanted, "another condition")
        gdb.ask("rv goto begin")
        gdb.expect("break store", "Breakpoint")
        gdb.expect("continue", "hit Breakpoint")
        gdb.expect(f'rv printf *{at:#x},"%d",value', "value is a variable of a function")
        require(len(lines(gdb.ask("rv printf pay"))) == 41, "no list without a format")
        gdb.expect('rv printf pay,"%d"', "another number of conversions")
        gdb.expect('rv printf nowhere,"x"', '"nowhere" not defined')
        gdb.expect('rv printf pay,"%d",nothing', 'No symbol "nothing"')
        gdb.expect("rv printf", "usage: rv printf")


def a_live_session(program: str) -> None:
    with live() as served, Gdb(served, program=program) as gdb:
        gdb.ask(f"source {SCRIPT}")
        require(lines(gdb.ask('rv printf pay,"%d",amount')) == ["0 hits in steps 0 to 0"], "there is no history yet")
        gdb.ask("break pay")
        for hits in (1, 2, 3):
            gdb.expect("continue", "hit Breakpoint")
            # The one that one stands at has not been executed.
            require(len(lines(gdb.ask('rv printf pay,"%d",amount'))) == hits, "up to now")
        before = state(gdb)
        gdb.ask("reverse-continue")
        require(len(lines(gdb.ask('rv printf pay,"%d",amount'))) == 3, "up to the live end, from the past")
        gdb.ask("reverse-continue")
        gdb.ask("delete")
        gdb.expect("continue", "No more|Reached end")
        require(state(gdb) == before, "the live end is not what it was")
        gdb.ask("continue")
        served.wait_console(b"off\n")
        require(served.console.count(b"rounds done") == 1, f"said again: {served.console}")


def addresses_that_are_mapped_later(program: str) -> None:
    with replay(guest="paged", harts=1) as served, Gdb(served, "paged", program=program) as gdb:
        gdb.ask(f"source {SCRIPT}")
        high = symbols("paged")["high"] - 0x80000000 + symbols("paged")["high_base"]
        scanned = lines(gdb.ask(f'rv printf *{high:#x},"%d",$fp'))
        require([line.split()[-1] for line in scanned[:-1]] == [str(n) for n in range(8)], f"{scanned}")
        require(scanned[-1].startswith("8 hits"), f"{scanned}")


def ctrl_c_ends_it(program: str) -> None:
    with live() as served, Gdb(served, program=program) as gdb:
        gdb.ask(f"source {SCRIPT}")
        gdb.ask("set var mode = 2")
        gdb.ask("break spin")
        gdb.expect("continue", "hit Breakpoint")
        gdb.ask("delete")
        begin = gdb.step_number()
        while gdb.step_number() < begin + 50_000_000:
            gdb.begin("continue")
            gdb.expect_interrupt()
        before = state(gdb)
        # Slices so short that there are too many for it to end by itself meanwhile.
        gdb.ask("python SLICE_SECONDS = 0")
        gdb.begin('rv printf pay,"%d\\n",amount')
        gdb.wait_for("step ")
        gdb.process.send_signal(signal.SIGINT)
        answer = gdb.answer()
        require(re.search(r"^40 hits in steps 0 to [\d,]+, where it was broken off$", answer, re.MULTILINE), answer)
        require(state(gdb) == before, "it moved")
        require(gdb.value("mode") == 2 and gdb.value("limit") == 3, "gdb has lost count of the answers")


def a_client_of_its_own() -> None:
    with replay() as served, Packets(served) as client:
        place, at = client.place(), symbols()["pay"]
        text = client.monitor(f"scan {at:#x}")
        require(len(lines(text)) == 41, text)
        half = client.monitor(f"scan 0-50% {at:#x}")
        rest = client.monitor(f"scan 50%-100% {at:#x}")
        require(lines(text)[:-1] == lines(half)[:-1] + lines(rest)[:-1], "two halves are not the whole")
        require(client.place() == place, "it moved")
    # 0x03 ends it.
    arguments = ["run", *machine("debuggee", 1), "-S", "-gdb", "tcp::0", "--clock", "virtual"]
    with Served(arguments) as served, Packets(served) as client:
        require(client.ask(f"M{symbols()['mode']:x},4:02000000") == "OK", "no write")
        client.ask(f"Z0,{symbols()['spin']:x},2")
        client.ask("vCont;c")
        client.ask(f"z0,{symbols()['spin']:x},2")
        # Every turn of the loop is a hit.
        client.raw(framed(b"vCont;c"))
        while served.cpu_seconds() < 0.5:
            time.sleep(0.01)
        client.raw(b"\x03")
        require(client.answer().startswith("T02"), "no stop")
        place = client.place()
        client.printed = ""
        # So much that it cannot be over before the next byte is read: each turn of the loop is a hit.
        client.raw(framed(b"qRcmd," + f"scan {symbols()['spin'] + 8:#x}".encode().hex().encode()) + b"\x03")
        require(client.answer() == "OK", "no answer")
        require("where it was broken off" in client.printed, client.printed[-200:])
        require(client.place() == place, "it moved")


def main() -> None:
    for program in gdbs():
        a_recording(program)
        conditions_and_kinds_of_arguments(program)
        a_live_session(program)
        addresses_that_are_mapped_later(program)
        ctrl_c_ends_it(program)
    a_client_of_its_own()


main()
