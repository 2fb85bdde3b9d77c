#!/usr/bin/env python3
"""bash completes what is typed by what `retrov help --completion bash` prints, and the manual pages that are installed
are pages."""
import os
import subprocess

from _pty import RETROV, check

TMPDIR = os.environ["TMPDIR"]
ENVIRONMENT = dict(os.environ, RETROV_TRACE_DIR=TMPDIR + "/traces",
                   PATH=os.path.dirname(os.path.abspath(RETROV)) + ":" + os.environ["PATH"])
SCRIPT = TMPDIR + "/retrov.bash"


def completed(*words: str) -> list[str]:
    typed = " ".join(f"'{word}'" for word in words)
    return subprocess.run(
        ["bash", "-c", f'source {SCRIPT}; COMP_WORDS=({typed}); COMP_CWORD={len(words) - 1}; _retrov; '
                       'printf "%s\\n" "${COMPREPLY[@]}"'],
        env=ENVIRONMENT, cwd=TMPDIR, capture_output=True, text=True, check=True).stdout.split()


with open(SCRIPT, "w", encoding="utf-8") as file:
    subprocess.run([RETROV, "help", "--completion", "bash"], stdout=file, check=True)
os.makedirs(TMPDIR + "/traces")
with open(TMPDIR + "/traces/kernel-7.rvt", "w", encoding="utf-8"):
    pass
check(completed("retrov", "rec") == ["record", "recover"], f"{completed('retrov', 'rec')}")
check(completed("retrov", "record", "-ker") == ["-kernel"], f"{completed('retrov', 'record', '-ker')}")
check(completed("retrov", "replay", "--no-s") == ["--no-stored-symbols", "--no-snapshots"],
      f"{completed('retrov', 'replay', '--no-s')}")
check(completed("retrov", "info", "kern") == ["kernel-7.rvt"], f"{completed('retrov', 'info', 'kern')}")
check(completed("retrov", "help", "ver") == ["verify"], f"{completed('retrov', 'help', 'ver')}")
check("retrov.bash" in completed("retrov", "run", "retrov"), f"{completed('retrov', 'run', 'retrov')}")

subprocess.run(["scripts/man-pages", RETROV, TMPDIR + "/man"], check=True)
pages = os.listdir(TMPDIR + "/man")
check({"retrov.1", "retrov-record.1", "retrov-trace.5", "retrov-gdb.7"} <= set(pages), str(pages))
for page in pages:
    text = open(f"{TMPDIR}/man/{page}", encoding="utf-8").read()
    check(text.startswith(".TH RETROV") and "\n.SH NAME\n" in text, page)
    check(text.isascii(), f"{page} needs no encoding")
    check("```" not in text and "](" not in text, f"{page} has Markdown left")
