#!/usr/bin/env python3
"""R18, R18b, R26 on request: writes by devices, writes that change nothing, CSRs, physical ranges at the prompt."""
# Handlers: Z2 Z4 monitor:watch-dma monitor:watch-csr monitor:watch-unchanged
import re
import tempfile

from _session import NO_MORE, Gdb, Packets, Served, disk_drive, elf, live, machine, replay, require, symbols


def device_writes() -> None:
    names = symbols("disk")
    buffer, status = names["buffer"], names["status"]
    with tempfile.TemporaryDirectory() as folder:
        drive = disk_drive(folder)
        with Served(["run", *machine("disk", 1), "-S", "-gdb", "tcp::0", *drive]) as served, Packets(served) as client:
            require(client.monitor("watch-dma") == "watch-dma off\n", "on from the start")
            require(client.monitor("watch-dma on") == "watch-dma on\n", "not on")
            # Four bytes in the middle of what the device writes.
            require(client.ask(f"Z2,{buffer + 100:x},4") == "OK", "no Z2")
            stops = []
            while (stop := client.ask("vCont;c")).startswith("T05watch:"):
                at = int(stop[len("T05watch:"):].split(";")[0], 16)
                require(buffer + 100 <= at < buffer + 104, f"{stop} is not in the range")
                stops.append(client.place())
                # The hart's own store to the range: gdb would step over it.
                client.ask(f"z2,{buffer + 100:x},4")
                client.ask("vCont;s:p1.1")
                client.ask(f"Z2,{buffer + 100:x},4")
            # Seven transfers into the buffer; between the sixth and the seventh the guest writes the range: what it
            # adds, byte by byte, and zeros, with one store.
            at = [place[0] for place in stops]
            require("replaylog:end" in stop, f"it ends by {stop}")
            require(len(at) == len(set(at)) == 7 + 4 + 1, f"{len(at)} stops")
            first = stops[0]
            client.go_to(str(first[0]))
            require(client.place() == first, "not there")
            require(client.ask(f"m{buffer + 100:x},4") == bytes([101, 102, 103, 104]).hex(), "the write is not made")
            # Backwards: the same places, the device's right behind the step, as forwards.
            client.go_to("end")
            back = []
            while (stop := client.ask("bc")).startswith("T05watch:"):
                back.append(client.place()[0])
            require("replaylog:begin" in stop, f"backwards it ends by {stop}")
            forward = [a + 1 if 6 <= i < 11 else a for i, a in enumerate(at)]
            require(back[::-1] == forward, f"backwards {back[::-1]}, forwards {forward}")
            client.monitor("watch-dma off")
            client.go_to("begin")
            require(client.ask("vCont;c").startswith("T05watch"), "the guest's own store does not stop")
            require(client.place()[0] == at[6], "the device still stops")
            client.ask(f"z2,{buffer + 100:x},4")
            # By its physical address, and one byte.
            client.monitor("watch-dma on")
            client.monitor("phys on")
            client.ask(f"Z4,{status:x},1")
            client.go_to(str(first[0] - 1))
            require(client.ask("vCont;c").startswith(f"T05awatch:{status:x};"), "status is not watched")


def unchanged_writes() -> None:
    names = symbols()
    mode = names["worker_done"]
    with replay() as served, Packets(served) as client:
        # Zero is written over zero, at the start and when the work is done.
        client.ask(f"Z2,{mode:x},4")
        require(client.ask("vCont;c").startswith("T05replaylog:end"), "a change that is none")
        client.go_to("begin")
        require(client.monitor("watch-unchanged on") == "watch-unchanged on\n", "not on")
        seen = []
        while (stop := client.ask("vCont;c")).startswith(f"T05watch:{mode:x};"):
            seen.append(client.place()[0])
            client.ask(f"z2,{mode:x},4")
            client.ask("vCont;s:p1.1")
            client.ask(f"Z2,{mode:x},4")
        require(seen and len(seen) == len(set(seen)) and "replaylog:end" in stop, f"{seen}, then {stop}")
        back = []
        while client.ask("bc").startswith(f"T05watch:{mode:x};"):
            back.append(client.place()[0])
        require(back == [at + 1 for at in reversed(seen)], f"forwards {seen}, backwards {back}")
        client.monitor("watch-unchanged off")
        client.go_to("end")
        require(client.ask("bc").startswith("T05replaylog:begin"), "it is still seen")


def csr_writes() -> None:
    with replay(harts=1) as served, Gdb(served) as gdb:
        gdb.expect("monitor watch-csr", "watch-csr off")
        gdb.expect("monitor watch-csr nonsense", "no CSR")
        gdb.expect("monitor watch-csr mie", "watch-csr sie mie")
        gdb.expect("continue", "hart 0 writes mie.*stopped|hart 0 writes mie")
        require(gdb.value("$mie") == 0, "it is written already")
        gdb.expect("x/i $pc", r"csr[rw]+\s+mie")
        at = gdb.step_number()
        gdb.ask("stepi")
        require(gdb.value("$mie") == 1 << 7 and gdb.step_number() == at + 1, "that was not the write")
        gdb.expect("continue", NO_MORE)
        gdb.expect("reverse-continue", "hart 0 writes mie")
        require(gdb.step_number() == at + 1, "backwards it is not right behind the write")
        gdb.expect("reverse-continue", NO_MORE)
        # Going on from the stop makes the write; and it is one stop.
        gdb.expect("continue", "hart 0 writes mie")
        gdb.expect("continue", NO_MORE)
        gdb.expect("monitor watch-csr mtvec", "sie mie mtvec")
        gdb.expect("monitor watch-csr off", "watch-csr off")
        gdb.expect("reverse-continue", NO_MORE)


device_writes()
unchanged_writes()
csr_writes()
