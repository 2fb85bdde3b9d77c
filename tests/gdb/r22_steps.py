#!/usr/bin/env python3
"""R22, R25: a thousand steps of a hart and a thousand back, over interrupts and the other hart's turns: the same
positions and the same state hashes at both ends and on the way."""
# Handlers: bs vCont; monitor:step-irq
import random
import re

from _session import Packets, live, replay, require, symbols

STEPS = 1000


def pc_of(stop: str) -> int:
    return int.from_bytes(bytes.fromhex(re.search(r";20:([0-9a-f]{16});", stop).group(1)), "little")


def there_and_back(client: Packets, thread: int, looked_at: set[int]) -> list[int]:
    """Returns the pcs that were stopped at."""
    client.ask(f"Hcp1.{thread}")
    # After one step the hart stands at a stop.
    client.ask(f"vCont;s:p1.{thread};c:p1.-1")
    start = client.place()
    seen: dict[int, tuple[int, str]] = {}
    pcs: dict[int, int] = {}
    for index in range(1, STEPS + 1):
        stop = client.ask(f"vCont;s:p1.{thread};c:p1.-1")
        require(stop.startswith(f"T05thread:p1.{thread};"), f"step {index} ends by {stop}")
        pcs[index] = pc_of(stop)
        if index in looked_at:
            seen[index] = client.place()
    end = client.place()
    for index in range(STEPS - 1, -1, -1):
        stop = client.ask("bs")
        require(stop.startswith(f"T05thread:p1.{thread};"), f"step back to {index} ends by {stop}")
        if index > 0:
            require(pc_of(stop) == pcs[index], f"step back to {index} ends at {pc_of(stop):#x}, not {pcs[index]:#x}")
        if index in looked_at:
            require(client.place() == seen[index], f"index {index} is {client.place()}, and was {seen[index]}")
    require(client.place() == start, f"back at {client.place()} instead of {start}")
    # And there again, by a jump.
    client.go_to(str(end[0]))
    require(client.place() == end, "the end is another one")
    client.go_to(str(start[0]))
    return list(pcs.values())


def in_handler(pc: int) -> bool:
    """In on_timer, or in set_timer, which lies before it."""
    return symbols_of["set_timer"] <= pc < min(at for at in symbols_of.values() if at > symbols_of["on_timer"])


def check(client: Packets) -> None:
    choice = random.Random(22)
    client.ask(f"Z0,{symbols_of['run_round']:x},2")
    client.ask("vCont;c")
    client.ask(f"z0,{symbols_of['run_round']:x},2")
    for mode in ("enter", "skip"):
        require(client.monitor(f"step-irq {mode}") == f"step-irq {mode}\n", f"no step-irq {mode}")
        looked_at = set(choice.sample(range(1, STEPS), 20))
        ticks = f"m{symbols_of['ticks']:x},8"
        begin = int(client.ask(f"m{symbols_of['ticks']:x},1"), 16)
        pcs = there_and_back(client, 1, looked_at)
        require(int(client.ask(ticks)[:2], 16) in (begin, begin + 1), "not back at the beginning")
        entered = sum(in_handler(pc) for pc in pcs)
        require((entered > 100) == (mode == "enter"), f"step-irq {mode}: {entered} stops in the handler")
        # The other hart's stops are its own, whoever has the turn.
        there_and_back(client, 2, set(choice.sample(range(1, STEPS), 20)))


def steps_from_inside_a_handler_stay_there() -> None:
    with replay() as served, Packets(served) as client:
        client.ask(f"Z0,{symbols_of['on_timer']:x},2")
        client.ask("vCont;c")
        client.ask(f"z0,{symbols_of['on_timer']:x},2")
        inside, ticks = 0, int(client.ask(f"m{symbols_of['ticks']:x},1"), 16)
        start = client.place()
        stop = client.ask("?")
        while in_handler(pc_of(stop)):
            stop = client.ask("vCont;s:p1.1;c:p1.-1")
            inside += 1
        require(inside > 40, f"skip: only {inside} stops in the handler that it stands in")
        require(int(client.ask(f"m{symbols_of['ticks']:x},1"), 16) == ticks + 1, "another interrupt was taken")
        # From behind it the handler is one with the instruction that it interrupted.
        client.ask("vCont;s:p1.1;c:p1.-1")
        client.ask("bs")
        client.ask("bs")
        require(not in_handler(pc_of(client.ask("?"))), "bs goes into a handler")
        require(client.place()[0] < start[0], "bs does not go over the handler")


def steps_over_waits() -> None:
    """In a loop of WFI that a timer ends, the other hart asleep for good."""
    with live() as served, Packets(served) as client:
        client.ask(f"M{symbols_of['mode']:x},4:04000000")
        client.ask(f"Z0,{symbols_of['echo']:x},2")
        client.ask("vCont;c")
        client.ask(f"z0,{symbols_of['echo']:x},2")
        choice = random.Random(4)
        ticks = f"m{symbols_of['ticks']:x},8"
        for mode in ("enter", "skip"):
            client.monitor(f"step-irq {mode}")
            client.monitor("edge go")
            pcs = there_and_back(client, 1, set(choice.sample(range(1, STEPS), 20)))
            require(any(in_handler(pc) for pc in pcs) == (mode == "enter"), f"step-irq {mode} in a loop of waits")
        begin = int.from_bytes(bytes.fromhex(client.ask(ticks)), "little")
        client.go_to("end")
        require(int.from_bytes(bytes.fromhex(client.ask(ticks)), "little") > begin + 50, "hardly any wait")


symbols_of = symbols()
with replay() as session, Packets(session) as packets:
    check(packets)
with live() as session, Packets(session) as packets:
    # The second hart's thousand steps reach further than the first one's: through the end of history.
    packets.monitor("edge go")
    check(packets)
steps_from_inside_a_handler_stay_there()
steps_over_waits()
