#!/usr/bin/env python3
"""A trace has the symbols of its guest: gdb and the prompt know names where the ELF is not, and a user's own file goes
before, with a word if it was built from something else."""
import os
import re
import shutil
import subprocess
from pathlib import Path

from _pty import GUESTS, RETROV, check

TMPDIR = Path(os.environ["TMPDIR"])
ENVIRONMENT = dict(os.environ, RETROV_TRACE_DIR=str(TMPDIR / "traces"), HOME=str(TMPDIR), LC_ALL="C",
                   TMPDIR=str(TMPDIR / "temporary"))
(TMPDIR / "temporary").mkdir()


def run(*words: str, **options) -> subprocess.CompletedProcess:
    options.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.run([RETROV, *words], env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False, **options)


def record(elf: Path, name: str, *options: str) -> str:
    trace = str(TMPDIR / name)
    done = run("record", "-q", "-o", trace, *options, "-bios", "none", "-smp", "2", "-m", "64M", "-kernel", str(elf),
               "-nographic")
    check(done.returncode == 0, str(done))
    return trace


def in_gdb(trace: str, *commands: str, options: tuple = ()) -> str:
    script = TMPDIR / "script.gdb"
    script.write_text("\n".join(["set confirm off", "set pagination off", "set width 0", *commands, "quit"]) + "\n")
    done = run("replay", *options, "-x", str(script), trace)
    check(done.returncode == 0, str(done))
    check(not list((TMPDIR / "temporary").iterdir()), "nothing is left of the files for gdb")
    return done.stdout


def build(name: str, build_id: str) -> Path:
    """The guest again, with a build-id."""
    root = Path(__file__).resolve().parents[2] / "tests/guests"
    elf, script = TMPDIR / name, TMPDIR / "guest.ld"
    kept = "  .note.gnu.build-id : { *(.note.gnu.build-id) }\n  _end = .;"
    script.write_text((root / "guest.ld").read_text().replace("  _end = .;", kept))
    subprocess.run(["riscv64-linux-gnu-gcc", "-march=rv64gc", "-mabi=lp64d", "-nostdlib", "-static", "-no-pie", "-g",
                    f"-Wl,--build-id=0x{build_id}", "-Wl,--no-warn-rwx-segments", "-T", script, "-I", root, "-o", elf,
                    root / "hello.S"], check=True)
    return elf


elf = TMPDIR / "debuggee.elf"
shutil.copy(GUESTS + "debuggee.elf", elf)
plain, full = record(elf, "plain.rvt"), record(elf, "full.rvt", "--with-debug")
elf.unlink()

info = run("info", plain).stdout
check(re.search(r"^symbols +name debuggee\.elf  bytes \d+", info, re.MULTILINE), f"info tells of symbols: {info}")
check(os.path.getsize(full) > os.path.getsize(plain), "DWARF takes room")

shown = in_gdb(plain, "break store", "continue", "bt", "info symbol $pc", "print &total", "watch *(long*)&total",
               "reverse-continue")
check("store ()" in shown and "in main ()" in shown, f"a backtrace with names: {shown}")
check("store in section .text" in shown and "<total>" in shown, f"code and data have names: {shown}")
shown = in_gdb(full, "break store", "continue", "bt", "info line", "print limit")
check(re.search(r"store \(.*\) at .*debuggee\.c:\d+", shown), f"DWARF gives lines and arguments: {shown}")
check("$1 = 3" in shown, f"and types: {shown}")
shown = in_gdb(plain, "info symbol $pc", options=("--no-stored-symbols", "-g", "1000"))
check("No symbol" in shown, f"unless they are not wanted: {shown}")
shown = in_gdb(plain, "info symbol $pc", "monitor when", options=("-g", "store@3"))
check("store in section .text" in shown, f"-g takes them: {shown}")
asked = run("debug", plain, stdin=None, input="goto store@2\nwhere\n")
check("store" in asked.stdout, f"so does the prompt: {asked.stdout}")

first, second = build("first.elf", "00112233445566778899aabbccddeeff00112233"), build("second.elf", "ff" * 20)
trace = record(first, "first.rvt")
moved = TMPDIR / "moved.elf"
first.rename(moved)
shown = in_gdb(trace, "info symbol next", options=("--symbols", str(second)))
check(shown.count("retrov: symbols ") == 1 and "build-id ffffffff" in shown, f"another build is named: {shown}")
check("00112233445566778899aabbccddeeff00112233" in shown, f"and which it should be: {shown}")
shown = in_gdb(trace, "info symbol next", options=("--symbols", str(moved)))
check("build-id" not in shown, f"the same build is not: {shown}")

# A branch that leaves a replay, and an export, have them, too.
exported = str(TMPDIR / "exported.rvt")
asked = run("debug", plain, stdin=None, input=f"goto 1000\nexport {exported}\n")
check("debuggee.elf" in run("info", exported).stdout, f"an export has them: {asked.stdout}")
