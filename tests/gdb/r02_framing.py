#!/usr/bin/env python3
"""R2: whatever arrives on the wire, in whatever pieces, the session lives and the next whole packet is answered."""
# Handlers: QStartNoAckMode m
import random
import socket
import time

from _session import Packets, framed, live, replay, require, symbols

ALIVE = b"qC"
ANSWER = "QCp1.1"


def answers_until(client: Packets, wanted: str) -> list[str]:
    """What comes up to the wanted answer, without it."""
    seen = []
    while (answer := client.answer()) != wanted:
        seen.append(answer)
    return seen


def pieces_of_any_size() -> None:
    with replay() as served, Packets(served) as client:
        for byte in framed(ALIVE):
            client.raw(bytes([byte]))
        require(client.answer() == ANSWER, "a packet in pieces is not answered")
        # Several at once, with what means nothing between them.
        client.raw(b"++" + framed(ALIVE) + b"-\x03+" + framed(b"vMustReplyEmpty") + b"\0\xff#00" + framed(ALIVE))
        require(client.answer() == ANSWER, "the first of three")
        require(answers_until(client, ANSWER) in ([""], ["", ""]), "the other two")
        # Run lengths: 0 and 28 more of it, thrice; as long as gdb sends none they are still understood.
        require(client.ask(b"m80000000,0*\x20" + b"4") == client.ask("m80000000,00004"), "a run length")


def what_breaks_off_is_given_up() -> None:
    with replay() as served, Packets(served) as client:
        place = client.place()
        # A packet that ends in the middle, in each of its places; the next one begins with its own '$'.
        whole = framed(b"m80000000,4")
        for length in range(1, len(whole)):
            client.raw(whole[:length] + framed(ALIVE))
            seen = answers_until(client, ANSWER)
            require(len(seen) <= 1, f"cut after {length} bytes: {seen}")
        client.raw(b"$q}#" + framed(ALIVE))
        answers_until(client, ANSWER)
        client.raw(b"$q*#00" + framed(ALIVE))
        answers_until(client, ANSWER)
        require(client.place() == place, "it moved")


def over_long_packets() -> None:
    with replay() as served, Packets(served) as client:
        place = client.place()
        for size in (0x20001, 0x80000, 0x300000):
            client.raw(b"$" + b"z" * size + b"#00" + framed(ALIVE))
            seen = answers_until(client, ANSWER)
            require(len(seen) == 1 and seen[0].startswith("E"), f"{size} bytes: {seen}")
        # Its whole length may be used.
        bytes_sent = (0x20000 - 32) // 2
        answer = client.ask(f"M80000000,{bytes_sent:x}:" + "00" * bytes_sent)
        require(answer.startswith("E.the past is read-only"), f"a packet of full length: {answer}")
        require(client.place() == place, "it moved")


def many_at_once() -> None:
    """Answers come in the order of the questions, however many are under way, and a packet's content is no Ctrl-C."""
    with live() as served, Packets(served) as client:
        client.raw(b"".join(framed(b"m%x,4" % (0x80000000 + 4 * index)) for index in range(2000)))
        answers = [client.answer() for _ in range(2000)]
        memory = client.ask("m80000000,1f40")
        require("".join(answers) == memory, "2000 answers are not those of 2000 questions")
        # While the machine moves: what comes meanwhile is answered behind the stop.
        client.ask(f"M{symbols()['mode']:x},4:02000000")
        client.raw(framed(b"vCont;c") + framed(b"qC") + framed(b"m80000000,4"))
        served.wait_console(b"rounds done\n")
        client.raw(framed(b"qAttached") + b"\x03")
        require(client.answer().startswith("T02thread:p1."), "no stop by Ctrl-C behind other packets")
        seen = [client.answer() for _ in range(3)]
        require(seen[0].startswith("QCp1.") and seen[1:] == [memory[:8], "1"], f"behind the stop: {seen}")
        # 0x03 in a packet is data, whole or in pieces; to a machine that stands and stays it is nothing.
        write = framed(b"X82000000,4:\x03\x03\x01\x03")
        for cut in (len(write), 14, 15):
            client.raw(write[:cut])
            client.raw(write[cut:] + b"\x03")
            require(client.answer() == "OK", "X with 0x03")
        require(client.ask("m82000000,4") == "03030103", "0x03 is not written")
        time.sleep(0.3)
        require(client.ask("vCont;s:p1.1").startswith("T05thread:p1.1;"), "an old Ctrl-C stops a step")
        # Directly in front of a move it is for that.
        for packet in (b"vCont;c", b"vCont;s:p1.1"):
            client.raw(b"\x03" + framed(packet))
            require(client.answer().startswith("T02thread:p1."), f"Ctrl-C in front of {packet}")
            require(client.ask("vCont;s:p1.1").startswith("T05thread:p1.1;"), "a Ctrl-C stops twice")


def acknowledgements() -> None:
    """Before QStartNoAckMode: '-' brings the last packet again, '+' nothing, wherever they stand."""
    with live() as served:
        client = socket.create_connection(("127.0.0.1", served.port))
        client.settimeout(60)

        def receive(expected: bytes) -> None:
            got = b""
            while len(got) < len(expected):
                chunk = client.recv(len(expected) - len(got))
                require(chunk, f"the connection ended in {got}")
                got += chunk
            require(got == expected, f"{got} instead of {expected}")

        answer = framed(b"QC1")
        for _ in range(3):
            client.sendall(b"+++" + framed(b"qC"))
            receive(b"+" + answer)
            client.sendall(b"--")
            receive(answer + answer)
        # A wrong one among right ones, in one piece: each is answered for itself.
        client.sendall(framed(b"qC") + b"$qC#ff" + framed(b"qAttached") + b"$q}" + framed(b"qC"))
        receive(b"+" + answer + b"-+" + framed(b"1") + b"+" + answer)
        client.sendall(framed(b"QStartNoAckMode") + b"+")
        receive(b"+" + framed(b"OK"))
        # From now on there are none, and a wrong sum is not looked at.
        client.sendall(b"-" + framed(b"qC") + b"$qC#00")
        receive(answer + answer)
        client.close()


def noise() -> None:
    rng = random.Random(5)
    with live() as served, Packets(served) as client:
        place = client.place()
        for _ in range(200):
            # No letter that begins a packet which moves or writes.
            alphabet = b"\x00\x01\x03+-#$*}\x7f\x80\xff qmvHg?0189,;:"
            client.raw(bytes(rng.choice(alphabet) for _ in range(rng.randrange(60))) + framed(ALIVE))
        client.raw(framed(b"qC"))
        client.raw(b"#00" + framed(b"qSymbol::"))
        answers_until(client, "OK")
        require(client.place() == place, "noise moved the machine")


def a_client_that_hangs_up_in_a_packet() -> None:
    with replay() as served:
        for cut in (b"$", b"$m80", b"$m80000000,4#", b"$m80000000,4#b", b"+", b"\x03"):
            client = socket.create_connection(("127.0.0.1", served.port))
            client.sendall(cut)
            client.close()
        # The one before may still be seen off, then this one is a second.
        while True:
            client = socket.create_connection(("127.0.0.1", served.port))
            client.settimeout(60)
            client.sendall(framed(b"qC"))
            try:
                got = client.recv(64)
            except ConnectionError:
                got = b""
            client.close()
            if got:
                break
        require(got.startswith(b"+"), f"the next client is told {got}")


pieces_of_any_size()
what_breaks_off_is_given_up()
over_long_packets()
many_at_once()
acknowledgements()
noise()
a_client_that_hangs_up_in_a_packet()
