#!/usr/bin/env python3
"""What people type at gdb every day, against a live session and a recording: calls, `find`, `compare-sections`, `dump`,
`until`, `advance`, thousands of instructions at once, and leaving without a word and coming back."""
import re
import subprocess
import tempfile
from pathlib import Path

from _session import Gdb, elf, live, replay, require

HARTS = 2


def section(name: str) -> bytes:
    """Its bytes as they are in the file."""
    with tempfile.TemporaryDirectory() as folder:
        out = str(Path(folder) / "bytes")
        subprocess.run(
            ["riscv64-linux-gnu-objcopy", "-O", "binary", f"--only-section={name}", elf("debuggee"), out], check=True)
        return Path(out).read_bytes()


def functions_are_called() -> None:
    with live() as served, Gdb(served) as gdb:
        gdb.ask("tbreak run_round if round == 3")
        gdb.expect("continue", r"Temporary breakpoint 1, run_round \(round=round@entry=3\)")
        before = gdb.ask("info registers"), gdb.ask("backtrace")
        gdb.expect("print factorial(5)", r"= 120$")
        gdb.expect("print mix(2, 3)", rf"= {(2 + 3) * 5 ^ 3}$")
        balance = gdb.value("account.balance")
        gdb.expect("call pay(&account, 11)", "^$")
        require(gdb.value("account.balance") == balance + 11, "a call left no trace in memory")
        require((gdb.ask("info registers"), gdb.ask("backtrace")) == before, "a call does not put registers back")
        # A breakpoint inside stops the call; it can be looked at, completed, or given up.
        gdb.ask("break factorial if n == 1")
        inside = r"Breakpoint 2, factorial \(n=(n@entry=)?1\).*stopped while in a function called from GDB"
        gdb.expect("print factorial(3)", inside)
        gdb.expect("backtrace", r"#3 +<function called from gdb>\s+#4 +run_round")
        gdb.expect("finish", r"Value returned is .* = 1$")
        gdb.expect("continue", "Continuing")
        require((gdb.ask("info registers"), gdb.ask("backtrace")) == before, "a completed call does not put them back")
        gdb.ask("set unwindonsignal on")
        gdb.expect("print factorial(4)", inside)
        gdb.ask("set confirm off")
        gdb.ask("frame function run_round")
        gdb.ask("return")
        gdb.expect("info symbol $pc", "main")


def memory_is_searched_compared_and_dumped() -> None:
    for start in (live, replay):
        with start() as served, Gdb(served) as gdb:
            gdb.ask("tbreak run_round")
            gdb.ask("continue")
            answer = gdb.ask("compare-sections")
            require(len(re.findall(r"Section \S+, range 0x\S+ -- 0x\S+: matched\.", answer)) >= 3, answer)
            require(re.search(r"Section \.data, .*: MIS-MATCHED!", answer), f"what main wrote is not seen: {answer}")
            gdb.expect("compare-sections .text", r"\.text, .*: matched\.")
            rodata = section(".rodata")
            found = gdb.expect('find &_start, +0x10000, "rounds done\\n"', r"(0x[0-9a-f]+).*1 pattern found")
            gdb.expect(f"x/s {found.group(1)}", r'"rounds done\\n"')
            # Every place, and a step of four bytes.
            gdb.expect("find /w &limit, +4, 3", r"<limit>\s+1 pattern found\.")
            gdb.expect("find /w &limit, +4, 0x12345678", "Pattern not found")
            twice = gdb.expect("find /b /2 $pc, +0x1000, 0x93", r"(0x\w+)\s.*(0x\w+)\s.*2 patterns found")
            require(twice.group(1) != twice.group(2), "the same place twice")
            with tempfile.TemporaryDirectory() as folder:
                dumped = Path(folder) / "dumped"
                base = int(re.search(r"range (0x\w+) -- ", gdb.ask("compare-sections .rodata")).group(1), 16)
                gdb.expect(f"dump binary memory {dumped} {base} {base + len(rodata)}", "^$")
                require(dumped.read_bytes() == rodata, "dump memory writes something else")
                gdb.expect(f"dump binary value {dumped} account", "^$")
                require(dumped.read_bytes()[0] == 7, "dump value writes something else")
                # A megabyte, most of which is nothing.
                gdb.expect(f"dump binary memory {dumped} {base} {base + (1 << 20)}", "^$")
                require(dumped.read_bytes()[: len(rodata)] == rodata, "a long dump begins with something else")
                require(dumped.stat().st_size == 1 << 20, "a long dump is short")
                gdb.expect(f"dump binary memory {dumped} 0 4", "Cannot access memory at address 0x0")


def memory_is_restored() -> None:
    with live() as served, Gdb(served) as gdb, tempfile.TemporaryDirectory() as folder:
        saved = Path(folder) / "saved"
        gdb.ask("tbreak run_round if round == 2")
        gdb.ask("continue")
        table = gdb.ask("output table")
        gdb.expect(f"dump binary value {saved} table", "^$")
        gdb.ask("set var table[0] = 12345")
        gdb.expect(f"restore {saved} binary &table", "Restoring binary file")
        require(gdb.ask("output table") == table, "restore leaves something else")


