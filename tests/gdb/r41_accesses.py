#!/usr/bin/env python3
"""R41 last-write and its kind: DMA is told as its request and the instruction that queued it; virtual addresses stand
for the physical bytes; nothing moves."""
# Handlers: monitor:last-write monitor:first-write monitor:writes monitor:reads monitor:executions
import json
import tempfile

from _session import Packets, Served, disk_drive, machine, require, symbols

names = symbols("disk")
buffer = names["buffer"]
with tempfile.TemporaryDirectory() as folder:
    drive = disk_drive(folder)
    with Served(["run", *machine("disk", 1), "-S", "-gdb", "tcp::0", *drive]) as served, Packets(served) as client:
        while "replaylog:end" not in client.ask("vCont;c"):
            pass
        end = client.place()
        writes = client.monitor(f"writes {buffer + 100:#x} 4").splitlines()
        # Seven transfers. The guest's own stores: at first it clears its memory, silently here; between the sixth and
        # the seventh transfer it adds to each byte, and clears them.
        transfers = [line for line in writes if "virtio-blk0: read of sector" in line]
        require(len(transfers) == 7 and len(writes) == 7 + 1 + 4 + 1 + 1, f"writes says {writes}")
        require(writes[-1].startswith("13 accesses in steps 0 to "), writes[-1])
        last = client.monitor(f"last-write {buffer + 100:#x} 4")
        require(last.splitlines() == [writes[-2]], f"last-write says {last}, the list {writes[-2]}")
        require(writes[0].endswith("written again"), writes[0])
        first = client.monitor(f"first-write {buffer + 100:#x} 4")
        require(first.splitlines() == [writes[0]], f"first-write says {first}")
        facts = json.loads(client.monitor(f"writes --json {buffer + 100:#x} 4").splitlines()[1])
        require(facts["by"] == "device" and facts["after"] == "0x68676665", f"in JSON {facts}")
        require(client.place() == end, "it has moved")
        # Where it was queued an instruction stores to a register of the device.
        client.go_to(str(facts["queued_at"]))
        pc = int(facts["queued_by_pc"], 16)
        require(client.place()[0] == facts["queued_at"], "not there")
        code = bytes.fromhex(client.ask(f"m{pc:x},4"))
        require(code[0] & 0x7F == 0x23 or code[0] & 3 != 3, f"{code.hex()} is no store")
        executed = client.monitor(f"executions {pc:#x}").splitlines()
        require(any(f"step {facts['queued_at']:,} " in line for line in executed), f"executions says {executed}")
        client.go_to(str(facts["step"]))
        require(client.ask(f"m{buffer + 100:x},4") == "00000000", "the write is made already")
        client.go_to(str(facts["step"] + 1))
        require(client.ask(f"m{buffer + 100:x},4") == "65666768", "the write is not made")
        require("accesses in steps 0 to" in client.monitor(f"reads {buffer + 100:#x} 4"), "no reads")
