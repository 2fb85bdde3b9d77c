#!/usr/bin/env python3
"""R19: how many hits whose condition does not hold the machine passes in a second of its own CPU time, forwards and in
a search backwards. Prints the rates; what must hold at any speed is that not one hit is missed."""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "gdb"))
from _session import Packets, live, require, symbols  # noqa: E402

WANTED = 3_000_000


def word(client: Packets, address: int) -> int:
    return int.from_bytes(bytes.fromhex(client.ask(f"m{address:x},8")), "little")


def condition(address: int, value: int) -> str:
    """*(long *) address == value"""
    code = f"24{address:08x}1a24{value:08x}1327"
    return f"X{len(code) // 2:x},{code}"


def main() -> None:
    names = symbols()
    spins, spin = names["spins"], names["spin"]
    with live("debuggee", 1) as served, Packets(served) as client:
        require(client.ask(f"M{names['mode']:x},4:02000000") == "OK", "no mode")
        client.ask(f"Z0,{spin:x},4")
        client.ask("vCont;c")
        client.ask(f"z0,{spin:x},4")
        client.ask("vCont;s:p1.1")
        # The loop's first instruction: where ten steps lead twice.
        seen = []
        while True:
            pc = int.from_bytes(bytes.fromhex(client.ask("p20")), "little")
            if pc in seen:
                break
            seen.append(pc)
            client.ask("vCont;s:p1.1")
        begin = word(client, spins)
        for name, place in (("Z0", f"Z0,{pc:x},4"), ("Z2", f"Z2,{spins:x},8")):
            count = WANTED if name == "Z0" else WANTED // 3
            start, cpu = word(client, spins), served.cpu_seconds()
            require(client.ask(f"{place};{condition(spins, start + count)}") == "OK", "no condition")
            client.ask("vCont;c")
            spent = served.cpu_seconds() - cpu
            passed = word(client, spins) - start
            require(passed in (count, count - 1), f"{name}: it stops after {passed} rounds")
            print(f"{name} forward: {passed} false hits, {passed / spent / 1e6:.2f} million a second")
            client.ask("z" + place[1:])
            # Backwards to the first round after the start.
            client.ask("vCont;s:p1.1")
            cpu = served.cpu_seconds()
            client.ask(f"{place};{condition(spins, start + 1)}")
            require("replaylog" not in client.ask("bc"), f"{name}: nothing found backwards")
            spent = served.cpu_seconds() - cpu
            require(word(client, spins) == start + 1, f"{name}: backwards it stops at {word(client, spins)}")
            print(f"{name} backward: {passed} false hits, {passed / spent / 1e6:.2f} million a second")
            client.ask("z" + place[1:])
            client.monitor("goto end")
            client.ask("vCont;s:p1.1")
        require(word(client, spins) > begin, "nothing has run")


main()
