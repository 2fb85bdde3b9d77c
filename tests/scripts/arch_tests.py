"""scripts/run-arch-tests on a suite of four tests made here, with a stand-in for Spike that knows what they write."""
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = "Made-by-a-test"

# What a test of the suite looks like; %s: architecture, cases, what it does to leave a word in t0.
TEST = """
#include "model_test.h"
RVTEST_ISA("%s")
.section .text.init
.globl rvtest_entry_point
rvtest_entry_point:
RVMODEL_BOOT
%s
%s
  la t1, word
  sw t0, 0(t1)
RVMODEL_HALT
.data
RVMODEL_DATA_BEGIN
word: .word 0, 1, 2, 3
RVMODEL_DATA_END
"""
CASE = 'RVTEST_CASE(0,"//check ISA:=regex(%s);def TEST_CASE_1=True;",name)\n'
MISA_C = "csrr t0, misa\nandi t0, t0, 4"
# Name: architecture, conditions of its cases, code, reference that the suite ships.
TESTS = {
    # The assembler must know Zicond, and not because everything is allowed.
    "right": ("RV64I_Zicond", [".*64.*Zicond.*"], "#ifdef TEST_CASE_1\nli t0, 7\nczero.eqz t0, t0, t0\n#endif", 7),
    "wrong": ("RV64I", [".*I.*"], "li t0, 7", 8),
    "absent": ("RV64I", [".*Zvbb.*"], "li t0, 7", 7),
    # Once with compressed instructions and once without: Spike is asked, for one reference cannot serve both.
    "both": ("RV64IC,RV64I", [".*I.*C.*", "^[^C]+$"], MISA_C, 9),
}
SPIKE = """#!/bin/sh
for word; do case $word in +signature=*) file=${word#+signature=};; esac; done
case "$*" in *--isa=rv64imafdc_*) first=00000004;; *) first=00000000;; esac
printf '%s\\n' $first 00000001 00000002 00000003 >"$file"
"""


def main() -> int:
    folder = Path(os.environ["TMPDIR"])
    suite = folder / "suite/riscv-test-suite"
    tests = suite / "rv64i_m" / FOLDER
    for path in (suite / "env", tests / "src", tests / "references"):
        path.mkdir(parents=True)
    (suite / "env/arch_test.h").write_text("")
    for name, (isa, conditions, code, reference) in TESTS.items():
        cases = "".join(CASE % condition for condition in conditions)
        source = "#define RVTEST_ISA(text)\n#define RVTEST_CASE(number, text, name)\n" + TEST % (isa, cases, code)
        (tests / "src" / f"{name}.S").write_text(source)
        (tests / "references" / f"{name}.reference_output").write_text(
            f"{reference:08x}\n00000001\n00000002\n00000003\n"
        )
    spike = folder / "spike"
    spike.write_text(SPIKE)
    spike.chmod(0o755)

    done = subprocess.run(
        [ROOT / "scripts/run-arch-tests", suite.parent], env={**os.environ, "SPIKE": str(spike)}, capture_output=True,
        text=True, check=False,
    )
    print(done.stdout, done.stderr)
    expected = [
        f"FAIL  {FOLDER}/wrong on rv64gc: 1 of 4 words differ, first word 0: 00000007, not 00000008",
        f"{FOLDER} 3 passed, 0 choice, 1 failed, 1 skipped",
        "3 passed, 1 failed, 1 skipped",
    ]
    return 0 if done.returncode == 1 and done.stdout.splitlines() == expected else 1


sys.exit(main())
