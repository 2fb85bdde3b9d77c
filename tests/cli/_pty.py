"""A program on a terminal of its own, for the tests in this folder."""
import fcntl
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time

RETROV = os.environ["RETROV"]
GUESTS = os.environ["RETROV_BUILD"] + "/guests/"
# Only keeps a program that hangs from hanging the test.
HANG_SECONDS = 60


class Terminal:
    """`command` on a new terminal; `shown` is what it has written there."""

    def __init__(self, *command: str, **environment: str) -> None:
        self.master, self.slave = pty.openpty()
        self.before = termios.tcgetattr(self.slave)
        self.shown = b""
        self.process = subprocess.Popen(
            command, stdin=self.slave, stdout=self.slave, stderr=self.slave, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0), env=dict(os.environ, **environment),
        )

    def mode(self) -> list:
        return termios.tcgetattr(self.slave)

    def is_raw(self) -> bool:
        return not self.mode()[3] & termios.ICANON

    def type(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def read(self, seconds: float) -> bool:
        ready, _, _ = select.select([self.master], [], [], seconds)
        if not ready:
            return False
        self.shown += os.read(self.master, 65536)
        return True

    def wait_for(self, text: str) -> None:
        """Waits until the terminal shows it, and forgets what came before."""
        limit = time.monotonic() + HANG_SECONDS
        while text.encode() not in self.shown:
            if time.monotonic() > limit or (self.process.poll() is not None and not self.read(0)):
                fail(f"waited for {text!r}, saw {self.shown!r}")
            self.read(0.1)
        self.shown = self.shown[self.shown.index(text.encode()) + len(text):]

    def wait_until(self, condition, what: str) -> None:
        limit = time.monotonic() + HANG_SECONDS
        while not condition():
            if time.monotonic() > limit:
                fail(f"waited for {what}")
            self.read(0.05)

    def cook(self) -> None:
        """What a shell does when it takes the terminal back."""
        termios.tcsetattr(self.slave, termios.TCSANOW, self.before)

    def kill(self, number: int) -> None:
        os.kill(self.process.pid, number)

    def status(self) -> int:
        """Waits for the end. Negative: a signal."""
        limit = time.monotonic() + HANG_SECONDS
        while self.process.poll() is None:
            if time.monotonic() > limit:
                self.process.kill()
                fail(f"does not end; saw {self.shown!r}")
            self.read(0.05)
        while self.read(0):
            pass
        return self.process.returncode


def fail(what: str) -> None:
    print(f"FAILED: {what}")
    sys.exit(1)


def check(condition: bool, what: str) -> None:
    if not condition:
        fail(what)


def stopped(pid: int) -> bool:
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        return stat.read().rsplit(")", 1)[1].split()[0] == "T"


__all__ = ["GUESTS", "RETROV", "Terminal", "check", "fail", "signal", "stopped"]
