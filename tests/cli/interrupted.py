#!/usr/bin/env python3
"""Ctrl-C on the way to where a question is asked from, and while it is answered: exit 130, and no wrong answer."""
import os
import signal
import subprocess
import time

from _pty import GUESTS, RETROV, check

TMPDIR = os.environ["TMPDIR"]
ENVIRONMENT = dict(os.environ, RETROV_TRACE_DIR=TMPDIR + "/traces")
ELF = GUESTS + "echo.elf"
INTERRUPTED = 130

subprocess.run([RETROV, "record", "-q", "--clock", "virtual", "--key-frames", "off", "--until", "steps:400000000",
                "-bios", "none", "-m", "2M", ELF], env=ENVIRONMENT, stdin=subprocess.DEVNULL,
               stdout=subprocess.DEVNULL, check=False)
# The reference engine needs many seconds for it. `total` and what lies next to it share a page.
SLOW = ["--engine", "reference", "--snapshots", "none", "--symbols", ELF]
for words in (["last-write", "total+2040", "1"], ["first-write", "-g", "start", "total+2040", "1"],
              ["executions", "-g", "start", "typed"], ["replay", "--batch", "-g", "handler@100000000"],
              ["replay", "--batch", "-e"]):
    asked = subprocess.Popen([RETROV, *words, *SLOW], env=ENVIRONMENT, stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(0.5)
    asked.send_signal(signal.SIGINT)
    out, errors = asked.communicate()
    check(asked.returncode == INTERRUPTED, f"{' '.join(words)}: {asked.returncode}, {out}, {errors}")
    check("nothing wrote" not in out, f"{' '.join(words)}: {out}")
