"""Every floating-point instruction over the same operands on retrov and on QEMU: results and flags must be the same.

The encodings are spelt out here a second time, from the manual and not from the machine's tables. A difference is
narrowed down to the first vector that differs.
"""
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RETROV = os.environ.get("RETROV", str(ROOT / "build/retrov"))
CC = os.environ.get("RISCV_CC", "riscv64-linux-gnu-gcc")
SEED = int(os.environ.get("FP_SEED", "1"), 0)

FORMATS = {"s": 0, "d": 1, "h": 2}
OP_FP = 0x53
DYNAMIC = 7


class Operation:
    """An instruction: its name, its bits without rm, what its operands are, whether it has a rounding mode, and whether
    its operand and its result are in integer registers."""

    def __init__(self, name: str, bits: int, operands: str, has_mode: bool, to_integer: bool = False) -> None:
        self.name, self.bits, self.has_mode, self.to_integer = name, bits, has_mode, to_integer
        self.operands = operands.ljust(3, "n")


def encode(funct5: int, fmt: str, rs2: int = 11, rm: int = 0, rs1: int = 10) -> int:
    """Of OP-FP: rd is fa0 or a0, rs1 fa0 or a0, rs2 fa1 where it is a register."""
    return funct5 << 27 | FORMATS[fmt] << 25 | rs2 << 20 | rs1 << 15 | rm << 12 | 10 << 7 | OP_FP


def operations_of(fmt: str) -> list[Operation]:
    ops = []
    for name, opcode in (("fmadd", 0x43), ("fmsub", 0x47), ("fnmsub", 0x4B), ("fnmadd", 0x4F)):
        bits = 12 << 27 | FORMATS[fmt] << 25 | 11 << 20 | 10 << 15 | 10 << 7 | opcode
        ops.append(Operation(f"{name}.{fmt}", bits, fmt * 3, True))
    for name, funct5 in (("fadd", 0), ("fsub", 1), ("fmul", 2), ("fdiv", 3)):
        ops.append(Operation(f"{name}.{fmt}", encode(funct5, fmt), fmt * 2, True))
    ops.append(Operation(f"fsqrt.{fmt}", encode(0b01011, fmt, 0), fmt, True))
    ops.append(Operation(f"fround.{fmt}", encode(0b01000, fmt, 4), fmt, True))
    ops.append(Operation(f"froundnx.{fmt}", encode(0b01000, fmt, 5), fmt, True))
    for rm, name in enumerate(("fsgnj", "fsgnjn", "fsgnjx")):
        ops.append(Operation(f"{name}.{fmt}", encode(0b00100, fmt, rm=rm), fmt * 2, False))
    for rm, name in enumerate(("fmin", "fmax", "fminm", "fmaxm")):
        ops.append(Operation(f"{name}.{fmt}", encode(0b00101, fmt, rm=rm), fmt * 2, False))
    for rm, name in ((0, "fle"), (1, "flt"), (2, "feq"), (4, "fleq"), (5, "fltq")):
        ops.append(Operation(f"{name}.{fmt}", encode(0b10100, fmt, rm=rm), fmt * 2, False, True))
    ops.append(Operation(f"fclass.{fmt}", encode(0b11100, fmt, 0, 1), fmt, False, True))
    for rs2, integer in enumerate(("w", "wu", "l", "lu")):
        ops.append(Operation(f"fcvt.{integer}.{fmt}", encode(0b11000, fmt, rs2), fmt, True, True))
        ops.append(Operation(f"fcvt.{fmt}.{integer}", encode(0b11010, fmt, rs2), "x", True))
    for other, rs2 in FORMATS.items():
        if other != fmt:
            ops.append(Operation(f"fcvt.{fmt}.{other}", encode(0b01000, fmt, rs2), other, True))
    moves = {"h": ("fmv.x.h", "fmv.h.x"), "s": ("fmv.x.w", "fmv.w.x"), "d": ("fmv.x.d", "fmv.d.x")}[fmt]
    ops.append(Operation(moves[0], encode(0b11100, fmt, 0), fmt, False, True))
    ops.append(Operation(moves[1], encode(0b11110, fmt, 0), "x", False))
    for number in range(32):
        ops.append(Operation(f"fli.{fmt} {number}", encode(0b11110, fmt, 1, rs1=number), "", False))
    if fmt == "d":
        ops.append(Operation("fcvtmod.w.d", encode(0b11000, "d", 8, 1), "d", False, True))
    return ops


OPERATIONS = [op for fmt in FORMATS for op in operations_of(fmt)]


