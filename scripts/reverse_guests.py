"""What bench-reverse measures: retrov on a live guest or a trace, and QEMU in record/replay mode, each behind a stub
for gdb that is asked packet by packet."""
import os
import re
import select
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / os.environ.get("BUILD", "build")
sys.path.insert(0, str(ROOT / "tests/gdb"))
from _session import Packets, framed  # noqa: E402
from guest_console import GuestConsole  # noqa: E402

GUESTS = ROOT / "build/guests"
RETROV = os.environ.get("RETROV", str(BUILD / "retrov"))
QEMU = os.environ.get("QEMU", "qemu-system-riscv64")
LINUX = ["-M", "virt", "-m", "256M", "-bios", str(GUESTS / "fw_dynamic.bin"), "-kernel", str(GUESTS / "Image"),
         "-initrd", str(GUESTS / "initramfs.cpio"), "-append", "console=ttyS0 nokaslr"]
PROMPT = "# "
COUNT = "i=0; while :; do i=$((i+1)); done"
PATIENCE_SECONDS = 1800
# How much CPU time QEMU may take for an answer.
PEER_SECONDS = 20


def cpu_ms(pid: int) -> float:
    """Of all threads of a process, those that have ended included: the clock that clock_getcpuclockid(3) names."""
    return time.clock_gettime(~pid << 3 | 2) * 1000


class Peer:
    """A process and a client on its stub."""

    def __init__(self, process: subprocess.Popen, client: Packets | None):
        self.process, self.client = process, client
        if client is not None:
            client.socket.settimeout(PATIENCE_SECONDS)

    def cpu(self) -> float:
        return cpu_ms(self.process.pid)

    def cost(self, *packets: str) -> float:
        """CPU milliseconds of the answers; `self.last` is the last of them."""
        before = self.cpu()
        for packet in packets:
            self.last = self.client.ask(packet)
        return self.cpu() - before

    def peak_mib(self) -> float:
        return int(re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{self.process.pid}/status").read_text()).group(1)) / 1024

    def end(self) -> None:
        self.process.kill()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_) -> None:
        self.end()


def port_of(process: subprocess.Popen) -> int:
    while line := process.stderr.readline().decode():
        if found := re.search(r"target remote \S*:(\d+)", line):
            return int(found.group(1))
    raise SystemExit("bench-reverse: retrov ended")


class Served:
    def __init__(self, port: int):
        self.port = port


