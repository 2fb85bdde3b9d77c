"""R22, R25: ten thousand steps of a hart and ten thousand back, in a live Linux session on 1, 2 and 4 harts, over timer
interrupts: the same position and the same hash of the whole state at both ends and at 100 places between.

Each session is walked where all harts wait at the prompt, and where all compute, from 5,000 steps before an interrupt;
with `step-irq enter`, which stops in handlers, and from the same start with `skip`, which does not. Most of it is bare
packets, for speed; stock gdb walks a smaller part of the same way. RETROV_STEPS says how many steps.
"""
import os
import random
import re
import sys
import time

from _linux import PROMPT, ROOT, require, start

sys.path.insert(0, str(ROOT / "tests/gdb"))
from _session import Gdb, Packets, framed  # noqa: E402

STEPS = int(os.environ.get("RETROV_STEPS", "10000"))
GDB_STEPS = 300
LOOKED_AT = 100
PRIV, STVEC, SCAUSE = 65, 66 + 0x105, 66 + 0x142
TIMER_INTERRUPT = 1 << 63 | 5
HANDLER = "riscv_timer_interrupt"


class Shell:
    """The guest at its prompt, and where gdb can attach."""

    def __init__(self, harts: int) -> None:
        self.guest = start("-gdb", "tcp::0", subcommand="run", harts=harts)
        line = self.guest.process.stderr.readline().decode()
        match = re.search(r"target remote \S*:(\d+)", line)
        require(match is not None, f"retrov says {line!r} instead of where gdb can attach")
        self.port = int(match.group(1))
        self.guest.wait_for("shell ready")
        self.guest.wait_for(PROMPT)
        listed = self.guest.run(f"grep -w {HANDLER} /proc/kallsyms", PROMPT)
        found = re.search(rf"([0-9a-f]{{16}}) \w {HANDLER}", listed)
        require(found is not None, f"/proc/kallsyms has no {HANDLER}: {listed}")
        self.handler = int(found.group(1), 16)


def register(client: Packets, number: int) -> int:
    return int.from_bytes(bytes.fromhex(client.ask(f"p{number:x}")), "little")


def pc_of(stop: str) -> int:
    return int.from_bytes(bytes.fromhex(re.search(r";20:([0-9a-f]{16});", stop).group(1)), "little")


class Walk:
    """One hart's steps from where the session stands, at one of its stops, and back."""

    def __init__(self, client: Packets, thread: str, mode: str, name: str) -> None:
        self.client, self.thread, self.mode, self.name = client, thread, mode, name
        self.timer_interrupts = 0

    def check(self, holds: bool, claim: str) -> None:
        require(holds, f"{self.name}, step-irq {self.mode}: {claim}")

    def walk(self) -> None:
        client = self.client
        client.monitor(f"step-irq {self.mode}")
        client.ask(f"Hc{self.thread}")
        client.ask(f"Hg{self.thread}")
        step, stop_there = f"vCont;s:{self.thread};c:p1.-1", f"T05thread:{self.thread};"
        client.ask(step)
        begin, trap_entry = client.place(), register(client, STVEC)
        looked_at = set(random.Random(begin[0]).sample(range(1, STEPS), min(LOOKED_AT, STEPS - 1)))
        pcs, seen = [pc_of(client.ask("?"))], {}
        for index in range(1, STEPS + 1):
            stop = client.ask(step)
            self.check(stop.startswith(stop_there), f"step {index} ends by {stop}")
            pcs.append(pc_of(stop))
            if pcs[-1] == trap_entry and register(client, SCAUSE) == TIMER_INTERRUPT:
                self.timer_interrupts += 1
            if index in looked_at:
                seen[index] = client.place()
        end = client.place()
        for index in range(STEPS - 1, -1, -1):
            stop = client.ask("bs")
            self.check(stop.startswith(stop_there), f"step back to {index} ends by {stop}")
            self.check(pc_of(stop) == pcs[index], f"step back to {index} ends at {pc_of(stop):#x}, not {pcs[index]:#x}")
            if index in looked_at:
                place = client.place()
                self.check(place == seen[index], f"index {index} is {place}, and was {seen[index]}")
        self.check(client.place() == begin, f"back at {client.place()} instead of {begin}")
        # And to the end by a jump.
        client.go_to(str(end[0]))
        self.check(client.place() == end, f"the end is {client.place()}, and was {end}")
        client.go_to(str(begin[0]))
        print(f"{self.name}, step-irq {self.mode}: {STEPS} steps of {self.thread} and back over "
              f"{end[0] - begin[0]:,} positions, {self.timer_interrupts} timer interrupts entered", flush=True)