def assembly() -> str:
    """stub(a, b, c, fcsr) returns the result and fcsr. Integer operands come in a0, results in fa0 or a0."""
    stubs, table = [], []
    for index, op in enumerate(OPERATIONS):
        names = []
        for rm in (DYNAMIC, 0, 1, 2, 3, 4):
            if rm != DYNAMIC and not op.has_mode:
                names.append("0")
                continue
            names.append(f"stub_{index}_{rm}")
            word = op.bits | rm << 12 if op.has_mode else op.bits
            back = "" if op.to_integer else "fmv.x.d a0, fa0\n"
            stubs.append(f"{names[-1]}:\nfmv.d.x fa0, a0\nfmv.d.x fa1, a1\nfmv.d.x fa2, a2\nfscsr a3\n"
                         f".4byte {word:#010x} # {op.name}\n{back}frcsr a1\nret\n")
        table.append(f".8byte {', '.join(names)}\n.ascii \"{op.operands}\"\n.byte 0\n.4byte 0\n")
    return (f".text\n{''.join(stubs)}.section .rodata\n.balign 8\n.globl operations, operation_count\n"
            f"operation_count: .8byte {len(OPERATIONS)}\noperations:\n{''.join(table)}")


def build(folder: Path, vectors: int, chunks: int, **only: int) -> Path:
    source, program = folder / "stubs.S", folder / f"fp{len(only)}.elf"
    source.write_text(assembly())
    defines = {"VECTORS": vectors, "CHUNKS": chunks, "SEED": f"{SEED}ull", **only}
    support = ROOT / "tests/guests/support"
    command = [CC, "-march=rv64gc", "-mabi=lp64d", "-mcmodel=medany", "-O2", "-nostdlib", "-ffreestanding", "-fno-pic",
               "-static", "-no-pie", "-fno-asynchronous-unwind-tables", "-fno-tree-loop-distribute-patterns",
               "-Wl,--build-id=none", "-Wl,--no-warn-rwx-segments", "-T", ROOT / "tests/guests/guest.ld",
               "-I", ROOT / "tests/guests", *(f"-D{name}={value}" for name, value in defines.items()), "-o", program,
               support / "start.S", support / "runtime.c", Path(__file__).with_name("fp_vectors.c"), source]
    subprocess.run(command, check=True)
    return program


def output_of(command: list[str]) -> list[str]:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"FAILED: {command[0]} ends with {done.returncode}: {done.stdout[-300:]}{done.stderr[-300:]}")
    return done.stdout.split("\n")


def on_retrov(program: Path) -> list[str]:
    return output_of([RETROV, "run", "--bios", "none", "--record", "off", "-nographic", str(program)])


def on_qemu(program: Path) -> list[str]:
    qemu = subprocess.run([ROOT / "scripts/newer-qemu"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    return output_of([str(ROOT / qemu), "-M", "virt", "-cpu", "max", "-m", "64M", "-bios", "none", "-nographic",
                      "-monitor", "none", "-serial", "stdio", "-kernel", str(program)])


def first_difference(ours: list[str], theirs: list[str]) -> tuple[str, str] | None:
    for pair in zip(ours, theirs):
        if pair[0] != pair[1]:
            return pair
    return None if len(ours) == len(theirs) else (f"{len(ours)} lines", f"{len(theirs)} lines")


def compare(vectors: int, chunks: int) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        program = build(Path(scratch), vectors, chunks)
        ours, theirs = on_retrov(program), on_qemu(program)
        pairs = len(ours) - 1
        wanted = sum(5 if op.has_mode else 1 for op in OPERATIONS) * chunks
        if pairs != wanted:
            sys.exit(f"FAILED: {pairs} chunks instead of {wanted}")
        names = set()
        for our, their in zip(ours, theirs):
            if our == their:
                continue
            index, mode, chunk = (int(field, 16) for field in our.split()[:3])
            if OPERATIONS[index].name in names:
                continue
            names.add(OPERATIONS[index].name)
            program = build(Path(scratch), vectors, chunks, ONLY_OPERATION=index, ONLY_MODE=mode, ONLY_CHUNK=chunk)
            found = first_difference(on_retrov(program), on_qemu(program))
            print(f"{OPERATIONS[index].name}, mode {mode}, chunk {chunk}: a, b, c, fcsr before; result, fcsr\n"
                  f"  retrov {found[0] if found else '-'}\n  QEMU   {found[1] if found else '-'}")
        if names or ours != theirs:
            sys.exit(f"FAILED: {len(names)} of {len(OPERATIONS)} instructions differ from QEMU's (FP_SEED={SEED})")
        print(f"{pairs * vectors} vectors of {len(OPERATIONS)} instructions: as on QEMU")
