#!/usr/bin/env python3
"""R19: conditions and commands that the stub evaluates: gdb's own, agent-style dprintf, and bare packets."""
# Handlers: Z0 Z1 Z2
import re

from _session import NO_MORE, Gdb, Packets, live, replay, require, symbols

A0, A1 = 10, 11


def reg(number: int) -> str:
    return f"26{number:04x}"


def const(value: int) -> str:
    return f"22{value:02x}"


EQUAL, DIVIDE, END = "13", "05", "27"


def expression(*parts: str) -> str:
    code = "".join(parts)
    return f"X{len(code) // 2:x},{code}"


def printf(text: str, *arguments: str) -> str:
    """The arguments are code that pushes them."""
    pushed = "".join(reversed(arguments))
    raw = text.encode() + b"\0"
    return expression(pushed, const(0), const(0), f"34{len(arguments):02x}{len(raw):04x}", raw.hex(), END)


def gdb_lets_the_stub_decide() -> None:
    with live() as served, Gdb(served) as gdb:
        gdb.ask("break mix if a == 17 && b == 3")
        gdb.ask("set debug remote 1")
        said = gdb.ask("continue")
        gdb.ask("set debug remote 0")
        require(gdb.value("a") == 17, "it stops elsewhere")
        # One resume, whatever was hit in between.
        require(len(re.findall(r"Sending packet: \$vCont;c", said)) == 1, "gdb was asked about each hit")
        require(re.search(r"Sending packet: \$Z0,[0-9a-f]+,\d;X", said), "no condition was sent")
        gdb.expect("info breakpoints", r"stop only if a == 17 && b == 3 \(target evals\)")
        at = gdb.step_number()
        gdb.ask("delete")
        gdb.ask("tbreak store if value > 100")
        gdb.ask("continue")
        require(gdb.value("value") > 100, "store stops too early")
        gdb.ask("break mix if a == 17")
        gdb.expect("reverse-continue", "hit Breakpoint.*mix")
        require(gdb.step_number() == at, "backwards it is found elsewhere")
        gdb.expect("reverse-continue", NO_MORE)
        gdb.ask("delete")
        # Memory, through a pointer; and hart 1's breakpoint.
        gdb.ask("monitor edge go")
        gdb.ask("break pay if to->balance > 150")
        gdb.ask("continue")
        require(gdb.value("to->balance") > 150 >= gdb.value("to->balance") - 24, "not the first balance above 150")
        gdb.ask("delete")
        gdb.ask("break work if worked == 77")
        gdb.expect("continue", '"hart 1" hit Breakpoint')
        require(gdb.value("worked") == 77, "hart 1 stops elsewhere")


def dprintf_in_agent_style() -> None:
    with live() as served, Gdb(served) as gdb:
        gdb.ask("set dprintf-style agent")
        gdb.ask(r'dprintf mix,"mix(%d, %d)\n",a,b')
        gdb.expect("info breakpoints", r"agent-printf")
        gdb.ask("tbreak store if value == 72")
        answer = gdb.ask("continue")
        printed = re.findall(r"mix\((\d+), (\d+)\)", answer)
        rounds = gdb.value("round") if "round" in answer else len(printed) - 1
        require(printed == [(str(i), "3") for i in range(len(printed))] and len(printed) > 5, f"printed {printed}")
        require(rounds == len(printed) - 1, "it goes on printing")
        # Backwards they come in the opposite order.
        answer = gdb.ask("reverse-continue")
        back = re.findall(r"mix\((\d+), 3\)", answer)
        require(back == [str(i) for i in reversed(range(len(printed)))], f"backwards it prints {back}")


def hits(client: Packets, packet: str, resume: str = "vCont;c") -> list[int]:
    """Positions at which the breakpoint stops, from here to the end of history."""
    result = []
    place = packet.split(";")[0]
    while True:
        require(client.ask(packet) == "OK", packet)
        stop = client.ask(resume)
        if "replaylog" in stop:
            require(client.ask("z" + place[1:]) == "OK", "no z")
            return result
        require(stop.startswith(("T05swbreak:;", "T05hwbreak:;", "T05watch:")), stop)
        result.append(client.place()[0])
        if resume == "vCont;c":
            require(client.ask("z" + place[1:]) == "OK", "no z")
            client.ask("vCont;s:p1.1")


def both_ways_find_what_holds() -> None:
    names = symbols()
    with replay() as served, Packets(served) as client:
        for offered in ("ConditionalBreakpoints+", "BreakpointCommands+"):
            require(offered in client.offered, f"{offered} is not offered")
        for kind in ("Z0", "Z1"):
            place = f"{kind},{names['mix']:x},4"
            client.go_to("begin")
            every = hits(client, place)
            require(len(every) == 40, f"mix is called {len(every)} times")
            end = client.place()
            holds = {
                "a0 == 17": ([every[17]], expression(reg(A0), const(17), EQUAL, END)),
                "a0 / 0, which faults": (every, expression(reg(A0), const(0), DIVIDE, END)),
                "a0 == 200": ([], expression(reg(A0), const(200), EQUAL, END)),
                "two of them": (
                    [every[3], every[30]],
                    expression(reg(A0), const(3), EQUAL, END) + expression(reg(A0), const(30), EQUAL, END),
                ),
            }
            for name, (expected, condition) in holds.items():
                client.go_to("begin")
                forward = hits(client, f"{place};{condition}")
                require(forward == expected, f"{kind} if {name} stops at {forward}, not {expected}")
                # Conditions move nothing.
                require(client.place() == end, f"{name}: the end is another one")
                backward = hits(client, f"{place};{condition}", "bc")
                require(backward == expected[::-1], f"backwards {kind} if {name} stops at {backward}")
        # The last Z of a place is the one that holds, and vCont;c at a breakpoint that does not count goes on.
        client.go_to(str(every[5]))
        client.ask(f"Z0,{names['mix']:x},4")
        client.ask(f"Z0,{names['mix']:x},4;" + holds["a0 == 17"][1])
        require(client.ask("vCont;c").startswith("T05swbreak") and client.place()[0] == every[17], "not at 17")
        require(client.ask("vCont;c").startswith("T05swbreak") and client.place()[0] == every[17], "it leaves")


