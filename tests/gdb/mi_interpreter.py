#!/usr/bin/env python3
"""gdb/MI, as VS Code's cppdbg and native-debug speak it: both directions, breakpoints, watchpoints, what a stop says at
both ends of history, and everything an editor looks at in between."""
import os
import re
import select
import subprocess
import time

from _session import NO_MORE, PATIENCE_SECONDS, Served, elf, let_end, live, own_environment, replay, require, symbols

# Debian 12's, and 16, which names the reason of a stop at either end of history.
NEWER = subprocess.run(["scripts/newer-gdb"], check=True, capture_output=True, text=True).stdout.strip()
GDBS = ("gdb-multiarch", NEWER)
# From this version on the end of history is a reason to stop, where 13 has only text for it.
FIRST_WITH_NO_HISTORY = 16


def major_version(gdb: str) -> int:
    said = subprocess.run([gdb, "--version"], check=True, capture_output=True, text=True).stdout
    return int(re.search(r"^GNU gdb .* (\d+)\.", said).group(1))


class Mi:
    """Numbered commands, each answered by a result record; the records that come by themselves are kept."""

    def __init__(self, gdb: str, interpreter: str = "mi"):
        self.process = subprocess.Popen(
            [gdb, "-nx", "-q", f"--interpreter={interpreter}", elf("debuggee")], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=own_environment(), start_new_session=True,
        )
        self.names_no_history = major_version(gdb) >= FIRST_WITH_NO_HISTORY
        self.transcript = ""
        self.unread = b""
        self.records: list[str] = []
        self.number = 0

    def _line(self) -> str:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while b"\n" not in self.unread:
            ready, _, _ = select.select([self.process.stdout], [], [], max(0, deadline - time.monotonic()))
            require(ready, "gdb does not answer")
            chunk = os.read(self.process.stdout.fileno(), 65536)
            require(chunk, "gdb has ended")
            self.unread += chunk
        line, self.unread = self.unread.split(b"\n", 1)
        text = line.decode(errors="replace").rstrip()
        self.transcript += text + "\n"
        return text

    def ask(self, command: str) -> str:
        """The result record of a command, without its number; anything but an error."""
        answer = self.result(command)
        require(not answer.startswith("^error"), f"{command}: {answer}")
        return answer

    def result(self, command: str) -> str:
        self.number += 1
        line = f"{self.number}{command}\n"
        self.transcript += line
        self.process.stdin.write(line.encode())
        self.process.stdin.flush()
        while not (text := self._line()).startswith(f"{self.number}^"):
            self.records.append(text)
        return text[len(str(self.number)) :]

    def expect(self, command: str, pattern: str) -> re.Match:
        answer = self.ask(command)
        match = re.search(pattern, answer)
        require(match, f"{command} should say {pattern}: {answer}")
        return match

    def resume(self, command: str, pattern: str) -> str:
        """A command that moves the machine: running at once, and then a stop that says `pattern`."""
        self.records.clear()
        self.expect(command, r"^\^running")
        while not (stops := [record for record in self.records if record.startswith("*stopped")]):
            self.records.append(self._line())
        require(re.search(pattern, stops[0]), f"{command} should stop with {pattern}: {stops[0]}")
        require('thread-id="' in stops[0], f"no thread in {stops[0]}")
        return stops[0]

    def resume_to_an_end(self, command: str) -> None:
        reason = 'reason="no-history"'
        stop = self.resume(command, reason if self.names_no_history else "^")
        require(self.names_no_history or "reason=" not in stop, f"another stop: {stop}")
        require(any(re.search(NO_MORE, record) for record in self.records), f"{command}: not the end, {stop}")

    def evaluate(self, expression: str) -> str:
        return self.expect(f"-data-evaluate-expression {expression}", r'value="([^"]*)"').group(1)

    def __enter__(self) -> "Mi":
        return self

    def __exit__(self, kind, *_) -> None:
        if kind is not None:
            print(self.transcript)
        let_end(self.process)


def attach(mi: Mi, served: Served) -> None:
    mi.ask("-gdb-set confirm off")
    mi.ask("-gdb-set pagination off")
    mi.ask(f"-target-select remote 127.0.0.1:{served.port}")


