#!/usr/bin/env python3
"""Every report on a trace that was cut or damaged: one line on stderr, named once, and a status that says which."""
import json
import os
import random
import subprocess

from _pty import GUESTS, RETROV, check

TMPDIR = os.environ["TMPDIR"]
ENVIRONMENT = dict(os.environ, RETROV_TRACE_DIR=TMPDIR + "/traces")
CUTS = 25
FLIPS = 25
FINE, BAD_TRACE = 0, 65


def record(trace: str) -> bytes:
    subprocess.run([RETROV, "record", "-q", "-o", trace, "-bios", "none", "-m", "2M", GUESTS + "echo.elf"],
                   env=ENVIRONMENT, input=b"some text, q", stdout=subprocess.DEVNULL, check=True)
    with open(trace, "rb") as file:
        return file.read()


def report(trace: str, what: str, *command: str) -> int:
    done = subprocess.run([RETROV, *command, trace], env=ENVIRONMENT, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    said = done.stderr.decode()
    where = f"{' '.join(command)} of a trace {what}: {done.returncode}, {said!r}"
    check(done.returncode in (FINE, BAD_TRACE), where)
    check(said.count("\n") <= 1 and (not said or said.endswith("\n")), "one line: " + where)
    check(not said or said.startswith(f"retrov: trace {trace}"), "the trace is named: " + where)
    check(said.count(trace) <= 1 and said.count("retrov:") <= 1, "and named once: " + where)
    check(done.returncode == FINE or said != "", "a refusal has a reason: " + where)
    return done.returncode


def reports(trace: str, what: str, content: bytes) -> set[int]:
    with open(trace, "wb") as file:
        file.write(content)
    commands = (("info",), ("dump",), ("dump", "-s"), ("verify",), ("replay", "-a"))
    return {report(trace, what, *command) for command in commands}


def checked(trace: str) -> tuple[str, int]:
    """What fsck finds, and its status."""
    done = subprocess.run([RETROV, "fsck", "--json", trace], env=ENVIRONMENT, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    findings = json.loads(done.stdout)["findings"] if done.stdout else [{"what": "no trace"}]
    return findings[0]["what"], done.returncode


chance = random.Random(1)
whole = record(TMPDIR + "/whole.rvt")
damaged = TMPDIR + "/damaged.rvt"
check(reports(damaged, "that is whole", whole) == {FINE}, "a whole trace is fine")
check(reports(damaged, "without its end", whole[:-40]) == {FINE}, "a cut trace is shorter, and fine")
for size in [0, 1, 7, 50, 96, 100] + chance.sample(range(len(whole)), CUTS):
    found = reports(damaged, f"cut at {size}", whole[:size])
    check(len(found) == 1, f"all agree about a trace cut at {size}: {found}")
for place in [0, 10, 90, 100] + chance.sample(range(len(whole)), FLIPS):
    flipped = bytearray(whole)
    flipped[place] ^= 1 << chance.randrange(8)
    found = reports(damaged, f"with another byte at {place}", bytes(flipped))
    what, status = checked(damaged)
    check(status == BAD_TRACE, f"a damaged byte at {place} is found by fsck: {status}")
    # Of symbols and index it replays without, and says so.
    expected = {FINE if what in ("dropped", "index") else BAD_TRACE}
    check(found == expected, f"a damaged byte at {place} is found by all: {found}")
check(reports(damaged, "that is none", b"#!/bin/sh\necho no trace\n") == {BAD_TRACE}, "what is no trace is refused")
