"""Commands for gdb on a machine of retrov's: `help rv` lists them.

    (gdb) source retrov-gdb.py        or: retrov gdbinit > FILE, and source that

Sugar: each of them says what it asks of `monitor` or of gdb, and nothing of gdb's own is changed. Needs gdb 13 or later
with Python.
"""
import re
import signal
import time

import gdb


# --- asking retrov ---------------------------------------------------------------------------------------------------


class Uninterrupted:
    """While it lives, a Ctrl-C waits."""

    def __enter__(self) -> None:
        self.before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})

    def __exit__(self, *_) -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, self.before)


def ask(words: str) -> str:
    """What `monitor` answers. Up to gdb 15 a refusal is an answer like any other. gdb keeps a Ctrl-C to itself while
    it waits, takes no more of the answer, and has it for that of its next question."""
    try:
        with Uninterrupted():
            return gdb.execute("monitor " + words, to_string=True)
    except gdb.error as error:
        raise gdb.GdbError(re.sub(r"^Protocol error with Rcmd: (.*)\.$", r"\1", str(error))) from None


def expect(answer: str, pattern: str) -> re.Match:
    match = re.search(pattern, answer, re.MULTILINE)
    if match is None:
        raise gdb.GdbError(answer.strip() or "retrov does not answer; is it the target?")
    return match


def position() -> str:
    return expect(ask("when"), r"\bstep ([\d,]+)").group(1)


class Quiet:
    """While it lives, gdb's console does not show where one stops. Other front ends are told as ever."""

    depth = 0

    def __enter__(self) -> None:
        Quiet.depth += 1
        self.before = gdb.parameter("suppress-cli-notifications")
        gdb.execute("set suppress-cli-notifications on")

    def __exit__(self, *_) -> None:
        Quiet.depth -= 1
        gdb.execute("set suppress-cli-notifications " + ("on" if self.before else "off"))


def go_to(place: str) -> None:
    """`monitor goto` waits for the next command that moves, so that gdb reads registers and memory again."""
    expect(ask("goto " + place), r"^the next stepi")
    gdb.execute("stepi")
    refresh_watchpoints()


WATCHPOINTS = {gdb.BP_WATCHPOINT, gdb.BP_HARDWARE_WATCHPOINT, gdb.BP_READ_WATCHPOINT, gdb.BP_ACCESS_WATCHPOINT}


def refresh_watchpoints() -> None:
    """gdb remembers the values where it comes from, and would compare with them."""
    for point in gdb.breakpoints():
        if point.type in WATCHPOINTS and point.enabled:
            point.enabled = False
            point.enabled = True


class OnlyWatch:
    """While it lives, a change of that expression's memory is all that stops. Says whether it did."""

    def __init__(self, expression: str):
        if not expression:
            raise gdb.GdbError("an expression is wanted, one that lies in memory")
        self.others = [point for point in gdb.breakpoints() if point.enabled]
        before = {point.number for point in gdb.breakpoints()}
        try:
            gdb.execute("watch -location " + expression, to_string=True)
        except gdb.error as error:
            raise gdb.GdbError(str(error)) from None
        self.point = next(point for point in gdb.breakpoints() if point.number not in before)
        self.interrupted = False
        self.direction = gdb.parameter("exec-direction")

    def run(self, command: str) -> bool:
        gdb.events.stop.connect(self._on_stop)
        try:
            gdb.execute(command)
        finally:
            gdb.events.stop.disconnect(self._on_stop)
        return self.point.is_valid() and self.point.hit_count > 0

    def _on_stop(self, event) -> None:
        self.interrupted = isinstance(event, gdb.SignalEvent) and event.stop_signal == "SIGINT"

    def __enter__(self) -> "OnlyWatch":
        for point in self.others:
            point.enabled = False
        gdb.execute("set exec-direction forward")
        return self

    def __exit__(self, *_) -> None:
        if self.point.is_valid():
            self.point.delete()
        for point in self.others:
            point.enabled = True
        gdb.execute(f"set exec-direction {self.direction}")


