#!/usr/bin/env python3
"""R34: small questions have their fixed answers, live and in a recording; so gdb detaches where it quits."""
# Handlers: qAttached qSymbol:
from _session import Gdb, Packets, live, replay, require

ANSWERS = {
    "qAttached": "1", "qAttached:1": "1", "qOffsets": "", "qTStatus": "", "qSymbol::": "OK", "qTfP": "", "qTfV": "",
    "vMustReplyEmpty": "", "QNonStop:0": "", "qC": "QCp1.1",
}


def small_questions(open_session) -> None:
    with open_session() as served, Packets(served) as client:
        for packet, answer in ANSWERS.items():
            require(client.ask(packet) == answer, f"{packet} is answered {client.ask(packet)!r}")


def gdb_detaches_when_it_quits() -> None:
    with live() as served, Gdb(served) as gdb:
        gdb.expect("info inferiors", "process 1")
        require("kill" not in gdb.ask("info program").lower(), "it would be killed")
        gdb.begin("quit")
        # What was the live end lives on.
        served.wait_console(b"off\n")
        require(served.finish() == 0, f"status {served.process.returncode}")


for each in (live, replay):
    small_questions(each)
gdb_detaches_when_it_quits()
