"""What the tests with gdb share: retrov serving a guest, stock gdb talking to it, and bare packets.

A test is a program; it fails by an exception. Nothing here measures time: PATIENCE_SECONDS only ends what hangs.
RETROV_GDB is the gdb that is driven. With RETROV_EMPTY a proxy answers some packets (_proxy.py).
"""
import os
import re
import select
import signal
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from _proxy import Muted, start_proxy

ROOT = Path(__file__).resolve().parent.parent.parent
RETROV = os.environ.get("RETROV", str(ROOT / "build/retrov"))
GUESTS = Path(os.environ.get("RETROV_BUILD", str(ROOT / "build"))) / "guests"
GDB = os.environ.get("RETROV_GDB", "gdb-multiarch")
EMPTY = os.environ.get("RETROV_EMPTY")
# What gdb says where history ends, in either direction: up to version 15, and since.
NO_MORE = r"(?:No more reverse-execution history|Reached end of recorded history; stopping)"
PATIENCE_SECONDS = float(os.environ.get("RETROV_PATIENCE", "120"))


def require(condition, claim) -> None:
    if not condition:
        raise AssertionError(claim)


def gdbs() -> list[str]:
    """The system's gdb, and the one of the next Debian if it has been fetched."""
    return ["gdb-multiarch", *map(str, (ROOT / "build/deps").glob("trixie-*/newer/gdb-multiarch"))]


def elf(guest: str) -> str:
    return str(GUESTS / f"{guest}.elf")


def symbols(guest: str = "debuggee") -> dict[str, int]:
    listed = subprocess.run(["riscv64-linux-gnu-nm", elf(guest)], check=True, capture_output=True, text=True).stdout
    return {name: int(value, 16) for value, _, name in (line.split() for line in listed.splitlines())}


def machine(guest: str, harts: int) -> list[str]:
    return ["-M", "virt", "-m", "64M", "-smp", str(harts), "-bios", "none", "-kernel", elf(guest), "-nographic"]


def disk_drive(folder: str) -> list[str]:
    """Options for the disk that the guest `disk` reads, made in that folder."""
    image = Path(folder) / "disk.img"
    image.write_bytes((bytes(range(1, 256)) * 64)[: 16 * 512])
    return ["-drive", f"file={image},format=raw,if=none,id=d0,snapshot=on", "-device",
            "virtio-blk-device,drive=d0,bus=virtio-mmio-bus.0"]


def own_environment() -> dict[str, str]:
    """Traces and histories of the person at this machine stay out of it."""
    return dict(os.environ, HOME=tempfile.gettempdir(), XDG_STATE_HOME=tempfile.gettempdir(), LC_ALL="C")


