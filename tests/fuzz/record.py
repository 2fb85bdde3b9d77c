#!/usr/bin/env python3
"""Records the packets of gdb sessions for tests/packet_fuzz_test.cpp: record.py NAME.

Writes tests/fuzz/NAME.packets with the packets that gdb ($RETROV_GDB) sends in the sessions below, each once, in the
order of their first appearance; one a line, with \\xNN for what is not printable and for the backslash. Long ones are
left out: what is mutated in them would be data.
"""
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests/gdb"))
from _proxy import start_proxy  # noqa: E402
from _session import Gdb, Served, live, replay  # noqa: E402

LONGEST = 400

FORWARD = r"""
break run_round if round == 3
hbreak pay
continue
info threads
backtrace
info registers mstatus satp fcsr priv
next
step
finish
continue
delete
tbreak store
continue
stepi
nexti
until
advance run_round
watch total
rwatch limit
awatch account
continue
continue
continue
continue
delete
print mix(1, 2)
set var total = 5
set var $a0 = 7
set var $mscratch = 9
print $fa0
thread 2
thread apply all bt 1
set scheduler-locking on
stepi 3
set scheduler-locking off
set dprintf-style agent
dprintf mix,"mix %d %d\n",a,b
break store if value > 100 && slot != 3
break pay if to->balance * 2 > amount + 70 || $sp < 4
continue
x/20i $pc
x/40xw $sp
find /w &table, +sizeof(table), 5
find 0x80000000, +0x10000, 'r', 'o', 'u', 'n', 'd', 's'
compare-sections
load
detach
"""

BACKWARD = r"""
monitor help
monitor when
monitor goto 50%
continue
reverse-stepi
reverse-step
reverse-next
reverse-finish
break mix if a == 3
reverse-continue
delete
watch table[1]
reverse-continue
reverse-continue
continue
delete
set exec-direction reverse
continue
stepi
set exec-direction forward
monitor scratch on
print factorial(4)
set var account.balance = -1
monitor scratch off
set var total = 4
monitor fork try
monitor branches
monitor switch main
stepi
monitor step-irq enter
stepi 20
reverse-stepi 20
monitor hash
monitor info registers
monitor phys on
x/4xw 0x80000000
monitor phys off
maint packet qC
maint packet Qqemu.PhyMemMode:1
maint packet qqemu.PhyMemMode
maint packet qqemu.Supported
maint packet qThreadExtraInfo,p1.2
maint packet qfThreadInfo
maint packet qsThreadInfo
disconnect
"""

AGAIN = r"""
break mix
run
continue
kill
run
delete
continue
detach
attach 1
reverse-continue
"""


class Recorder:
    def __init__(self) -> None:
        self.seen: dict[bytes, None] = {}

    def __call__(self, payload: bytes) -> None:
        if len(payload) <= LONGEST:
            self.seen.setdefault(payload)

    def session(self, served: Served, commands: str, kind: str = "remote") -> None:
        served.port = start_proxy(served.port, self)
        with Gdb(served, kind=kind) as gdb:
            for command in commands.strip().splitlines():
                gdb.ask(command)

    def write(self, path: Path) -> None:
        lines = ["".join(chr(byte) if 0x20 <= byte < 0x7F and byte != 0x5C else f"\\x{byte:02x}" for byte in payload)
                 for payload in self.seen]
        path.write_text("\n".join(lines) + "\n")


def main() -> None:
    recorder = Recorder()
    with live() as served:
        recorder.session(served, FORWARD)
    with tempfile.TemporaryDirectory() as folder:
        dump = [f"dump binary memory {folder}/a 0x80000000 0x80000400", f"restore {folder}/a binary 0x82000000"]
        with live() as served:
            recorder.session(served, "\n".join([*dump, "stepi", "set remote binary-download-packet off",
                                                f"restore {folder}/a binary 0x82000000", "kill"]))
        with live() as served:
            # As gdb does it for stubs that lack vCont, or have only the old packets.
            for packet in ("verbose-resume", "P", "threads", "software-breakpoint", "set-register", "fetch-register"):
                dump.insert(0, f"set remote {packet}-packet off")
            recorder.session(served, "\n".join([*dump, "info threads", "stepi", "break mix", "continue", "signal 5",
                                                "set var $a0 = 3", "thread 2", "stepi", "disconnect"]))
    with replay("-e") as served:
        recorder.session(served, BACKWARD)
    with replay() as served:
        recorder.session(served, AGAIN, kind="extended-remote")
    recorder.write(ROOT / f"tests/fuzz/{sys.argv[1]}.packets")


main()
