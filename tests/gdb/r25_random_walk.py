#!/usr/bin/env python3
"""R25: whatever way leads to a position, the state there is the same. A random walk of steps, resumes, jumps and
changing breakpoints, forwards and backwards, compares the hash at each position with the one seen there before."""
# Handlers: bs
import random

from _session import Packets, live, replay, require, symbols

MOVES = 1200


def random_stop(choice: random.Random, names: dict[str, int]) -> str:
    kind = choice.choice("00123")
    if kind in "01":
        return f"{kind},{names[choice.choice(('run_round', 'mix', 'work', 'on_timer', 'factorial', 'put_char'))]:x},2"
    return f"{kind},{names[choice.choice(('total', 'table', 'ticks', 'worked', 'limit', 'account', 'ratio'))]:x},8"


def random_move(choice: random.Random, client: Packets) -> str:
    what = choice.choice(("s", "s", "s", "bs", "bs", "bs", "c", "bc", "bc", "r", "goto"))
    thread = choice.choice((1, 2))
    if what == "s":
        return client.ask(f"vCont;s:p1.{thread};c:p1.-1")
    if what == "r":
        pc = int.from_bytes(bytes.fromhex(client.ask("p20")), "little")
        return client.ask(f"vCont;r{pc:x},{pc + choice.choice((2, 16, 64)):x}:p1.{thread};c:p1.-1")
    if what == "goto":
        return client.go_to(f"{choice.randrange(100)}%")
    if what == "bs":
        client.ask(f"Hcp1.{thread}")
        return client.ask("bs")
    return client.ask("vCont;c" if what == "c" else "bc")


def walk(client: Packets, seed: int) -> None:
    names = symbols()
    choice = random.Random(seed)
    known: dict[int, str] = {}
    again = 0
    stops: list[str] = []
    for _ in range(MOVES):
        if choice.random() < 0.3:
            client.monitor("step-irq " + choice.choice(("enter", "skip")))
            for stop in stops:
                client.ask("z" + stop)
            stops = [random_stop(choice, names) for _ in range(choice.randrange(4))]
            for stop in stops:
                require(client.ask("Z" + stop) == "OK", f"Z{stop}")
        answer = random_move(choice, client)
        require(answer.startswith("T0"), f"a move is answered {answer}")
        position, hashed = client.place()
        again += position in known
        require(known.setdefault(position, hashed) == hashed, f"seed {seed}: step {position} is {hashed}, "
                                                              f"and was {known[position]}; stops {stops}")
    require(again > MOVES // 10, f"only {again} positions were seen twice")


with replay("-g", "30%") as session, Packets(session) as packets:
    walk(packets, 25)
with live() as session, Packets(session) as packets:
    walk(packets, 26)
