#!/usr/bin/env python3
"""R18: watchpoints forwards. gdb shows old and new value; the stub stops before the access, with nothing changed."""
# Handlers: Z2 Z3
import re

from _session import Gdb, Packets, live, replay, require, symbols


def gdb_shows_old_and_new_value() -> None:
    with live() as served, Gdb(served) as gdb:
        gdb.ask("break main")
        gdb.ask("continue")
        gdb.ask("delete")
        # table[1] is written by rounds 1 and 9; mix(1, 3) is 23, mix(9, 3) is 63.
        gdb.ask("watch table[1]")
        gdb.expect("continue", r'"hart 0" hit Hardware watchpoint.*Old value = 0\s+New value = 23.*store ')
        gdb.expect("continue", r"Old value = 23\s+New value = 63")
        require(gdb.value("table[1]") == 63, "the store is not made")
        gdb.expect("x/i $pc", r"<store\+")
        gdb.ask("delete")
        gdb.ask("rwatch limit")
        gdb.expect("continue", r"Hardware read watchpoint.*Value = 3.*run_round")
        gdb.ask("delete")
        gdb.ask("awatch total")
        total = gdb.value("total")
        gdb.expect("continue", rf"access \(read/write\) watchpoint.*Value = {total}\b")
        gdb.expect("continue", rf"Old value = {total}\s+New value = {total + 2}\b")
        gdb.ask("delete")
        # A condition that only the seventh change meets.
        gdb.ask("watch account.balance if account.balance > 250")
        gdb.expect("continue", r"Old value = \d+\s+New value = 2(5[1-9]|[6-9]\d)")
        gdb.ask("delete")
        worked = gdb.value("worked")
        gdb.ask(f"watch worked if worked == {worked + 5}")
        change = rf"Old value = {worked + 4}\s+New value = {worked + 5}"
        gdb.expect("continue", f'"hart 1" hit Hardware watchpoint.*{change}')


def several_at_a_time() -> None:
    with live() as served, Gdb(served) as gdb:
        gdb.ask("tbreak main")
        gdb.ask("continue")
        for expression in ("total", "account", "table", "scaled", "ticks", "ratio"):
            gdb.expect(f"watch {expression}", "Hardware watchpoint")
        seen = [gdb.ask("continue") for _ in range(6)]
        change = r"Hardware watchpoint \d+: (\w+)\s+Old value = (.+)\s+New value = (.+)"
        hit = [re.search(change, text) for text in seen]
        require(all(hit), f"a stop without a change: {seen}")
        order = [match.group(1) for match in hit]
        require(order == ["table", "account", "total", "ratio", "scaled", "table"], f"changes in the order {order}")
        require(hit[3].groups() == ("ratio", "0.5", "0.25"), f"a floating store shows {hit[3].group(0)}")


def stop_is_before_the_access() -> None:
    names = symbols()
    slot = names["table"] + 4
    with replay() as served, Packets(served) as client:
        require(client.ask(f"Z2,{slot:x},4") == "OK", "no Z2")
        stop = client.ask("vCont;c")
        require(stop.startswith(f"T05watch:{slot:x};thread:p1.1;"), f"{stop}")
        place = client.place()
        require(client.ask(f"m{slot:x},4") == "00000000", "the store is made already")
        require(client.ask("vCont;c").startswith(f"T05watch:{slot:x};"), "it went over the access")
        # A step may not make the access either, as long as it is watched.
        require(client.ask("vCont;s:p1.1").startswith(f"T05watch:{slot:x};"), "a step went over the access")
        require(client.place() == place, "it moved")
        require(client.ask(f"z2,{slot:x},4") == "OK", "no z2")
        require(client.ask("vCont;s:p1.1").startswith("T05thread:"), "no step")
        require(client.place()[0] == place[0] + 1 and client.ask(f"m{slot:x},4") == "17000000", "not that one store")
        # The same store through one byte of it, a long range around it, and its physical address.
        ranges = ((f"Z2,{slot + 1:x},1", "off"), (f"Z2,{names['table']:x},20", "off"), (f"Z2,{slot:x},4", "on"))
        for packet, physical in ranges:
            client.go_to(str(place[0] - 3))
            client.monitor(f"phys {physical}")
            require(client.ask(packet) == "OK", packet)
            stop = client.ask("vCont;c")
            wanted = int(packet.split(",")[1], 16) if packet.endswith(",1") else slot
            changed = f"T05watch:{wanted:x};"
            # Byte 1 of the slot stays 0: no change, no stop there.
            if packet.endswith(",1"):
                require(not stop.startswith(changed) or client.place()[0] > place[0], "a stop for a byte that stays")
            else:
                require(stop.startswith(changed) and client.place() == place, f"{packet}: {stop}")
            require(client.ask("z" + packet[1:]) == "OK", "z of it")
            client.monitor("phys off")


def reads_and_accesses_stop_once() -> None:
    names = symbols()
    with replay() as served, Packets(served) as client:
        client.ask(f"Z3,{names['limit']:x},4")
        stops = []
        while (stop := client.ask("vCont;c")).startswith("T05rwatch"):
            require(stop.startswith(f"T05rwatch:{names['limit']:x};"), stop)
            stops.append(client.place()[0])
            client.ask(f"z3,{names['limit']:x},4")
            client.ask("vCont;s:p1.1")
            client.ask(f"Z3,{names['limit']:x},4")
        # Once a round.
        require(len(stops) == 40 and len(set(stops)) == 40, f"{len(stops)} reads")
        require(stop.startswith("T05replaylog:end;"), f"the last stop: {stop}")


gdb_shows_old_and_new_value()
several_at_a_time()
stop_is_before_the_access()
reads_and_accesses_stop_once()