class Replay(Peer):
    def __init__(self, trace: str, *options: str):
        process = subprocess.Popen([RETROV, "replay", "-s", "0", "-k", *options, trace], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        super().__init__(process, Packets(Served(port_of(process))))

    def end_position(self) -> int:
        return int(re.search(r"steps 0 to ([\d,]+)", self.client.monitor("info recording")).group(1).replace(",", ""))

    def steps(self) -> int:
        return int(re.search(r"step ([\d,]+)", self.client.monitor("when")).group(1).replace(",", ""))


class Live(Replay):
    """A guest that is run; attach() once it has run far enough."""

    def __init__(self, machine: list[str], *options: str):
        self.console = GuestConsole([RETROV, "run", "-nographic", "--clock", "virtual", "--seed", "1", "-gdb",
                                     "tcp::0", *options, *machine], PATIENCE_SECONDS)
        Peer.__init__(self, self.console.process, None)
        self.port = port_of(self.process)

    def attach(self) -> None:
        Peer.__init__(self, self.process, Packets(Served(self.port)))


def record(trace: str, steps: int) -> float:
    """Debian's boot and a shell that counts; CPU seconds."""
    console = GuestConsole([RETROV, "record", "-q", "-nographic", "--clock", "virtual", "--seed", "1", "-o", trace,
                            "--until", f"steps:{steps}", *LINUX], PATIENCE_SECONDS)
    try:
        console.wait_for("shell ready")
        console.wait_for(PROMPT)
        console.type(COUNT)
    except RuntimeError:
        pass  # So few steps end in the boot.
    before = os.times()
    console.finish()
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


# --- QEMU ------------------------------------------------------------------------------------------------------------


class OldPackets(Packets):
    """QEMU 7.2 knows no QStartNoAckMode."""

    def __init__(self, port: int):  # pylint: disable=super-init-not-called
        deadline = time.monotonic() + 60
        while True:
            try:
                self.socket = socket.create_connection(("127.0.0.1", port))
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer, self.printed, self.no_ack = b"", "", False
        self.offered = self.ask("qSupported:multiprocess+;swbreak+;hwbreak+")


def empty_qcow2(path: Path) -> None:
    """QEMU keeps its snapshot in an image: header, reference counts, and a table without one cluster."""
    cluster = 1 << 16
    header = struct.pack(">4sIQIIQIIQQIIQ", b"QFI\xfb", 2, 0, 0, 16, 1 << 30, 0, 2, 3 * cluster, cluster, 1, 0, 0)
    tables = (header, struct.pack(">Q", 2 * cluster), struct.pack(">4H", 1, 1, 1, 1), b"")
    path.write_bytes(b"".join(table.ljust(cluster, b"\0") for table in tables))


def answer_of(control: socket.socket) -> str:
    text = b""
    while not text.endswith(b"(qemu) "):
        text += control.recv(65536)
    return text.decode(errors="replace")


def instructions(control: socket.socket) -> int:
    control.sendall(b"info replay\n")
    return int(re.search(r"instruction count = (\d+)", answer_of(control)).group(1))


class QemuRecording:
    """Of the same guest, with the snapshot at its beginning that is a replay's only way back."""

    def __init__(self, scratch: Path, steps: int):
        self.scratch = scratch
        empty_qcow2(scratch / "snapshots.qcow2")
        recorder = GuestConsole(self.command("record"), PATIENCE_SECONDS)
        control = self.monitor("record")
        recorder.wait_for("shell ready")
        recorder.wait_for(PROMPT)
        recorder.type(COUNT)
        while instructions(control) < steps:
            time.sleep(0.2)
        control.sendall(b"quit\n")
        recorder.process.wait()

    def command(self, mode: str) -> list[str]:
        return [QEMU, "-display", "none", "-serial", "stdio", "-net", "none", *LINUX, "-icount",
                f"shift=0,rr={mode},rrfile={self.scratch}/log,rrsnapshot=init", "-drive",
                f"file={self.scratch}/snapshots.qcow2,if=none,id=rr", "-monitor",
                f"unix:{self.scratch}/{mode},server,nowait"]

    def monitor(self, mode: str) -> socket.socket:
        control = socket.socket(socket.AF_UNIX)
        control.settimeout(PATIENCE_SECONDS)
        deadline = time.monotonic() + 60
        while control.connect_ex(f"{self.scratch}/{mode}") != 0:
            if time.monotonic() > deadline:
                raise SystemExit(f"bench-reverse: no monitor of {QEMU}")
            time.sleep(0.1)
        answer_of(control)
        return control


class Qemu(Peer):
    """A replay. After a step back QEMU 7.2 may not come to its next stop forwards, so each measurement has one."""

    def __init__(self, recording: QemuRecording):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        (recording.scratch / "replay").unlink(missing_ok=True)
        self.console = GuestConsole([*recording.command("replay"), "-S", "-gdb", f"tcp:127.0.0.1:{port}"],
                                    PATIENCE_SECONDS)
        super().__init__(self.console.process, OldPackets(port))
        self.control = recording.monitor("replay")
        self.way = 0.0  # CPU milliseconds of all runs forward: what a way back from here begins with.

    def answers(self, packet: str) -> float | None:
        """CPU milliseconds until it stops; nothing if it has not after PEER_SECONDS of them, or has ended."""
        before = self.cpu()
        self.client.raw(framed(packet.encode()))
        # An acknowledgement comes at once and is no answer.
        while b"$" not in self.client.buffer:
            if select.select([self.client.socket], [], [], 0.01)[0]:
                self.client.buffer += self.client.socket.recv(1 << 16)
            # It stands still where nobody takes what the guest prints, once more with each way back.
            self.console.read(0)
            if self.process.poll() is not None or self.cpu() - before > PEER_SECONDS * 1000:
                return None
        spent = self.cpu() - before
        return spent if self.client.answer().startswith("T") else None

    def run_to(self, instruction: int) -> bool:
        """Forwards. False if it does not come there."""
        self.control.sendall(f"replay_break {instruction}\n".encode())
        answer_of(self.control)
        return self.go_on()

    def go_on(self) -> bool:
        """Forwards to the next stop. False if it does not come to one."""
        spent = self.answers("vCont;c")
        self.way += spent or 0.0
        return spent is not None
