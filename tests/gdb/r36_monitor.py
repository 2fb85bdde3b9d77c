#!/usr/bin/env python3
"""R36, R41: the words of `monitor`, and goto, which waits for the next command that moves."""
# Handlers: qRcmd, monitor:help monitor:when monitor:goto monitor:info monitor:hash
import re

from _session import Gdb, Packets, live, replay, require, symbols


def words() -> None:
    with replay() as served, Gdb(served) as gdb:
        listed = gdb.ask("monitor help")
        for word in ("help", "when", "goto", "info", "hash", "phys", "step-irq", "edge", "watch-dma", "watch-unchanged",
                     "watch-csr", "break-space", "break-check", "ebreak", "mmio-write"):
            line = re.search(rf"^{word} .*\S{{3}}", listed, re.MULTILINE)
            require(line, f"help does not list {word}: {listed}")
            gdb.expect(f"monitor help {word}", f"^{word}")
        gdb.expect("monitor when", r"step 0  hart 0 .*t=0\.000 s +0\.0%")
        for topic, pattern in (
            ("registers", "mstatus|sp"), ("harts", "hart 0 .*hart 1 "), ("devices", "uart0"), ("recording", "trace"),
            ("snapshots", "snapshot"),
        ):
            gdb.expect(f"monitor info {topic}", pattern)
        gdb.expect("monitor hash", r"^[0-9a-f]{16} .*hart0.*hart1.*ram")
        for word, values, default in (("step-irq", ("enter", "skip"), "skip"), ("edge", ("go", "stop"), "stop"),
                                      ("phys", ("on", "off"), "off"), ("watch-dma", ("on", "off"), "off"),
                                      ("watch-unchanged", ("on", "off"), "off"),
                                      ("break-space", ("current", "any"), "any"),
                                      ("break-check", ("on", "off"), "off"), ("mmio-write", ("on", "off"), "off")):
            gdb.expect(f"monitor {word}", f"{word} {default}")
            for value in values:
                gdb.expect(f"monitor {word} {value}", f"{word} {value}")
                gdb.expect(f"monitor {word}", f"{word} {value}")
            gdb.expect(f"monitor {word} nonsense", "usage")
        gdb.expect("monitor nonsense", "unknown command 'nonsense'")
        gdb.expect("monitor goto nowhere", "nowhere")
        gdb.expect("monitor goto 999,999,999", "history ends at step")
        gdb.expect("monitor info nonsense", "nonsense|usage")
        # Of the words of the prompt, those that would move under gdb's feet are not offered.
        gdb.expect("monitor continue", "for the prompt")


def goto_waits_for_a_resume() -> None:
    with replay() as served, Gdb(served) as gdb:
        for command in ("stepi", "continue", "reverse-stepi", "reverse-continue", "next", "finish", "reverse-step"):
            gdb.ask("monitor goto begin")
            gdb.ask("stepi")
            gdb.ask("tbreak mix")
            gdb.ask("continue")
            before = gdb.step_number()
            gdb.expect("monitor goto 2,000", "step 2,000")
            require(gdb.step_number() == before, "goto moves at once")
            gdb.ask(command)
            require(gdb.step_number() == 2000, f"{command} after goto 2,000 leads to {gdb.step_number()}")
            pc = gdb.value("$pc")
            gdb.ask("maint flush register-cache")
            require(gdb.value("$pc") == pc, f"gdb's registers are stale after {command}")
        for where, at in (("+5", 2005), ("-5", 2000), ("begin", 0), ("1,234", 1234)):
            gdb.ask(f"monitor goto {where}")
            gdb.ask("stepi")
            require(gdb.step_number() == at, f"goto {where} leads to {gdb.step_number()}")
        gdb.ask("monitor goto end")
        gdb.ask("stepi")
        gdb.expect("monitor when", r"100\.0%")
        end = gdb.step_number()
        gdb.ask("monitor goto 50%")
        gdb.ask("stepi")
        require(abs(gdb.step_number() - end // 2) <= 1, "50% is elsewhere")


def phys_means_physical_addresses() -> None:
    """The guest is in M-mode, so addresses are the same: what is shown is that the switch is taken and given back."""
    ticks = symbols()["ticks"]
    with live() as served, Packets(served) as client:
        client.monitor("phys on")
        require(client.ask(f"Z2,{ticks:x},8") == "OK", "no Z2")
        require(client.ask("vCont;c").startswith(f"T05watch:{ticks:x};"), "a physical watch is not hit")
        require(client.ask(f"m{ticks:x},8") == "00" * 8, "the access is made already")
        require(client.monitor("phys") == "phys on\n", "phys is forgotten")
        client.monitor("phys off")


words()
goto_waits_for_a_resume()
phys_means_physical_addresses()