def source_is_run_to() -> None:
    for start in (live, replay):
        with start() as served, Gdb(served) as gdb:
            gdb.ask("tbreak run_round")
            gdb.expect("continue", "Temporary breakpoint 1, run_round")
            gdb.expect("info breakpoints", "No breakpoints")
            gdb.expect("advance store", r"store \(slot=.*table\[slot\] = value")
            first = gdb.step_number()
            # Both end where the frame returns, at the latest.
            gdb.expect("advance factorial", r"run_round \(.*long product = factorial")
            gdb.expect("advance factorial", r"factorial \(n=(n@entry=)?2\)")
            gdb.expect("until", r"return n \* factorial")
            gdb.expect("until run_round", r"run_round \(.*long product = factorial")
            gdb.expect("advance pay", r"pay \(")
            # Backwards as well.
            gdb.ask("set exec-direction reverse")
            gdb.expect("advance store", r"store \(")
            require(gdb.step_number() == first, "advance meets another call in reverse")
            gdb.expect("advance mix", r"mix \(a=")
            require(gdb.step_number() < first, "advance went forward")


def many_instructions_are_shown() -> None:
    with live() as served, Gdb(served) as gdb:
        gdb.ask("tbreak run_round")
        gdb.ask("continue")
        shown = [line for line in gdb.ask("x/10000i _start").splitlines() if "<" in line or ":" in line]
        require(len(shown) == 10000, f"{len(shown)} instructions")
        require("<_start>" in shown[0] and "auipc" in shown[0], shown[0])
        words = gdb.ask("x/10000xw _start").splitlines()
        require(len(words) == 2500, f"{len(words)} lines of words")


def all_registers_are_shown() -> None:
    with replay("-g", "50%") as served, Gdb(served) as gdb:
        answer = gdb.ask("info registers all")
        for name in ("zero", "t6", "pc", "ft0", "fcsr", "mstatus", "satp", "mhartid", "priv", "pmpaddr15"):
            require(re.search(rf"^{name}\s+\S", answer, re.MULTILINE), f"no {name} in {answer}")
        require("unavailable" not in answer and "rror" not in answer, answer)


def every_hart_has_a_backtrace() -> None:
    with live() as served, Gdb(served) as gdb:
        gdb.ask("tbreak store if slot == 5")
        gdb.ask("continue")
        answer = gdb.ask("thread apply all backtrace")
        require(len(re.findall(r"^Thread \d ", answer, re.MULTILINE)) == HARTS, answer)
        require(re.search(r"#0 .* store .*#1 .* run_round .*#2 .* main ", answer, re.DOTALL), answer)
        require(re.search(r"run_worker|work \(\)", answer), answer)


def pc_is_set() -> None:
    with live() as served, Gdb(served) as gdb:
        gdb.ask("tbreak store")
        gdb.ask("continue")
        table = gdb.ask("output table")
        # Straight to the return: the store does not happen.
        gdb.ask("set $pc = $ra")
        gdb.expect("info symbol $pc", "run_round")
        gdb.ask("tbreak pay")
        gdb.expect("continue", "pay ")
        require(gdb.ask("output table") == table, "the instruction that was left out was executed")
        # It is in history, like whatever gdb writes at the live end: the second time, too, nothing is stored.
        gdb.ask("tbreak mix")
        gdb.expect("reverse-continue", r"mix \(")
        gdb.ask("tbreak pay")
        gdb.expect("continue", r"pay \(")
        require(gdb.ask("output table") == table, "history goes through what was left out")
        # In the past it is refused, and nothing has moved.
        place = gdb.step_number()
        gdb.ask("reverse-stepi")
        gdb.expect("jump mix", "the past is read-only")
        require(gdb.step_number() == place - 1, "a refused jump moved the machine")


def gdb_disconnects_and_comes_back() -> None:
    for start in (live, replay):
        with start() as served:
            with Gdb(served) as gdb:
                gdb.ask("break store")
                gdb.ask("continue")
                gdb.ask("continue")
                place = gdb.step_number()
                gdb.expect("disconnect", "Ending remote debugging")
                gdb.expect(f"target remote 127.0.0.1:{served.port}", "store")
                require(gdb.step_number() == place, "not where gdb left")
                # Its breakpoints are still gdb's, and it sets them again.
                gdb.expect("continue", "Breakpoint 1, store")
                place = gdb.step_number()
                gdb.expect("disconnect", "Ending remote debugging")
            with Gdb(served) as gdb:
                require(gdb.step_number() == place, "not where the other gdb left")
                gdb.ask("tbreak store")
                gdb.expect("reverse-continue", "store")
                require(gdb.step_number() < place, "no way back after attaching again")


functions_are_called()
memory_is_searched_compared_and_dumped()
memory_is_restored()
source_is_run_to()
many_instructions_are_shown()
all_registers_are_shown()
every_hart_has_a_backtrace()
pc_is_set()
gdb_disconnects_and_comes_back()
