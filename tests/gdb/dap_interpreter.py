#!/usr/bin/env python3
"""gdb's own Debug Adapter Protocol interpreter (gdb 16), attached to a live session and to a recording.

It has no request for stepping back (`supportsStepBack` is not among its capabilities), so editors that use it show no
such buttons. What it has are its debug console, where every command of gdb's works, and `set exec-direction reverse`
there, after which the buttons that go forward go backwards.
"""
import json
import os
import re
import select
import subprocess
import time

from _session import PATIENCE_SECONDS, Served, elf, let_end, live, own_environment, replay, require, symbols

GDB = subprocess.run(["scripts/newer-gdb"], check=True, capture_output=True, text=True).stdout.strip()


class Dap:
    """Requests and their responses; events are kept until somebody waits for one."""

    def __init__(self):
        self.process = subprocess.Popen(
            [GDB, "-nx", "-q", "-i=dap"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env=own_environment(), start_new_session=True,
        )
        self.unread = b""
        self.events: list[dict] = []
        self.transcript = ""
        self.number = 0

    def _more(self, deadline: float) -> None:
        ready, _, _ = select.select([self.process.stdout], [], [], max(0, deadline - time.monotonic()))
        require(ready, "gdb does not answer")
        chunk = os.read(self.process.stdout.fileno(), 65536)
        require(chunk, "gdb has ended")
        self.unread += chunk

    def _message(self) -> dict:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (header := re.match(rb"Content-Length: (\d+)\r\n\r\n", self.unread)):
            self._more(deadline)
        end = header.end() + int(header.group(1))
        while len(self.unread) < end:
            self._more(deadline)
        text, self.unread = self.unread[header.end() : end].decode(), self.unread[end:]
        self.transcript += f"<- {text}\n"
        return json.loads(text)

    def begin(self, command: str, **arguments) -> int:
        self.number += 1
        request = {"seq": self.number, "type": "request", "command": command, "arguments": arguments}
        text = json.dumps(request)
        self.transcript += f"-> {text}\n"
        self.process.stdin.write(f"Content-Length: {len(text)}\r\n\r\n{text}".encode())
        self.process.stdin.flush()
        return self.number

    def response(self, number: int) -> dict:
        while True:
            message = self._message()
            if message["type"] == "response" and message["request_seq"] == number:
                return message
            self.events.append(message)

    def ask(self, command: str, **arguments) -> dict:
        """The body of a response that says success."""
        response = self.response(self.begin(command, **arguments))
        require(response["success"], f"{command}: {response}")
        return response.get("body", {})

    def event(self, name: str) -> dict:
        """The next event of that name, and with it all before it are done with."""
        while True:
            while self.events:
                message = self.events.pop(0)
                if message["type"] == "event" and message["event"] == name:
                    return message.get("body", {})
            self.events.append(self._message())

    def resume(self, command: str, reason: str, **arguments) -> dict:
        """A request that moves the machine; the frame where it stops."""
        self.events.clear()
        self.ask(command, **arguments)
        stop = self.event("stopped")
        require(stop["reason"] == reason, f"{command} should stop by {reason}: {stop}")
        return self.frames(stop["threadId"])[0]

    def console(self, command: str) -> str:
        return self.ask("evaluate", expression=command, context="repl")["result"]

    def frames(self, thread: int) -> list[dict]:
        return self.ask("stackTrace", threadId=thread)["stackFrames"]

    def value(self, expression: str) -> int:
        """In the innermost frame of hart 0."""
        frame = self.frames(1)[0]["id"]
        return int(self.ask("evaluate", expression=expression, context="watch", frameId=frame)["result"].split()[0], 0)

    def __enter__(self) -> "Dap":
        return self

    def __exit__(self, kind, *_) -> None:
        if kind is not None:
            print(self.transcript)
        let_end(self.process)


def attach(dap: Dap, served: Served, *functions: str) -> None:
    """As an editor does: breakpoints first, then the target."""
    able = dap.ask("initialize", adapterID="gdb", clientID="retrov", linesStartAt1=True)
    require("supportsStepBack" not in able, "gdb's DAP steps back now: use its requests")
    dap.event("initialized")
    attaching = dap.begin("attach", program=elf("debuggee"), target=f"127.0.0.1:{served.port}")
    dap.ask("setFunctionBreakpoints", breakpoints=[{"name": name} for name in functions])
    dap.ask("configurationDone")
    response = dap.response(attaching)
    require(response["success"], f"attach: {response}")
    dap.event("stopped")


def forward_and_a_look_around() -> None:
    with live() as served, Dap() as dap:
        attach(dap, served, "run_round")
        frame = dap.resume("continue", "breakpoint", threadId=1)
        require(frame["name"] == "run_round" and frame["source"]["name"].endswith("debuggee.c"), frame)
        threads = dap.ask("threads")["threads"]
        require({t["id"]: t["name"] for t in threads} == {1: "hart 0", 2: "hart 1"}, threads)
        require([f["name"] for f in dap.frames(1)] == ["run_round", "main"], "another stack")
        line = frame["line"]
        frame = dap.resume("next", "step", threadId=1)
        require(frame["line"] > line, "next goes nowhere")
        frame = dap.resume("stepIn", "step", threadId=1, granularity="instruction")
        scopes = dap.ask("scopes", frameId=frame["id"])["scopes"]
        require({"Arguments", "Registers"} <= {scope["name"] for scope in scopes}, scopes)
        arguments = next(scope for scope in scopes if scope["name"] == "Arguments")
        variables = dap.ask("variables", variablesReference=arguments["variablesReference"])["variables"]
        require(variables[0]["name"] == "round" and variables[0]["value"] == "0", variables)
        registers = next(scope for scope in scopes if scope["name"] == "Registers")
        names = dap.ask("variables", variablesReference=registers["variablesReference"])["variables"]
        require({"pc", "a0", "fa0"} <= {register["name"] for register in names}, names)
        require(dap.value("factorial(4)") == 24, "a call says something else")
        memory = dap.ask("readMemory", memoryReference=hex(symbols()["limit"]), count=4)
        require(memory["data"] == "AwAAAA==", memory)
        code = dap.ask("disassemble", memoryReference=frame["instructionPointerReference"], instructionCount=3)
        require(len(code["instructions"]) == 3, code)
        require("step " in dap.console("monitor when"), "no monitor in the debug console")


def back_from_the_debug_console() -> None:
    with replay("-e") as served, Dap() as dap:
        attach(dap, served, "run_round")
        total = dap.value("total")
        dap.events.clear()
        dap.console("reverse-continue")
        require(dap.event("stopped")["reason"] == "breakpoint", "another stop")
        require(dap.value("round") == 39 and dap.value("total") == total - 2, "not the last round")
        # The buttons follow the direction.
        dap.console("set exec-direction reverse")
        dap.resume("continue", "breakpoint", threadId=1)
        require(dap.value("round") == 38, "`continue` does not go back")
        before = dap.value("$pc")
        frame = dap.resume("stepIn", "step", threadId=1, granularity="instruction")
        require(frame["name"] == "main", f"one instruction before run_round is {frame}")
        dap.console("set exec-direction forward")
        dap.resume("stepIn", "breakpoint", threadId=1, granularity="instruction")
        require(dap.value("$pc") == before, "a step does not undo a step back")
        # Who wrote that?
        dap.console("delete")
        dap.console("watch total")
        dap.events.clear()
        before = dap.value("total")
        dap.console("reverse-continue")
        require(dap.event("stopped")["reason"] == "data breakpoint", "another stop than the watchpoint's")
        require(dap.value("total") < before, "the store is not undone")
        # Both ends of history are stops without a reason.
        dap.console("delete")
        dap.resume("continue", "stopped", threadId=1)
        dap.console("set exec-direction reverse")
        dap.resume("continue", "stopped", threadId=1)
        require(dap.value("$pc") == 0x1000, "not at the beginning")
        # The session outlives a refusal.
        refused = dap.response(dap.begin("setExpression", expression="total", value="5"))
        require(not refused["success"], f"written in the past: {refused}")
        require(dap.console("monitor when").startswith("step "), "no session after a refusal")


forward_and_a_look_around()
back_from_the_debug_console()
