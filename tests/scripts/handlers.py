"""Disassembles the instruction handlers of this build: they must jump to one another, never call.

g++ before 15 cannot be told that a tail call is required, so it is looked at afterwards: a call in its place works at
first, and then the host's stack grows with every instruction of the guest. Handlers of the plain integer instructions
must not even make a stack frame.
"""
import os
import platform
import re
import subprocess
import sys
from pathlib import Path

KINDS = "alu|pc_relative|branch|jump|jump_indirect|load|store|fallible|general"
HANDLER = re.compile(rf"^[0-9a-f]+ <(?:void )?retrov::engine::({KINDS})[<(]")
# Not general: it calls what it runs.
FRAMELESS = ("rv_i.o", "rv_c.o", "rv_zba.o", "rv_zbs.o")


def functions(path: Path):
    """(first line, instructions) of each function of an object file."""
    listing = subprocess.run(
        ["objdump", "-d", "-C", "--no-show-raw-insn", path], capture_output=True, text=True, check=True
    ).stdout
    for block in listing.split("\n\n"):
        lines = block.strip().splitlines()
        if lines and lines[0].endswith(">:"):
            yield lines[0], [line.split("\t", 1)[1] for line in lines[1:] if "\t" in line]


def main() -> int:
    if platform.machine() != "x86_64":
        print("only x86-64 is known here")
        return 0
    objects = sorted(Path(os.environ["RETROV_BUILD"], "obj/core/isa").glob("rv_*.o"))
    bad, seen, jumps = [], 0, 0
    for path in objects:
        for name, code in functions(path):
            match = HANDLER.match(name)
            if not match:
                continue
            seen += 1
            jumps += any(re.match(r"(notrack )?jmp +\*", line) for line in code)
            if any(re.match(r"call +\*", line) for line in code):
                bad.append(f"{path.name}: calls the next handler: {name}")
            has_frame = any(re.match(r"push|sub +\$0x[0-9a-f]+,%rsp", line) for line in code)
            if has_frame and match[1] != "general" and path.name in FRAMELESS:
                bad.append(f"{path.name}: makes a stack frame: {name}")
    print(f"{len(objects)} objects, {seen} handlers, {jumps} jump on")
    print("\n".join(bad))
    # Otherwise the names have changed, and nothing was looked at.
    if seen < 150 or jumps != seen:
        bad.append("too few")
    return 1 if bad else 0


sys.exit(main())