class Served:
    """A retrov that serves gdb. `console` is what the guest has printed, `said` what retrov has."""

    def __init__(self, arguments: list[str]):
        self.process = subprocess.Popen(
            [RETROV, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=own_environment(),
        )
        self.console = b""
        self.said = ""
        self.readers = [threading.Thread(target=read, daemon=True) for read in (self._read_console, self._read_said)]
        for reader in self.readers:
            reader.start()
        port = int(self.wait_said(r"target remote \S*:(\d+)").group(1))
        self.port = start_proxy(port, Muted(EMPTY)) if EMPTY else port

    def _read_console(self) -> None:
        while chunk := os.read(self.process.stdout.fileno(), 65536):
            self.console += chunk

    def _read_said(self) -> None:
        while chunk := os.read(self.process.stderr.fileno(), 65536):
            self.said += chunk.decode(errors="replace")

    def _wait(self, found, what: str):
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            # Whether there is more to come is asked before looking, or the last words would be missed.
            ended = not any(reader.is_alive() for reader in self.readers)
            if result := found():
                return result
            require(not ended, f"retrov ended without {what}: {self.said}")
            require(time.monotonic() < deadline, f"no {what}; retrov said: {self.said}; printed: {self.console}")
            time.sleep(0.005)

    def wait_said(self, pattern: str) -> re.Match:
        return self._wait(lambda: re.search(pattern, self.said), repr(pattern))

    def wait_console(self, text: bytes) -> None:
        self._wait(lambda: text in self.console, repr(text))

    def type(self, text: bytes) -> None:
        self.process.stdin.write(text)
        self.process.stdin.flush()

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def finish(self) -> int:
        """Waits for it to end by itself; the exit status."""
        self.process.wait(PATIENCE_SECONDS)
        for reader in self.readers:
            reader.join()
        return self.process.returncode

    def __enter__(self) -> "Served":
        return self

    def __exit__(self, *_) -> None:
        if self.process.poll() is None:
            self.process.terminate()
        self.finish()


def live(guest: str = "debuggee", harts: int = 2, *options: str) -> Served:
    """A guest that waits for gdb before its first instruction."""
    return Served(["run", *machine(guest, harts), "-S", "-gdb", "tcp::0", *options])


def recording(trace: str, guest: str = "debuggee", harts: int = 2) -> None:
    subprocess.run(
        [RETROV, "record", "-q", *machine(guest, harts), "-o", trace], check=True, stdin=subprocess.DEVNULL,
        capture_output=True, timeout=PATIENCE_SECONDS, env=own_environment(),
    )


def replay(*options: str, guest: str = "debuggee", harts: int = 2) -> Served:
    """A recording of the whole guest, at its first step unless options say otherwise."""
    with tempfile.TemporaryDirectory() as folder:
        trace = str(Path(folder) / "trace.rvt")
        recording(trace, guest, harts)
        # It is read whole before retrov says that gdb can attach.
        return Served(["replay", "-k", "-s", "0", *options, trace])


class Gdb:
    """Stock gdb with a person's console: what a command prints is what that person would see."""

    MARK = "<<answered>>"

    def __init__(self, served: Served, guest: str = "debuggee", kind: str = "remote", program: str = GDB):
        self.process = subprocess.Popen(
            [program, "-nx", "-q", elf(guest)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, env=own_environment(), start_new_session=True,
        )
        self.unread = ""
        self.transcript = ""
        for setting in ("confirm off", "pagination off", "width 0", "height 0", "prompt \\n", "style enabled off"):
            self.ask(f"set {setting}")
        self.connected = self.ask(f"target {kind} 127.0.0.1:{served.port}")

    def ask(self, command: str) -> str:
        self.begin(command)
        return self.answer()

    def begin(self, command: str) -> None:
        """Types the command without waiting for its end."""
        self.transcript += f"(gdb) {command}\n"
        # gdb reads the second line once the first is done, be it a minute later.
        self.process.stdin.write(f"{command}\necho {self.MARK}\\n\n".encode())
        self.process.stdin.flush()

    def _read_until(self, text: str, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while text not in self.unread:
            ready, _, _ = select.select([self.process.stdout], [], [], max(0, deadline - time.monotonic()))
            if not ready:
                return False
            chunk = os.read(self.process.stdout.fileno(), 65536)
            require(chunk, f"gdb has ended:\n{self.transcript}{self.unread}")
            self.unread += chunk.decode(errors="replace")
        return True

    def wait_for(self, text: str) -> None:
        """Until gdb has printed it, on behalf of the command typed by begin()."""
        require(self._read_until(text, PATIENCE_SECONDS), f"no {text!r}:\n{self.transcript}{self.unread}")

    def answer(self) -> str:
        answered = self._read_until(self.MARK, PATIENCE_SECONDS)
        require(answered, f"gdb does not answer:\n{self.transcript}{self.unread}")
        text, self.unread = self.unread.split(self.MARK, 1)
        text = text.strip()
        self.transcript += text + "\n"
        return text

    def _wait_until_idle(self) -> None:
        """gdb waits for something for a while, and has nothing left to do, however busy this machine is."""
        asleep = 0
        while asleep < 5:
            state = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
            asleep = asleep + 1 if state == "S" else 0
            time.sleep(0.02)

    def interrupt(self) -> str:
        """Ctrl-C, once the command typed by begin() moves the machine; what gdb says then."""
        require(self._read_until("Continuing.", PATIENCE_SECONDS), "gdb does not go on")
        # gdb takes a Ctrl-C that comes before it has sent its packet for one that ends the command, and stays there.
        self._wait_until_idle()
        return self.press_ctrl_c(int(PATIENCE_SECONDS))

    def press_ctrl_c(self, times: int) -> str:
        """Each second until the command typed by begin() ends, at most so often; what gdb says then."""
        for _ in range(times):
            self.process.send_signal(signal.SIGINT)
            if self._read_until(self.MARK, 1.0):
                return self.answer()
        require(False, f"Ctrl-C does not end it:\n{self.transcript}{self.unread}")

    def expect_interrupt(self) -> None:
        answer = self.interrupt()
        require("received signal SIGINT" in answer, f"Ctrl-C: {answer}")

    def value(self, expression: str) -> int:
        answer = self.ask(f"print/d {expression}")
        match = re.search(r"= (-?\d+)", answer)
        require(match, f"print {expression} says {answer!r}")
        return int(match.group(1))

    def step_number(self) -> int:
        return position(self.ask("monitor when"))

    def function(self) -> str:
        """The function of the selected thread's innermost frame."""
        answer = self.ask("info symbol $pc")
        return answer.split()[0]

    def expect(self, command: str, pattern: str) -> re.Match:
        answer = self.ask(command)
        match = re.search(pattern, answer, re.DOTALL)
        require(match, f"{command!r} should say {pattern!r}:\n{self.transcript}")
        return match

    def kill(self) -> None:
        """Without a word to retrov."""
        self.process.kill()
        self.process.wait()

    def __enter__(self) -> "Gdb":
        return self

    def __exit__(self, kind, *_) -> None:
        if kind is not None:
            print(self.transcript + self.unread)
        if self.process.poll() is None:
            self.process.stdin.close()
            try:
                self.process.wait(PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()


def let_end(process: subprocess.Popen) -> None:
    """Its input ends, and so should it."""
    process.stdin.close()
    try:
        process.wait(PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()


def position(when: str) -> int:
    match = re.search(r"step ([\d,]+)", when)
    require(match, f"`monitor when` says {when!r}")
    return int(match.group(1).replace(",", ""))


def framed(payload: bytes) -> bytes:
    return b"$" + payload + b"#%02x" % (sum(payload) & 0xFF)


class Packets:
    """A client of its own, packet by packet, for what gdb cannot be made to send or would take long to."""

    def __init__(self, served: Served, features: str = "multiprocess+;swbreak+;hwbreak+"):
        self.socket = socket.create_connection(("127.0.0.1", served.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.settimeout(PATIENCE_SECONDS)
        self.buffer = b""
        self.printed = ""
        self.no_ack = False
        self.offered = self.ask("qSupported:" + features)
        require(self.ask("QStartNoAckMode") == "OK", "no QStartNoAckMode")
        self.no_ack = True

    def raw(self, data: bytes) -> None:
        self.socket.sendall(data)

    def receive(self) -> bytes:
        """The next packet's payload; acknowledgements are passed over."""
        while not (match := re.match(rb"[+-]*\$([^#]*)#(..)", self.buffer, re.DOTALL)):
            chunk = self.socket.recv(1 << 16)
            require(chunk, "the connection has ended")
            self.buffer += chunk
        self.buffer = self.buffer[match.end() :]
        require(sum(match.group(1)) & 0xFF == int(match.group(2), 16), f"a wrong checksum: {match.group(0)}")
        if not self.no_ack:
            self.raw(b"+")
        return match.group(1)

    def answer(self) -> str:
        """The next packet that is not text for the console, which goes to `printed`."""
        while re.fullmatch(rb"O[0-9a-f]+", reply := self.receive()):
            self.printed += bytes.fromhex(reply[1:].decode()).decode(errors="replace")
        return reply.decode("latin-1")

    def ask(self, payload: str | bytes) -> str:
        self.raw(framed(payload.encode() if isinstance(payload, str) else payload))
        return self.answer()

    def monitor(self, line: str) -> str:
        self.printed = ""
        answer = self.ask("qRcmd," + line.encode().hex())
        require(answer == "OK", f"monitor {line}: {answer}")
        return self.printed

    def place(self) -> tuple[int, str]:
        """Position, and hash of the whole state."""
        return position(self.monitor("when")), self.monitor("hash").split("\n")[0]

    def go_to(self, where: str) -> str:
        self.monitor(f"goto {where}")
        return self.ask("vCont;s:p1.1")

    def close(self) -> None:
        self.socket.close()

    def __enter__(self) -> "Packets":
        return self

    def __exit__(self, *_) -> None:
        self.close()
