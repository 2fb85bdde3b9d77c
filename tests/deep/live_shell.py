"""gdb at the shell prompt of a live Linux session on two harts: the last writer of a kernel variable, and a thousand
steps there and back with the same positions and hashes. Prints what that costs in seconds of CPU; how much it may cost
is no matter of a test's."""
import random
import re
import subprocess
import sys
import time

from _linux import PROMPT, ROOT, require, start

sys.path.insert(0, str(ROOT / "tests/gdb"))
from _session import Packets, position  # noqa: E402

STEPS = 1000
VARIABLE = "system_state"
FUNCTION = "do_sys_openat2"


class Shell:
    """The guest at its prompt, and where gdb can attach."""

    def __init__(self) -> None:
        self.guest = start("-gdb", "tcp::0", subcommand="run")
        line = self.guest.process.stderr.readline().decode()
        match = re.search(r"target remote \S*:(\d+)", line)
        require(match is not None, f"retrov says {line!r} instead of where gdb can attach")
        self.port = int(match.group(1))
        self.guest.wait_for("shell ready")
        self.guest.wait_for(PROMPT)
        listed = self.guest.run(f"grep -wE '{VARIABLE}|{FUNCTION}' /proc/kallsyms", PROMPT)
        self.symbols = {name: int(value, 16) for value, name in re.findall(r"([0-9a-f]{16}) \w (\w+)", listed)}
        require(set(self.symbols) == {VARIABLE, FUNCTION}, f"/proc/kallsyms has not both: {listed}")

    def cpu_seconds(self) -> float:
        return self.guest.cpu_seconds()


def gdb(shell: Shell, *commands: str) -> list[str]:
    arguments = ["gdb-multiarch", "-nx", "-batch", "-ex", "set pagination off"]
    for command in (f"target remote 127.0.0.1:{shell.port}", *commands):
        arguments += ["-ex", "echo <<<\\n", "-ex", command]
    answered = subprocess.run(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, check=False)
    return [part.strip() for part in answered.stdout.split("<<<\n")[2:]]


def find_last_writer(shell: Shell) -> None:
    variable = f"*(int *) {shell.symbols[VARIABLE]:#x}"
    before = shell.cpu_seconds()
    answers = gdb(shell, "monitor when", f"watch {variable}", "reverse-continue", "delete", "monitor when",
                  f"print {variable}", "stepi", f"print {variable}", "monitor goto end", "stepi", "monitor when")
    used = shell.cpu_seconds() - before
    end, written, old, new = position(answers[0]), position(answers[4]), answers[5], answers[7]
    require(re.search(r"Old value = \d+\s+New value = \d+", answers[2]) is not None, f"no last writer: {answers[2]}")
    require(old.split("= ")[1] != new.split("= ")[1], f"the store changes nothing: {old}, {new}")
    require(position(answers[-1]) == end, "the live end is elsewhere")
    print(f"watch {VARIABLE}, reverse-continue: from step {end:,} to {written:,}, {used:.2f} s of CPU", flush=True)


def there_and_back(shell: Shell, client: Packets, mode: str, where: str) -> None:
    client.monitor(f"step-irq {mode}")
    thread = client.ask("qC").removeprefix("QC")
    client.ask(f"Hc{thread}")
    step = f"vCont;s:{thread};c:p1.-1"
    client.ask(step)
    start_place = client.place()
    looked_at = set(random.Random(start_place[0]).sample(range(1, STEPS), 20))
    seen = {}
    forward = back = 0.0
    before = shell.cpu_seconds()
    for index in range(1, STEPS + 1):
        stop = client.ask(step)
        while stop.startswith("T05replaylog:end;"):
            stop = client.ask(step)
        require(stop.startswith("T05thread:"), f"step {index} ends by {stop}")
        if index in looked_at:
            forward += shell.cpu_seconds() - before
            seen[index] = client.place()
            before = shell.cpu_seconds()
    forward += shell.cpu_seconds() - before
    end_place = client.place()
    before = shell.cpu_seconds()
    for index in range(STEPS - 1, -1, -1):
        stop = client.ask("bs")
        require(stop.startswith("T05thread:"), f"step back to {index} ends by {stop}")
        if index in looked_at:
            back += shell.cpu_seconds() - before
            require(client.place() == seen[index], f"{where}, {mode}: index {index} is {client.place()}, "
                                                   f"and was {seen[index]}")
            before = shell.cpu_seconds()
    back += shell.cpu_seconds() - before
    require(client.place() == start_place, f"{where}, {mode}: back at {client.place()}, not at {start_place}")
    print(f"{where}, step-irq {mode}: {STEPS} steps over {end_place[0] - start_place[0]:,} positions, {forward:.2f} s "
          f"of CPU; back {back:.2f} s", flush=True)


def both_modes(shell: Shell, client: Packets, where: str) -> None:
    """From the same start: the end of the first thousand may lie in a handler."""
    begin = client.place()[0]
    for mode in ("skip", "enter"):
        client.go_to(str(begin))
        there_and_back(shell, client, mode, where)
    client.go_to("end")


shell = Shell()
# Until there is nothing left to do but to wait.
time.sleep(2)
try:
    print(f"at the prompt: {shell.cpu_seconds():.1f} s of CPU", flush=True)
    find_last_writer(shell)
    with Packets(shell) as packets:
        both_modes(shell, packets, "idle at the prompt")
        # In the middle of a command's work, behind a system call: no interrupt handler is open there.
        packets.ask(f"Z0,{shell.symbols[FUNCTION]:x},2")
        shell.guest.type("ls /")
        hit = packets.ask("vCont;c")
        require(hit.startswith("T05swbreak:;"), f"{FUNCTION} is not reached: {hit}")
        packets.ask(f"z0,{shell.symbols[FUNCTION]:x},2")
        both_modes(shell, packets, FUNCTION)
finally:
    shell.guest.process.kill()