# --- agent expressions -----------------------------------------------------------------------------------------------

# By their numbers from 1 ("Bytecode Descriptions" in gdb's manual); gdb shows bytecode by name only.
NAMES = """float add sub mul div_signed div_unsigned rem_signed rem_unsigned lsh rsh_signed rsh_unsigned trace trace_quick
log_not bit_and bit_or bit_xor bit_not equal less_signed less_unsigned ext ref8 ref16 ref32 ref64 ref_float ref_double
ref_long_double l_to_d d_to_l if_goto goto const8 const16 const32 const64 reg end dup pop zero_ext swap getv setv tracev
tracenz trace16 invalid2 pick rot printf""".split()
OPCODES = {name: number for number, name in enumerate(NAMES, 1)}
JUMPS = {"if_goto", "goto"}


def assemble(listing: list[tuple[int, str, int]], base: int) -> bytes:
    """Bytes of (offset, name, operand), the last of which is `end`, for a place `base` bytes behind the beginning."""
    code = b""
    following = [offset for offset, _, _ in listing[1:]] + [listing[-1][0] + 1]
    for (offset, name, operand), after in zip(listing, following):
        size = after - offset - 1
        if name in JUMPS:
            operand += base
        code += bytes([OPCODES[name]]) + (operand % (1 << 8 * size)).to_bytes(size, "big")
    return code


def bytecode(location: str, expression: str) -> list[tuple[int, list]]:
    """An address and a listing for each place that the location means."""
    is_address = location.startswith("*")
    where = "" if is_address else f"-at {location}, "
    if is_address:
        refuse_locals(expression)
    try:
        text = gdb.execute(f"maint agent-eval {where}{expression}", to_string=True)
    except gdb.error as error:
        # An array, such as the text of a %s: its address is what C would make of it.
        if "not scalar" not in str(error):
            raise gdb.GdbError(str(error)) from None
        return bytecode(location, f"(unsigned long) &({expression})")
    places = []
    for line in text.splitlines():
        if scope := re.match(r"Scope: (0x[0-9a-f]+)", line):
            address = int(gdb.parse_and_eval(location[1:])) if is_address else int(scope.group(1), 16)
            places.append((address % (1 << 64), []))
        elif code := re.match(r"\s*(\d+)  (\w+)(?: (-?\d+))?$", line):
            places[-1][1].append((int(code.group(1)), code.group(2), int(code.group(3) or 0)))
    return places


def refuse_locals(expression: str) -> None:
    """Behind an address there is no scope: gdb would take the variables of where it stands."""
    for name in re.findall(r"(?<![\w$.>])[A-Za-z_]\w*", expression):
        try:
            symbol = gdb.lookup_symbol(name)[0]
        except gdb.error:
            continue
        if symbol is not None and symbol.needs_frame:
            raise gdb.GdbError(f"{name} is a variable of a function: name a function or a line, and no address")


def clause(code: bytes) -> str:
    return f"X{len(code):x},{code.hex()}"


def print_code(text: str, arguments: list[list]) -> bytes:
    """The last argument is pushed first."""
    code = b""
    for listing in reversed(arguments):
        code += assemble(listing, len(code))[:-1]
    wanted = text.encode() + b"\0"
    channel_and_function = bytes([OPCODES["const8"], 0] * 2)
    head = bytes([OPCODES["printf"], len(arguments)]) + len(wanted).to_bytes(2, "big")
    return code + channel_and_function + head + wanted + bytes([OPCODES["end"]])


