#!/usr/bin/env python3
"""last-write, first-write, writes, reads, executions and log as commands, asked of a trace without a debugger."""
import json
import os
import subprocess

from _pty import GUESTS, RETROV, check

TMPDIR = os.environ["TMPDIR"]
ENVIRONMENT = dict(os.environ, RETROV_TRACE_DIR=TMPDIR + "/traces")
ELF = GUESTS + "disk.elf"
USAGE, NO_INPUT = 64, 66


def ask(*words: str, status: int = 0) -> list[str]:
    done = subprocess.run([RETROV, *words], env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, check=False)
    check(done.returncode == status, f"{' '.join(words)}: {done.returncode}, {done.stderr}")
    check(status == 0 or (done.stdout == "" and done.stderr.count("\n") == 1), f"{' '.join(words)}: {done.stderr}")
    return (done.stdout if status == 0 else done.stderr).splitlines()


image = TMPDIR + "/disk.img"
with open(image, "wb") as file:
    file.write(bytes(range(1, 256)) * 64)
    file.truncate(16 * 512)
subprocess.run([RETROV, "record", "-q", "-bios", "none", "-m", "2M", "-smp", "2", "-drive",
                f"file={image},format=raw,if=none,id=d0,snapshot=on", "-device",
                "virtio-blk-device,drive=d0,bus=virtio-mmio-bus.0", ELF], env=ENVIRONMENT, stdin=subprocess.DEVNULL,
               stdout=subprocess.DEVNULL, check=True)
[trace] = [f"{TMPDIR}/traces/{name}" for name in os.listdir(TMPDIR + "/traces") if name.endswith(".rvt")]

writes = ask("writes", "--symbols", ELF, trace, "sum")
check(len(writes) > 10 and f"{len(writes) - 1} accesses in steps 0 to " in writes[-1].replace(",", ""), writes[-1])
check(ask("last-write", "--symbols", ELF, trace, "sum") == [writes[-2]], "the last is the last of the list")
check(ask("first-write", "--symbols", ELF, "sum") == [writes[0]], "the first of the latest trace is the first")
facts = [json.loads(line) for line in ask("writes", "--json", "--symbols", ELF, trace, "sum")]
check([f"step {fact['step']:,}  hart {fact['hart']}" for fact in facts]
      == [line[: line.index("  0x")] for line in writes[:-1]], "JSON says the same")
middle = facts[len(facts) // 2]
address = middle["physical"]
before = json.loads(ask("last-write", "--json", "-g", str(middle["step"]), trace, address)[0])
check(before == facts[len(facts) // 2 - 1], "-g says before when")
check(json.loads(ask("last-write", "--json", "--phys", trace, address, "1")[0])["step"] == facts[-1]["step"], "--phys")
part = ask("writes", trace, f"{facts[3]['step']}-{facts[5]['step']}", address)
check(len(part) == 2 + 1, f"a range: {part}")
executions = ask("executions", "--symbols", ELF, trace, "main")
check(" times in steps 0 to " in executions[-1] and "main" in executions[0], executions[-1])
check("accesses in steps 0 to" in ask("reads", "--symbols", ELF, trace, "sum")[-1], "reads")

logged = ask("log", "--symbols", ELF, trace, "main: at %p, %ld", "pc", "a0 - a0")
check(len(logged) == len(executions) and " hits in steps 0 to " in logged[-1], logged[-1])
check(logged[0].split("  ")[:2] == executions[0].split("  ")[:2], logged[0])
check("at 0x8" in logged[0] and logged[0].endswith(", 0"), logged[0])
check(ask("log", "--jobs", "1", "--symbols", ELF, trace, "main: at %p, %ld", "pc", "a0 - a0") == logged, "one thread")
lines = [json.loads(line)
         for line in ask("log", "--json", "--symbols", ELF, trace, "0-50%", "main if 1:", "main+4: %d", "1")]
check(len(lines) > 0 and lines[0]["place"] == "main" == lines[0]["text"], f"{lines}")
check(ask("log", "--symbols", ELF, trace, "main if a0 != a0: never")[-1].startswith("0 hits"), "a false condition")
check("info line disk.c:3" in ask("log", "--symbols", ELF, trace, "disk.c:3: x", status=USAGE)[0], "lines of source")
check("no symbol 'nonsense'" in ask("log", "--symbols", ELF, trace, "main: %d", "nonsense", status=USAGE)[0],
      "an unknown name is named")

check("'nonsense'" in ask("last-write", trace, "nonsense", status=USAGE)[0], "an unknown symbol is named")
check("usage: last-write" in ask("last-write", trace, status=USAGE)[0], "what to ask for is missing")
check("is not in RAM" in ask("writes", trace, "0x10000000", status=USAGE)[0], "a device is no memory")
check("missing.rvt" in ask("writes", TMPDIR + "/missing.rvt", "0x80000000", status=NO_INPUT)[0], "the trace is named")
