"""Stands between a client and retrov, sees each packet of the client, and may answer it itself.

For scripts/check-handlers it answers some packets empty, as a stub would that lacks their handler. RETROV_EMPTY says
which handler: the prefix of a packet ("bs", "vCont;r"), or "monitor:WORD", a word whose command then says nothing.
RETROV_EMPTY_LOG is a file that gets a line for each packet that was answered so.
"""
import os
import re
import select
import socket
import threading
from collections.abc import Callable
from pathlib import Path

PACKET = re.compile(rb"\$([^#$]*)#..", re.DOTALL)
MONITOR = "monitor:"
# Of a packet's payload.
Answer = Callable[[bytes], bytes | None]


def rows() -> set[str]:
    """The prefixes that the stub knows."""
    sources = Path(__file__).resolve().parent.parent.parent.glob("gdbstub/packets_*.cpp")
    return {row for path in sources for row in re.findall(r'PacketHandler\{"([^"]+)"', path.read_text())}


class Muted:
    """Answers the packets of one handler empty."""

    def __init__(self, handler: str):
        self.word = handler.removeprefix(MONITOR) if handler.startswith(MONITOR) else None
        self.prefix = "qRcmd," if self.word else handler
        self.prefixes = rows() | {self.prefix}

    def __call__(self, payload: bytes) -> bytes | None:
        """In place of the stub's answer, or nothing if the packet is the stub's to answer."""
        answer = self._answer(payload)
        if answer is not None and (path := os.environ.get("RETROV_EMPTY_LOG")):
            with open(path, "ab") as log:
                log.write(payload[:80].replace(b"\n", b" ") + b"\n")
        return answer

    def _answer(self, payload: bytes) -> bytes | None:
        text = payload.decode("latin-1")
        # The longest prefix wins, as in the stub.
        if max((prefix for prefix in self.prefixes if text.startswith(prefix)), key=len, default="") != self.prefix:
            return None
        if self.word is None:
            return b""
        try:
            line = bytes.fromhex(text.removeprefix(self.prefix)).decode("latin-1")
        except ValueError:
            return None
        return b"OK" if line.split()[:1] == [self.word] else None


class Connection:
    def __init__(self, client: socket.socket, port: int, answer: Answer):
        self.client = client
        self.stub = socket.create_connection(("127.0.0.1", port))
        for end in (self.client, self.stub):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.answer = answer
        self.no_ack = False
        self.ways = [threading.Thread(target=way, daemon=True) for way in (self._to_stub, self._to_client)]
        for way in self.ways:
            way.start()

    def finish_if_hung_up(self) -> None:
        """So that the stub hears of the client's end before it hears of the next one."""
        poll = select.poll()
        poll.register(self.client, select.POLLRDHUP)
        if self.client.fileno() >= 0 and poll.poll(0):
            self.ways[0].join()

    def _to_stub(self) -> None:
        buffer = b""
        try:
            while chunk := self.client.recv(1 << 16):
                buffer = self._pass_on(buffer + chunk)
        except OSError:
            pass
        self._end(self.stub, buffer)

    def _pass_on(self, buffer: bytes) -> bytes:
        """Sends on what is complete; what is left begins with an unfinished packet."""
        while match := PACKET.search(buffer):
            before, payload = buffer[: match.start()], match.group(1)
            answer = self.answer(payload)
            if answer is None:
                self.no_ack = self.no_ack or payload == b"QStartNoAckMode"
                before += match.group(0)
            if before:
                self.stub.sendall(before)
            if answer is not None:
                framed = b"$" + answer + b"#%02x" % (sum(answer) & 0xFF)
                self.client.sendall(framed if self.no_ack else b"+" + framed)
            buffer = buffer[match.end() :]
        start = buffer.find(b"$")
        done = len(buffer) if start < 0 else start
        if done:
            self.stub.sendall(buffer[:done])
        return buffer[done:]

    def _to_client(self) -> None:
        try:
            while chunk := self.stub.recv(1 << 16):
                self.client.sendall(chunk)
        except OSError:
            pass
        self._end(self.client, b"")

    @staticmethod
    def _end(to: socket.socket, last: bytes) -> None:
        try:
            to.sendall(last)
            to.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def start_proxy(port: int, answer: Answer) -> int:
    """The port to connect to instead of the stub's."""
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        connections: list[Connection] = []
        while True:
            client, _ = listener.accept()
            for connection in connections:
                connection.finish_if_hung_up()
            try:
                connections.append(Connection(client, port, answer))
            except OSError:
                client.close()

    threading.Thread(target=accept, daemon=True).start()
    return listener.getsockname()[1]