def split_arguments(text: str) -> list[str]:
    """At commas that stand in no brackets and no quotes."""
    parts, depth, quote, begin = [], 0, "", 0
    for at, char in enumerate(text):
        escaped = at > 0 and text[at - 1] == "\\"
        if quote:
            quote = "" if char == quote and not escaped else quote
        elif char in "'\"":
            quote = char
        elif char in "([{":
            depth += 1
        elif char in ")]}":
            depth -= 1
        elif char == "," and depth == 0:
            parts.append(text[begin:at])
            begin = at + 1
    return [part.strip() for part in parts + [text[begin:]]]


def places_to_scan(wish: str) -> str:
    """LOC[ if EXPR],"fmt",args in the words of `monitor scan`."""
    match = re.fullmatch(r'\s*(.+?)\s*(?:,\s*"((?:[^"\\]|\\.)*)"\s*(?:,(.*))?)?', wish, re.DOTALL)
    if match is None:
        raise gdb.GdbError('usage: rv printf LOCATION [if CONDITION],"FORMAT",ARGUMENTS')
    location, text, rest = match.groups()
    location, *condition = re.split(r"\s+if\b\s*", location, maxsplit=1)
    arguments = [bytecode(location, part) for part in split_arguments(rest)] if rest else []
    conditions = [bytecode(location, part) for part in condition]
    words = []
    for number, (address, _) in enumerate(bytecode(location, "0")):
        word = f"0x{address:x}"
        for compiled in conditions:
            word += ";" + clause(assemble(compiled[number][1], 0))
        if text is not None:
            word += ";cmds:0," + clause(print_code(text, [compiled[number][1] for compiled in arguments]))
        words.append(word)
    return " ".join(words)


SLICE_SECONDS = 0.2


def scan(places: str) -> None:
    """In slices, between which a Ctrl-C is heard."""
    end = int(expect(ask("branches"), r"^\* .*\bends at step ([\d,]+)").group(1).replace(",", ""))
    begin, steps, hits = 0, 1_000_000, 0
    try:
        while True:
            to = min(begin + steps, end)
            # What is shown is counted, whenever a Ctrl-C comes.
            with Uninterrupted():
                started = time.monotonic()
                answer = ask(f"scan {begin}-{to} {places}")
                seconds = time.monotonic() - started
                last = expect(answer, r"^(\d+) hits? in steps .*\n\Z")
                gdb.write(answer[: last.start()])
                gdb.flush()
                hits += int(last.group(1))
                begin = to
            if begin == end:
                break
            steps = max(1000, int(steps * min(4, SLICE_SECONDS / (seconds + 1e-6))))
    except KeyboardInterrupt:
        pass
    broken = "" if begin == end else ", where it was broken off"
    gdb.write(f"{hits} hit{'' if hits == 1 else 's'} in steps 0 to {begin:,}{broken}\n")


# --- the commands ----------------------------------------------------------------------------------------------------


class Rv(gdb.Command):
    """Going through what a machine of retrov's has done.

Positions are steps (412,883,190), +N, -N, 50%, begin, end, #EVENT, t=3.1s, or bookmarks."""

    def __init__(self):
        super().__init__("rv", gdb.COMMAND_RUNNING, prefix=True)


class RvWhen(gdb.Command):
    """Say the position: step, hart, event, guest time, part of the history.
Usage: rv when"""

    def __init__(self):
        super().__init__("rv when", gdb.COMMAND_STATUS, gdb.COMPLETE_NONE)

    def invoke(self, argument, from_tty):
        gdb.write(ask("when"))


class RvGoto(gdb.Command):
    """Go to a position at once.
Usage: rv goto POSITION"""

    def __init__(self):
        super().__init__("rv goto", gdb.COMMAND_RUNNING)

    def invoke(self, argument, from_tty):
        go_to(argument)

    def complete(self, text, word):
        # Without a word gdb only asks where words end.
        return [name for name in ("begin", "end") if word is not None and name.startswith(word)]