def both_modes(client: Packets, thread: str, name: str) -> None:
    begin = client.place()[0]
    walks = {mode: Walk(client, thread, mode, name) for mode in ("enter", "skip")}
    for walk in walks.values():
        client.go_to(str(begin))
        walk.walk()
    require(walks["enter"].timer_interrupts > 0, f"{name}: no timer interrupt on the way")
    require(walks["skip"].timer_interrupts == 0, f"{name}: step-irq skip enters an interrupt's handler")
    client.go_to(str(begin))


def stand_before_a_timer_interrupt(shell: Shell, client: Packets, harts: int) -> str:
    """All harts compute. The thread of the one that will be interrupted; it is in user mode, and so in no handler."""
    shell.guest.type("while :; do :; done & " * harts)
    client.raw(framed(b"vCont;c"))
    shell.guest.wait_for(PROMPT)
    # Until the scheduler has found work for every hart.
    used = shell.guest.cpu_seconds()
    while shell.guest.cpu_seconds() < used + 1:
        time.sleep(0.01)
    client.raw(b"\x03")
    require(client.answer().startswith("T02"), "no Ctrl-C")
    client.ask(f"Z0,{shell.handler:x},2")
    for _ in range(20 * harts):
        stop = client.ask("vCont;c")
        require(stop.startswith("T05swbreak:;"), f"{HANDLER} is not reached: {stop}")
        thread, at = re.search(r"thread:(p1\.\d+);", stop).group(1), client.place()[0]
        client.ask(f"z0,{shell.handler:x},2")
        client.go_to(str(at - STEPS // 2))
        client.ask(f"Hg{thread}")
        if register(client, PRIV) == 0:
            return thread
        client.go_to(str(at))
        client.ask(f"vCont;s:{thread};c:p1.-1")
        client.ask(f"Z0,{shell.handler:x},2")
    require(False, "no timer interrupt comes to a program that computes")
    return ""


def stock_gdb_walks_there_and_back(shell: Shell) -> None:
    with Gdb(shell) as gdb:
        gdb.ask("monitor step-irq enter")
        gdb.ask("monitor edge go")
        gdb.ask("stepi")
        places = []
        for _ in range(3):
            places.append((gdb.step_number(), gdb.ask("monitor hash"), gdb.value("$pc")))
            gdb.ask(f"stepi {GDB_STEPS // 3}")
        for place in reversed(places):
            gdb.ask(f"reverse-stepi {GDB_STEPS // 3}")
            there = (gdb.step_number(), gdb.ask("monitor hash"), gdb.value("$pc"))
            require(there == place, f"gdb is back at {there}, not at {place}")
        gdb.ask("detach")


def session(harts: int) -> None:
    shell = Shell(harts)
    try:
        with Packets(shell) as client:
            client.monitor("edge go")
            both_modes(client, client.ask("qC").removeprefix("QC"), f"{harts} harts at the prompt")
            client.go_to("end")
            thread = stand_before_a_timer_interrupt(shell, client, harts)
            both_modes(client, thread, f"{harts} harts, all compute")
        stock_gdb_walks_there_and_back(shell)
    finally:
        shell.guest.process.kill()


for count in (1, 2, 4):
    session(count)
