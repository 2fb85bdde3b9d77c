#!/usr/bin/env python3
"""R1, R2, R3, R5: one client at a time, one that breaks the protocol costs nothing, and the next one finds everything
where the last one left it."""
# Handlers: m x
import socket

from _session import NO_MORE, Gdb, Packets, framed, live, replay, require, symbols


def second_client_is_turned_away() -> None:
    with live() as served, Gdb(served) as first:
        second = socket.create_connection(("127.0.0.1", served.port))
        require(second.recv(1) == b"", "the second client is not closed")
        second.close()
        served.wait_said("a second gdb was turned away")
        first.expect("stepi", "0x0000000000001004")


def next_gdb_goes_on_at_the_same_place() -> None:
    with replay() as served:
        with Gdb(served) as gdb:
            gdb.ask("break store")
            gdb.ask("continue")
            gdb.ask("continue")
            left_at = gdb.step_number()
            gdb.kill()
        with Gdb(served) as gdb:
            require(gdb.step_number() == left_at, "another position after gdb died")
            # The dead one's breakpoint would stop this; a recording ends here.
            gdb.expect("continue", NO_MORE)
            gdb.expect("monitor goto begin", "goes to step 0")
            gdb.ask("stepi")
            gdb.ask("detach")
        with Gdb(served) as gdb:
            require(gdb.step_number() == 0, "another position after detach")


def garbage_earns_an_error_at_most() -> None:
    with replay() as served, Packets(served) as client:
        place = client.place()
        for payload in (
            b"qNonsense", b"vMustReplyEmpty", b"Qx", b"_", b"\x80\xff", b"QNonStop:1", b"qTStatus",
            b"vFile:open:00,0,0",
        ):
            require(client.ask(payload) == "", f"{payload} is not answered empty")
        for payload in (
            b"m", b"m,", b"mzz,4", b"m80000000", b"m80000000,", b"m0,ffffffffffffffff", b"mfffffffffffffff8,10",
            b"M80000000,4:00", b"M80000000,1:zz", b"X80000000,ffffffffffffffff:", b"p", b"pffffffffffffffff",
            b"P", b"P1", b"P1=", b"P1=zz",
            b"G00", b"Z0", b"Z0,", b"Z0,zz,2", b"Z2,80000000,0", b"Hg", b"Hgp7.9", b"Tp1.99", b"vCont;", b"vCont;x",
            b"vCont;r1:p1.1", b"vCont;s:p1.9", b"c zz", b"qXfer:features:read:target.xml:zz,1",
            b"qXfer:threads:read::", b"qSearch:memory:0", b"qCRC:", b"qRcmd,zz", b"qThreadExtraInfo,p1.77",
        ):
            answer = client.ask(payload)
            require(answer.startswith("E"), f"{payload} is answered {answer!r}")
        # Nothing of that may have stopped, moved or changed anything.
        require(client.place() == place, "garbage moved the machine")
        client.raw(b"\x00garbage###+-+-\x03$unfinished" + framed(b"?"))
        require(client.answer().startswith(("E", "T")), "no answer after garbage between packets")
        # A client may be behind by the answers to what it did not mean to send.
        client.raw(framed(b"vMustReplyEmpty") + framed(b"qC"))
        while client.answer() != "QCp1.1":
            pass
        client.raw(b"$m0,1#00" + framed(b"qC"))
        while client.answer() != "QCp1.1":
            pass
        over_long = b"M80000000,20000:" + b"00" * 0x20000
        require(client.ask(over_long).startswith("E"), "a packet beyond PacketSize is taken")
        require(client.place() == place, "garbage moved the machine")


def wrong_checksums_are_asked_for_again() -> None:
    with replay() as served:
        client = socket.create_connection(("127.0.0.1", served.port))
        client.settimeout(60)

        def receive(expected: bytes) -> None:
            got = b""
            while len(got) < len(expected):
                chunk = client.recv(len(expected) - len(got))
                require(chunk, f"the connection ended in {got}")
                got += chunk
            require(got == expected, f"{got} instead of {expected}")

        client.sendall(b"$qC#00")
        receive(b"-")
        client.sendall(framed(b"qC"))
        answer = framed(b"QC1")
        receive(b"+" + answer)
        client.sendall(b"-")
        receive(answer)
        # Escapes: 0x7d stands before a byte xor 0x20; here 'C'.
        client.sendall(b"+" + framed(b"q}c"))
        receive(b"+" + answer)
        client.close()


def memory_is_read_and_searched() -> None:
    rounds_text = b"rounds done\n"
    with replay() as served, Packets(served) as client:
        limit = symbols()["limit"]
        require(client.ask(f"m{limit:x},4") == "03000000", "m reads something else")
        raw = client.ask(f"x{limit:x},4").encode("latin-1")
        require(raw in (b"b\x03\0\0\0",), f"x reads {raw}")
        require(client.ask("m0,4").startswith("E"), "m of what is not there is no error")
        pattern = b"qSearch:memory:80000000;10000;" + rounds_text
        found = client.ask(pattern)
        require(found.startswith("1,"), f"{pattern} finds {found}")
        at = int(found[2:], 16)
        require(bytes.fromhex(client.ask(f"m{at:x},{len(rounds_text):x}")) == rounds_text, "found something else")
        require(client.ask(b"qSearch:memory:80000000;10000;no such text") == "0", "found what is not there")


second_client_is_turned_away()
next_gdb_goes_on_at_the_same_place()
garbage_earns_an_error_at_most()
wrong_checksums_are_asked_for_again()
memory_is_read_and_searched()