class RvBookmark(gdb.Command):
    """Name this position.
Usage: rv bookmark [NAME [TEXT]]"""

    def __init__(self, name):
        super().__init__("rv " + name, gdb.COMMAND_RUNNING, gdb.COMPLETE_NONE)

    def invoke(self, argument, from_tty):
        gdb.write(ask("bookmark " + argument))


class RvList(gdb.Command):
    """List the bookmarks.
Usage: rv list"""

    def __init__(self):
        super().__init__("rv list", gdb.COMMAND_STATUS, gdb.COMPLETE_NONE)

    def invoke(self, argument, from_tty):
        gdb.write(ask("bookmarks"))


class RvBack(gdb.Command):
    """Go back to the last change of an expression, right before it.
Usage: rv back EXPRESSION
It stands for `watch -location EXPRESSION` and `reverse-continue`, with no other breakpoints. If there was no
change, one stays where one is."""

    def __init__(self):
        super().__init__("rv back", gdb.COMMAND_RUNNING, gdb.COMPLETE_EXPRESSION)

    def invoke(self, argument, from_tty):
        here = position()
        with OnlyWatch(argument) as watch:
            if watch.run("reverse-continue") or watch.interrupted:
                return
        with Quiet():
            go_to(here)
        raise gdb.GdbError(f"{argument} did not change before step {here}")


class RvFirst(gdb.Command):
    """Go to the first change of an expression since the beginning.
Usage: rv first EXPRESSION
It stands for `watch -location EXPRESSION`, `rv goto begin` and `continue`, with no other breakpoints. If there was no
change, one stays where one is."""

    def __init__(self):
        super().__init__("rv first", gdb.COMMAND_RUNNING, gdb.COMPLETE_EXPRESSION)

    def invoke(self, argument, from_tty):
        here = position()
        edge = expect(ask("edge"), r"^edge (\w+)").group(1)
        with OnlyWatch(argument) as watch:
            with Quiet():
                go_to("begin")
            ask("edge stop")
            try:
                if watch.run("continue") or watch.interrupted:
                    return
            finally:
                ask("edge " + edge)
        with Quiet():
            go_to(here)
        raise gdb.GdbError(f"{argument} never changed")


class RvPrintf(gdb.Command):
    """Print in all of history, as a dprintf would have, and stay here.
Usage: rv printf LOCATION [if CONDITION],"FORMAT",ARGUMENTS
Each line begins with its position, for `rv goto`. Without a format the address is printed. Behind an address (*ADDR)
there are registers and global variables only. Ctrl-C ends it."""

    def __init__(self):
        super().__init__("rv printf", gdb.COMMAND_RUNNING, gdb.COMPLETE_LOCATION)

    def invoke(self, argument, from_tty):
        scan(places_to_scan(argument))


class SetRv(gdb.Command):
    """Settings of the rv commands."""

    def __init__(self, verb):
        super().__init__(verb + " rv", gdb.COMMAND_STATUS, prefix=True)


class RvVerbose(gdb.Parameter):
    """Whether each stop prints a line with its position."""

    set_doc = "Set whether each stop prints a line with its position."
    show_doc = "Show whether each stop prints a line with its position."

    def __init__(self):
        super().__init__("rv verbose", gdb.COMMAND_STATUS, gdb.PARAM_BOOLEAN)
        self.value = False
        gdb.events.stop.connect(self._on_stop)

    def get_set_string(self):
        return ""

    def get_show_string(self, value):
        return f"Stops {'print' if self.value else 'do not print'} their position."

    def _on_stop(self, _) -> None:
        if not self.value or Quiet.depth:
            return
        try:
            # Through gdb's own output, which a front end gets as console text.
            gdb.write("[rv] " + ask("when"))
        except gdb.GdbError:
            pass  # The target is no machine of retrov's.


Rv()
RvWhen()
RvGoto()
RvBookmark("bookmark")
RvBookmark("checkpoint")
RvList()
RvBack()
RvFirst()
RvPrintf()
SetRv("set")
SetRv("show")
RvVerbose()