def both_directions(start, gdb: str, interpreter: str) -> None:
    with start() as served, Mi(gdb, interpreter) as mi:
        attach(mi, served)
        # By this word a front end knows that it can offer going back.
        mi.expect("-list-target-features", '"reverse"')
        mi.expect("-break-insert -t -f run_round", r'type="breakpoint",disp="del".*func="run_round"')
        mi.resume("-exec-continue", r'reason="breakpoint-hit",disp="del".*func="run_round"')
        mi.resume("-exec-next", r'reason="end-stepping-range".*func="run_round"')
        mi.resume("-exec-next", r'reason="end-stepping-range".*func="run_round"')
        line = mi.expect("-stack-info-frame", r'func="run_round".*line="(\d+)"').group(1)
        mi.resume("-exec-step", r'reason="end-stepping-range".*func="store"')
        mi.resume("-exec-finish", r'reason="function-finished".*func="run_round"')
        mi.resume("-exec-next --reverse", r'reason="end-stepping-range".*func="run_round"')
        mi.resume("-exec-next", r'reason="end-stepping-range".*func="run_round"')
        mi.resume("-exec-step --reverse", r'reason="end-stepping-range".*func="store"')
        mi.resume("-exec-finish --reverse", rf'func="run_round".*line="{line}"')
        at_call = mi.evaluate("$pc")
        mi.resume("-exec-step-instruction --reverse", r'reason="end-stepping-range".*func="run_round"')
        mi.resume("-exec-step-instruction", r'reason="end-stepping-range".*func="run_round"')
        require(mi.evaluate("$pc") == at_call, "a step does not undo a step back")
        mi.resume("-exec-next-instruction", r'func="run_round"')
        mi.resume("-exec-next-instruction --reverse", r'func="run_round"')
        require(mi.evaluate("$pc") == at_call, "a next does not undo a next back")
        number = mi.expect("-break-insert mix", r'number="(\d+)"').group(1)
        mi.resume("-exec-continue --reverse", rf'reason="breakpoint-hit".*bkptno="{number}".*func="mix"')
        mi.ask(f"-break-delete {number}")
        mi.resume("-exec-until store", r'reason="location-reached".*func="run_round"')
        # The debug console of those that have no buttons for it: a command, or the other buttons turned around.
        place = mi.evaluate("$pc")
        mi.resume('-interpreter-exec console "reverse-stepi"', 'func="')
        mi.ask('-interpreter-exec console "set exec-direction reverse"')
        mi.resume("-exec-step-instruction", r'reason="end-stepping-range"')
        mi.ask('-interpreter-exec console "set exec-direction forward"')
        mi.resume("-exec-step-instruction 2", r'reason="end-stepping-range"')
        require(mi.evaluate("$pc") == place, "two steps do not undo two steps back")
        mi.resume_to_an_end("-exec-continue --reverse")
        mi.resume_to_an_end("-exec-step-instruction --reverse")
        require(mi.evaluate("$pc").startswith("0x1000"), "not at the beginning")


def conditions_and_watchpoints(gdb: str) -> None:
    with replay("-e") as served, Mi(gdb) as mi:
        attach(mi, served)
        total = int(mi.evaluate("total"))
        watch = mi.expect("-break-watch total", r'wpt=\{number="(\d+)",exp="total"').group(1)
        # Round 39 adds factorial(2), round 38 factorial(4).
        for added in (2, 24):
            stop = mi.resume("-exec-continue --reverse", r'reason="watchpoint-trigger".*func="run_round"')
            require(f'value={{old="{total}",new="{total - added}"}}' in stop, f"{total} - {added}: {stop}")
            total -= added
        mi.resume("-exec-continue", rf'reason="watchpoint-trigger".*value={{old="{total}",new="{total + 24}"}}')
        mi.ask(f"-break-delete {watch}")
        for kind, reason in (("-r", "read-watchpoint-trigger"), ("-a", "access-watchpoint-trigger")):
            watch = mi.expect(f"-break-watch {kind} limit", r'number="(\d+)"').group(1)
            mi.resume("-exec-continue --reverse", rf'reason="{reason}".*value="?{{?.*3')
            mi.ask(f"-break-delete {watch}")
        mi.ask('-break-insert -c "round == 7" run_round')
        mi.resume("-exec-continue --reverse", r'reason="breakpoint-hit".*func="run_round".*"round",value="7"')
        mi.expect("-break-insert -h pay", 'type="hw breakpoint"')
        mi.resume("-exec-continue", r'reason="breakpoint-hit".*func="pay"')
        mi.ask("-break-delete")
        mi.resume_to_an_end("-exec-continue")