def watchpoints_have_conditions_too() -> None:
    names = symbols()
    with replay() as served, Packets(served) as client:
        place = f"Z2,{names['total']:x},8"
        every = hits(client, place)
        require(len(every) == 40, f"{len(every)} changes of total")
        # After the access: *total > 300. The address needs all its bits.
        above = expression("24", "0000012c", "24", f"{names['total']:08x}", "1a", "15", END)
        client.go_to("begin")
        some = hits(client, f"{place};{above}")
        require(some and some == every[-len(some):], f"of {every} it stops at {some}")
        back = hits(client, f"{place};{above}", "bc")
        require([at - 1 for at in back] == some[::-1], f"backwards at {back}")
        client.go_to(str(some[0]))
        require(int.from_bytes(bytes.fromhex(client.ask(f"m{names['total']:x},8")), "little") <= 300, "above already")
        client.ask("vCont;s:p1.1")
        require(int.from_bytes(bytes.fromhex(client.ask(f"m{names['total']:x},8")), "little") > 300, "not above")


def an_access_that_was_looked_at_is_not_history_yet() -> None:
    """After many that do not count an access is made first and judged then. At the live end it may yet change."""
    names = symbols()
    total = names["total"]
    with live() as served, Packets(served) as client:
        above = expression("24", "00000096", "24", f"{total:08x}", "1a", "15", END)
        place = f"Z2,{total:x},8"
        require(client.ask(f"{place};{above}") == "OK", "no Z2")
        require(client.ask("vCont;c").startswith(f"T05watch:{total:x};"), "it does not stop")
        here = client.place()
        require("100.0%" in client.monitor("when"), "that is not the live end")
        before = client.ask(f"m{total:x},8")
        require(int.from_bytes(bytes.fromhex(before), "little") <= 150, "the access is made")
        require(client.ask("vCont;c").startswith(f"T05watch:{total:x};") and client.place() == here, "it goes on")
        # Another history from here on.
        client.ask("z" + place[1:])
        require(client.ask(f"M{total:x},8:" + "01" + "00" * 7) == "OK", "no write")
        client.ask("vCont;s:p1.1")
        after, there = client.ask(f"m{total:x},8"), client.place()
        require(client.ask("bc").startswith("T05replaylog:begin"), "no beginning")
        require(client.ask("vCont;c").startswith("T05replaylog:end"), "no end")
        require(client.place() == there and client.ask(f"m{total:x},8") == after, "it replays as something else")
        client.go_to(str(here[0]))
        require(client.place() == here and client.ask(f"m{total:x},8") == before, "the place is another one")


def commands_print_and_go_on() -> None:
    names = symbols()
    with replay() as served, Packets(served) as client:
        place = f"Z0,{names['mix']:x},4"
        odd = expression(reg(A0), const(1), "0f", END)
        require(client.ask(f"{place};{odd};cmds:1," + printf(r"a0=%ld\n", reg(A0))) == "OK", "no commands")
        client.printed = ""
        require(client.ask("vCont;c").startswith("T05replaylog:end;"), "it stops")
        printed = "".join(f"a0={i}\n" for i in range(1, 40, 2))
        said = client.printed.removesuffix("retrov: test finisher: pass\n")
        require(said == printed, f"it prints {said!r}")
        client.printed = ""
        require(client.ask("bc").startswith("T05replaylog:begin;"), "it stops on the way back")
        require(client.printed == "".join(f"a0={i}\n" for i in range(39, 0, -2)), f"back it prints {client.printed!r}")
        # A command that faults says so and does not stop; a step that arrives there prints, too.
        command = expression(const(1), const(0), DIVIDE, "29", END)
        client.ask(f"{place};cmds:0,{command}")
        client.printed = ""
        require(client.ask("vCont;c").startswith("T05replaylog:end;"), "it stops")
        require(client.printed.count("division by zero") == 40, f"it prints {client.printed!r}")
        client.ask("z" + place[1:])
        client.ask(place)
        client.ask("bc")
        at = client.place()[0]
        client.ask(f"{place};cmds:0," + printf("here"))
        client.go_to(str(at - 1))
        client.printed = ""
        client.ask("vCont;s:p1.1")
        require(client.printed == "here" and client.place()[0] == at, "a step there prints nothing")


def what_is_no_expression_is_refused() -> None:
    with replay() as served, Packets(served) as client:
        place = "Z0,80000000,4;"
        for bad in ("X1,26", "X3,260", "X1,zz", "X9,27", "Y1,27", "X1", "X2,0227", "X1,27", "cmds:", "cmds:1,Y",
                    "cmds:1,X2,3400", "X", "X3,2201"):
            answer = client.ask(place + bad)
            require(answer.startswith("E."), f"{bad} is answered {answer!r}")
        require(client.ask("vCont;c").startswith("T05replaylog:end"), "one of them was set")


gdb_lets_the_stub_decide()
dprintf_in_agent_style()
both_ways_find_what_holds()
watchpoints_have_conditions_too()
an_access_that_was_looked_at_is_not_history_yet()
commands_print_and_go_on()
what_is_no_expression_is_refused()
