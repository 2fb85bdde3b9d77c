"""Mutated packets of recorded gdb sessions against a machine that runs, live and in a replay: no crash and no hang, and
Ctrl-C stops whatever does not stop by itself. (tests/packet_fuzz_test.cpp has many more packets, and no machine.)
RETROV_FUZZ_PACKETS and RETROV_FUZZ_SEED choose others."""
import os
import random
import re
import select
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/gdb"))
from _session import PATIENCE_SECONDS, Packets, Served, framed, live, replay, require, symbols  # noqa: E402

PACKETS = int(os.environ.get("RETROV_FUZZ_PACKETS", "50000"))
SEED = int(os.environ.get("RETROV_FUZZ_SEED", "1"))
LETTERS = b"0123456789abcdef,;:.-pXxr*}#$ \x01\xff"
# They end the session, which is tested elsewhere.
LAST = (b"D", b"k", b"vKill", b"vRun")
WORDS = (
    "when", "hash", "history", "branches", "fork", "switch main", "goto 50%", "goto -5", "goto +100", "goto begin",
    "goto end", "scratch on", "scratch off", "step-irq enter", "step-irq skip", "edge go", "edge stop", "phys on",
    "phys off", "watch-dma on", "watch-unchanged on", "watch-csr mie", "watch-csr off", "break-check on",
    "break-check off", "break-space current", "ebreak stop", "ebreak guest", "mmio-write on", "info harts",
    "info devices", "info recording", "info snapshots",
)
MOVES = ("vCont;c", "vCont;s:p1.1;c:p1.-1", "vCont;s:p1.2", "vCont;c:p1.2", "bs", "bc")


def recorded() -> list[bytes]:
    lines = [line for path in sorted((ROOT / "tests/fuzz").glob("*.packets")) for line in path.read_text().splitlines()]
    return [re.sub(rb"\\x(..)", lambda match: bytes([int(match.group(1), 16)]), line.encode()) for line in lines]


class Mutator:
    def __init__(self, seed: int):
        self.random = random.Random(seed)
        names = symbols()
        stops = [f"Z{kind},{names[name]:x},{length}" for name, length in (("total", 8), ("limit", 4), ("mix", 2))
                 for kind in range(5)]
        self.packets = recorded() + [text.encode() for text in (*MOVES, *stops, *(f"z{stop[1:]}" for stop in stops))]
        self.packets += [b"qRcmd," + word.encode().hex().encode() for word in WORDS]
        kinds: dict[bytes, list[bytes]] = {}
        for packet in self.packets:
            kinds.setdefault(packet[:2], []).append(packet)
        self.kinds = list(kinds.values())

    def next(self) -> bytes:
        while True:
            packet = self.random.choice(self.random.choice(self.kinds))
            for _ in range(self.random.choice((0, 0, 1, 1, 2, 3))):
                packet = self.mutate(packet)
            if packet and not packet.startswith(LAST):
                return packet

    def mutate(self, packet: bytes) -> bytes:
        at = self.random.randrange(len(packet)) if packet else 0
        letter = bytes([self.random.choice(LETTERS)])
        other = self.random.choice(self.packets)
        return self.random.choice((
            packet[:at] + letter + packet[at + 1 :],
            packet[:at] + letter + packet[at:],
            packet[:at] + packet[at + self.random.randrange(1, 5) :],
            packet[:at] + other[self.random.randrange(len(other)) :],
            packet[:at] + packet[at : at + self.random.randrange(40)] + packet[at:],
            packet[:at] + b"f" * 16 + packet[at:],
            packet[:at] + self.random.randbytes(1) + packet[at + 1 :],
        ))


def escaped(packet: bytes) -> bytes:
    return b"".join(b"}" + bytes([byte ^ 0x20]) if byte in b"#$}*" else bytes([byte]) for byte in packet)


def answer(client: Packets, packet: bytes) -> bytes:
    """Text for the console aside. What has not stopped by itself after a moment is interrupted."""
    client.raw(framed(escaped(packet)))
    while True:
        if b"$" not in client.buffer and not select.select([client.socket], [], [], 0.3)[0]:
            client.raw(b"\x03")
            came = select.select([client.socket], [], [], PATIENCE_SECONDS)[0]
            require(came, f"no answer to {packet}, and none to Ctrl-C")
        reply = client.receive()
        if not re.fullmatch(rb"O[0-9a-f]+", reply):
            return reply


def fuzz(served: Served, seed: int, features: str) -> None:
    mutator, answered, packet = Mutator(seed), 0, b""
    client = Packets(served, features)
    try:
        for _ in range(PACKETS):
            packet = mutator.next()
            answered += answer(client, packet) != b""
    except (AssertionError, OSError) as error:
        raise AssertionError(f"seed {seed}, at {packet}: {error}; retrov said {served.said[-2000:]}") from error
    require(served.process.poll() is None, "it has ended")
    print(f"seed {seed}: {answered} of {PACKETS} packets had an answer", flush=True)


with live() as session:
    fuzz(session, SEED, "multiprocess+;swbreak+;hwbreak+")
with replay("-g", "50%") as session:
    fuzz(session, SEED + 1, "multiprocess+;swbreak+;hwbreak+;error-message+")