def editors_look_around(gdb: str) -> None:
    names = symbols()
    with live() as served, Mi(gdb) as mi:
        attach(mi, served)
        mi.ask("-break-insert -t store")
        stop = mi.resume("-exec-continue", 'func="store"')
        require('frame={addr="' in stop and 'core="0"' in stop, stop)
        threads = mi.ask("-thread-info")
        require(re.search(r'id="1",target-id="Thread 1.1",details="M-mode[^"]*",name="hart 0"', threads), threads)
        require('name="hart 1"' in threads and 'current-thread-id="1"' in threads, threads)
        mi.expect("-stack-list-frames", r'level="0".*func="store".*level="1".*func="run_round".*level="2".*func="main"')
        mi.expect("-stack-info-depth", 'depth="3"')
        mi.expect("-stack-list-variables --all-values", r'"slot",arg="1",value="0".*"value",arg="1",value="\d+"')
        mi.expect("-stack-list-arguments 1 0 1", r'level="1",args=\[.*name="round",value="0"')
        mi.expect("-thread-select 2", 'new-thread-id="2".*frame={')
        mi.expect("-stack-list-frames --thread 2", r'level="0",addr="')
        mi.ask("-thread-select 1")
        mi.expect("-var-create v * account", r'name="v",numchild="2"')
        mi.expect("-var-list-children --all-values v", r'exp="owner",.*value="7".*exp="balance",.*value="100"')
        mi.ask("-break-insert -t -f run_round")
        mi.resume("-exec-continue", 'func="run_round"')
        mi.expect("-var-update --all-values v", r'name="v.balance",value="102"')
        mi.expect("-data-evaluate-expression factorial(4)", 'value="24"')
        mi.expect(f"-data-read-memory-bytes {names['limit']} 4", r'contents="03000000"')
        mi.ask(f"-data-write-memory-bytes {names['limit']} 02000000")
        require(mi.evaluate("limit") == "2", "-data-write-memory-bytes writes nothing")
        mi.expect("-data-list-register-names", r'"zero","ra","sp"')
        mi.expect("-data-list-register-values x 2 32", r'number="2",value="0x8\w+"\},\{number="32",value="0x8')
        mi.expect("-data-list-changed-registers", "changed-registers=")
        code = mi.expect("-data-disassemble -s $pc -e $pc+16 -- 2", "asm_insns=(.*)").group(1)
        require('func-name="run_round",offset="0",opcodes="' in code, code)
        mi.ask("-gdb-set var table[1] = 99")
        require(mi.evaluate("table[1]") == "99", "-gdb-set var sets nothing")
        mi.ask('-interpreter-exec console "monitor when"')
        said = [record for record in mi.records if record.startswith(("@", "~")) and "step " in record]
        require(said, "monitor says nothing")
        # A refusal is a sentence, not a broken session.
        mi.resume("-exec-step-instruction --reverse", "stopped")
        refusal = mi.result("-var-assign v.owner 8")
        require(refusal.startswith("^error"), f"written in the past: {refusal}")
        mi.expect("-data-evaluate-expression account.owner", 'value="7"')
        mi.ask("-target-disconnect")
        mi.ask(f"-target-select remote 127.0.0.1:{served.port}")
        require(mi.evaluate("account.owner") == "7", "not the same machine after attaching again")
        mi.ask("-target-detach")


def a_running_guest_is_interrupted(gdb: str) -> None:
    """cppdbg's pause button: in async mode commands are answered while the machine runs."""
    with live() as served, Mi(gdb) as mi:
        mi.ask("-gdb-set mi-async on")
        attach(mi, served)
        mi.ask("-gdb-set var mode = 2")
        mi.expect("-exec-continue", r"^\^running")
        served.wait_console(b"rounds done")
        mi.records.clear()
        mi.ask("-exec-interrupt")
        while not any(record.startswith("*stopped") for record in mi.records):
            mi.records.append(mi._line())
        mi.resume("-exec-step-instruction --reverse", "stopped")
        mi.ask("-break-insert run_round")
        mi.resume("-exec-continue --reverse", r'reason="breakpoint-hit".*name="round",value="39"')


for gdb in GDBS:
    # cppdbg asks for "mi", native-debug for a version.
    both_directions(live, gdb, "mi")
    both_directions(replay, gdb, "mi2")
    conditions_and_watchpoints(gdb)
    editors_look_around(gdb)
    a_running_guest_is_interrupted(gdb)
