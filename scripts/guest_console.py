"""A guest on a pipe: waits for what it prints, types when it asks. Used by the demo and by tests."""
import os
import select
import subprocess
import time
from pathlib import Path


class GuestConsole:
    """Runs a command whose standard output is a guest's console."""

    def __init__(self, command: list[str], patience_seconds: float = 300):
        self.patience_seconds = patience_seconds
        self.console = b""
        self.seen = 0
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def read(self, seconds: float) -> bool:
        """Takes what the guest has printed, waiting at most that long; False once it has ended."""
        ready, _, _ = select.select([self.process.stdout], [], [], seconds)
        chunk = os.read(self.process.stdout.fileno(), 65536) if ready else None
        self.console += chunk or b""
        return chunk != b""

    def wait_for(self, text: str) -> None:
        """Until `text` appears behind what was waited for before."""
        deadline = time.monotonic() + self.patience_seconds
        wanted = text.encode()
        while (found := self.console.find(wanted, self.seen)) < 0:
            if not self.read(1.0):
                raise RuntimeError(f"the guest ended before it printed {text!r}: {self.errors()}")
            if time.monotonic() > deadline:
                self.process.kill()
                raise RuntimeError(f"no {text!r} from the guest in {self.patience_seconds} s")
        self.seen = found + len(wanted)

    def type(self, line: str) -> None:
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def run(self, line: str, prompt: str) -> str:
        """Types a line and returns what was printed until the next prompt."""
        start = self.seen
        self.type(line)
        self.wait_for(prompt)
        return self.console[start : self.seen].decode(errors="replace")

    def errors(self) -> str:
        return self.process.stderr.read().decode(errors="replace").strip()

    def finish(self) -> int:
        """Reads to the end; the exit status."""
        while self.read(1.0):
            pass
        return self.process.wait()

    def cpu_seconds(self) -> float:
        """User and system time of the running process so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
