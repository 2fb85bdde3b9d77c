#!/usr/bin/env python3
"""R1: retrov as a child of gdb's, on pipes: a live guest and a recording."""
import subprocess
import tempfile
from pathlib import Path

from _session import PATIENCE_SECONDS, RETROV, elf, gdbs, machine, own_environment, recording, require


def asked(program: str, target: str, *commands: str) -> str:
    words = [program, "-nx", "-q", "-batch", elf("debuggee"), "-ex", f"target remote | {RETROV} {target}"]
    for command in commands:
        words += ["-ex", command]
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE_SECONDS,
                          env=own_environment(), check=False)
    return done.stdout + done.stderr


commands = ("break run_round if round == 3", "continue", "monitor when", "kill")
for each in gdbs():
    guest = " ".join(str(word) for word in machine("debuggee", 2))
    live = asked(each, f"run {guest} -S -serial none -gdb stdio", *commands)
    require("round=round@entry=3" in live and "100.0%" in live, live)
    with tempfile.TemporaryDirectory() as folder:
        trace = str(Path(folder) / "trace.rvt")
        recording(trace)
        recorded = asked(each, f"replay -gdb stdio {trace}", *commands)
        require("round=round@entry=3" in recorded and "step " in recorded and "100.0%" not in recorded, recorded)
