"""Small mistakes for C++ sources, of five kinds: operator, width, sign, check, mask. Used by `mutants`.

A mutation changes one line. Nothing here parses C++: the sources are formatted, so an operator has a blank on either
side and a template's bracket has not. What does not compile is for the caller to replace.
"""
import random
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Iterator


@dataclass(frozen=True)
class Mutation:
    path: str
    line: int  # from 1
    kind: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line} ({self.kind})\n  - {self.before.strip()}\n  + {self.after.strip()}"


OPERATORS = {
    "+": "-", "-": "+", "*": "+", "/": "*", "%": "/", "&": "|", "|": "&", "^": "|", "<<": ">>", ">>": "<<",
    "==": "!=", "!=": "==", "<": "<=", "<=": "<", ">": ">=", ">=": ">", "&&": "||", "||": "&&",
}  # fmt: skip

# Meanings that a row could name by mistake.
OTHER_MEANING = {
    "add": "sub", "sub": "add", "mul": "div", "div": "mul", "bit_and": "bit_or", "bit_or": "bit_xor",
    "bit_xor": "bit_and", "shift_left": "shift_right", "shift_right": "shift_left", "shift_left_word":
    "shift_right_word", "shift_right_word": "shift_left_word", "add_word": "sub_word", "sub_word": "add_word",
    "equal": "not_equal", "not_equal": "equal", "less": "not_less", "not_less": "less", "less_unsigned":
    "not_less_unsigned", "not_less_unsigned": "less_unsigned", "min": "max", "max": "min", "min_unsigned":
    "max_unsigned", "max_unsigned": "min_unsigned", "le": "lt", "lt": "le", "eq": "le", "le_quiet": "lt_quiet",
    "lt_quiet": "le_quiet", "min_or_nan": "max_or_nan", "max_or_nan": "min_or_nan", "round": "round_exact",
    "round_exact": "round", "divide": "remainder", "remainder": "divide", "divide_unsigned": "remainder_unsigned",
    "remainder_unsigned": "divide_unsigned", "and_not": "or_not", "or_not": "xor_not", "xor_not": "and_not",
    "leading_zeros": "trailing_zeros", "trailing_zeros": "leading_zeros", "ones": "leading_zeros", "rotate_left":
    "rotate_right", "rotate_right": "rotate_left", "rotate_left_word": "rotate_right_word", "rotate_right_word":
    "rotate_left_word", "clear": "set", "set": "clear", "invert": "set", "extract": "invert", "low": "high",
    "high": "reversed", "reversed": "high", "zero_if_zero": "zero_unless_zero", "zero_unless_zero": "zero_if_zero",
    "swap": "add", "sign_of_second": "negated_sign_of_second", "negated_sign_of_second": "product_of_signs",
    "product_of_signs": "sign_of_second", "Change::kSet": "Change::kClear", "Change::kClear": "Change::kSet",
    "CacheBlock::kInvalidate": "CacheBlock::kClean", "CacheBlock::kClean": "CacheBlock::kInvalidate",
    "complement": "zero_extend_word", "supervisor_return": "machine_return", "machine_return": "supervisor_return",
    "fence_translations": "wait_for_interrupt", "invalidate": "order_invalidations", "order_invalidations":
    "invalidate", "kCycleBit": "kInstretBit", "kInstretBit": "kCycleBit",
}  # fmt: skip

OTHER_SIGN = {
    "shift_right": "shift_right_signed", "shift_right_signed": "shift_right", "shift_right_word":
    "shift_right_signed_word", "shift_right_signed_word": "shift_right_word", "less": "less_unsigned",
    "less_unsigned": "less", "not_less": "not_less_unsigned", "not_less_unsigned": "not_less", "min": "min_unsigned",
    "min_unsigned": "min", "max": "max_unsigned", "max_unsigned": "max", "set_less": "set_less_unsigned",
    "set_less_unsigned": "set_less", "divide": "divide_unsigned", "divide_unsigned": "divide", "remainder":
    "remainder_unsigned", "remainder_unsigned": "remainder", "divide_word": "divide_unsigned_word",
    "divide_unsigned_word": "divide_word", "remainder_word": "remainder_unsigned_word", "remainder_unsigned_word":
    "remainder_word", "multiply_high": "multiply_high_signed_unsigned", "multiply_high_unsigned":
    "multiply_high_signed_unsigned", "multiply_high_signed_unsigned": "multiply_high", "sign_extend_byte":
    "zero_extend_byte", "zero_extend_byte": "sign_extend_byte", "sign_extend_half": "zero_extend_half",
    "zero_extend_half": "sign_extend_half", "Sign::kKeep": "Sign::kNegate", "Sign::kNegate": "Sign::kKeep",
}  # fmt: skip

OTHER_WIDTH = {"8": "16", "16": "32", "32": "64", "64": "32"}
OTHER_BYTES = {"1": "2", "2": "4", "4": "8", "8": "4"}
OTHER_NUMBER = {"F16": "F32", "F32": "F64", "F64": "F32"}

# What extends a number to the width of a register.
EXTENDING = ("LoadInteger", "amo", "load_reserved", "compare_and_swap")

# These return nothing and are made for their effect.
EFFECTS = r"(leave|turn_over|waiting) = true|reservation = \{\}|(fp_dirty|flush_translations|select_context)\(\)"

# Code that says nothing about instructions: bookkeeping for debuggers and caches, and the making of tables.
ELSEWHERE = re.compile(r"^(struct Table|struct Spec|void note_return|void Hart::undo_fetch_marks|class Index|"
                       r"std::optional<PhysAddr> Hart::translate_for_debugger|Trap Hart::watched|bool overlaps|"
                       r"bool same_space|std::optional<u64> Hart::first_watched_byte|bool Hart::may_cache|"
                       r"void Hart::cache_|std::string_view csr_name|"
                       r"bool Hart::pmp_uniform_in_page|constexpr unsigned slot_of|constexpr Encoding slot_encoding)")
NOT_CODE = re.compile(r"^\s*(#|//|static_assert|namespace|using|RV_CHECK|template|friend|case\b.*:$|public:|private:)|"
                      r"RV_CHECK|fetch_mark|frames|cache_(read|write)\(|\.probe\(|stepping|walks\.use|touched|"
                      r"kSatpRoot")

# Mutations of which no test can see anything: (path, text of the line before, text after, why).
EQUIVALENT = (
    ("core/csr.cpp", "(number & 15u) * 4", "(number & 7) * 4", "only pmpcfg0 and pmpcfg2 come here"),
    ("core/csr.cpp", "<< (number & 31)", "<< (number & 63)", "0xc00 to 0xc1f come here, in which that bit is 0"),
    ("core/pmp.cpp", "== Match::kOff) continue;", "// gone", "what is off has an empty range as well"),
    ("core/isa/meaning_float.hpp", "<u32>(operands.imm) >> 3", "<i32>(operands.imm) >> 3", "is not negative"),
    ("core/decode.cpp", "static_cast<i32>(raw & 0xfffff000)", "static_cast<i64>", "stored in 32 bits"),
    ("core/trap.cpp", "static_cast<u64>(trap.cause)", "static_cast<u32>", "below 64, which is checked"),
    ("core/trap.cpp", "static_cast<u64>(hart.priv)", "static_cast<u32>", "0, 1 or 3"),
    ("core/trap.cpp", "(tvec & 1)", "(tvec & 3)", "the mode of a vector is 0 or 1"),
    ("core/access.cpp", "static_cast<u8>(size_bytes)", "static_cast<i8>(size_bytes)", "a size is at most 16"),
    ("core/csr.cpp", "kUbe | mstatus::kVs", "kSstatusWritable | mstatus::kVs", "mstatus.UBE is always 0"),
    ("core/csr.cpp", "kUbe | mstatus::kVs", "kUbe | mstatus::kXs", "mstatus.VS is always 0"),
    ("core/csr.cpp", "kVs | mstatus::kXs", "kVs | mstatus::kUxl", "mstatus.XS is always 0"),
)


def without_literals(line: str) -> str:
    """The code of a line, at its columns: comments and the insides of strings are blanks."""
    line = re.sub(r'"[^"]*"', lambda found: '"' + " " * (len(found.group()) - 2) + '"', line)
    return re.sub(r"//.*", lambda found: " " * len(found.group()), line)


def replaced(line: str, found: re.Match, text: str, group: int = 0) -> str:
    return line[: found.start(group)] + text + line[found.end(group):]


def named_instead(line: str, code: str, other: dict[str, str]) -> Iterator[str]:
    """A template argument that is one of these names."""
    for found in re.finditer(r"(?<=[<, (:])((?:Sign|Change|CacheBlock)::k\w+|[a-zA-Z_]\w*)(?=[<>,(])", code):
        if found.group(1) in other:
            yield replaced(line, found, other[found.group(1)])


def operators(line: str, code: str) -> Iterator[str]:
    for found in re.finditer(r"(?<= )(\+|-|\*|/|%|&&?|\|\|?|\^|<<|>>|[=!<>]=|<|>)(?= )", code):
        # The end of a loop, and of what it indexes, is not for us to move; of two equals either is the lesser.
        either = re.search(r"(\w+) [<>] (\w+) \? (\1 : \2|\2 : \1)", code)
        if found.group() not in "<<=>=" or not (either or code.lstrip().startswith("for (")):
            yield replaced(line, found, OPERATORS[found.group()])
    for found in re.finditer(r"(?<=[ (])[~!](?=[\w(])", code):
        yield replaced(line, found, "")
    if re.match(r"^ {4}\w+<.*\(\"", line):
        yield from named_instead(line, code, OTHER_MEANING)
    if re.match(r"^ {4}\{0x", line):
        yield from named_instead(line, code, {key: OTHER_MEANING[key] for key in ("kCycleBit", "kInstretBit")})


def behind_call(code: str, at: int) -> str:
    """What follows the parenthesis that closes the one at `at`."""
    depth = 0
    for end in range(at, len(code)):
        depth += {"(": 1, ")": -1}.get(code[end], 0)
        if depth == 0:
            return code[end + 1:]
    return ""


def is_converted_anyway(code: str, start: int, name: str) -> bool:
    """Whether a cast to `name` at `start` is stored, returned or cast again, so that what it does is lost."""
    before = code[:start]
    if before.endswith("= ") or (before.endswith("return ") and re.match(rf"(constexpr |inline )*{name} ", code)):
        return True
    used_in_between = re.match(r" ([-+*/%<]|>>)", behind_call(code, code.find("(", start)))
    return re.search(r"static_cast<[iu]\d+>\($", before) is not None and not used_in_between


def widths(line: str, code: str) -> Iterator[str]:
    for found in re.finditer(r"(\w+)<([iu])(8|16|32|64)(?=[>,])", code):
        around, sign, width = found.groups()
        is_lost = around == "static_cast" and is_converted_anyway(code, found.start(), sign + width)
        if around != "array" and (not is_lost or width == "64"):
            yield replaced(line, found, OTHER_WIDTH[width], 3)
    for found in re.finditer(r"(?:Integer|Float)<([1248])(?=>)", code):
        yield replaced(line, found, OTHER_BYTES[found.group(1)], 1)
    for found in re.finditer(r"(?<=& )(63|31)\b", code):
        yield replaced(line, found, {"63": "31", "31": "63"}[found.group()])
    for found in re.finditer(r"sign_extend_word(?=\()", code):
        if "constexpr u64 sign_extend_word" not in code:
            yield replaced(line, found, "u64")
    for found in re.finditer(r"(?<=[<, ])(\w+)_word(?=[<>])", code):
        yield replaced(line, found, found.group(1))
    for number, other in OTHER_NUMBER.items():
        if re.match(r"^ {4}fallible<", line) and re.search(rf"\b{number}\b", code):
            yield re.sub(rf"\b{number}\b", other, line)


def signs(line: str, code: str) -> Iterator[str]:
    if re.match(r"^ {4}\w+<", line):
        yield from named_instead(line, code, OTHER_SIGN)
    for found in re.finditer(r"(\w+)<([iu])(8|16|32|64)(?=[>,])", code):
        around, sign, width = found.groups()
        # A number as wide as a register is not extended, and one that is stored has no sign.
        has_none = around in ("store_conditional", "array") or (width == "64" and around in EXTENDING)
        is_lost = around == "static_cast" and (sign + width == "u64" or
                                               is_converted_anyway(code, found.start(), sign + width))
        if not has_none and not is_lost:
            yield replaced(line, found, {"i": "u", "u": "i"}[sign], 2)
    for found in re.finditer(r"\bsign_extend\((?=.*, \d+\)|imm6)", code):
        yield replaced(line, found, "unsigned_immediate(")


def checks(line: str, code: str) -> Iterator[str]:
    if re.match(r"^\s+if \(.*\) (return|continue|writable|status|csr|bits|next|hart).*;\s*$", code):
        yield re.match(r"^\s*", line).group() + "// gone"
    if re.match(rf"^\s+(if \(.*\) )?(hart\.)?({EFFECTS});\s*$", code):
        yield re.match(r"^\s*", line).group() + "// gone"
    for found in re.finditer(r", (has_rd|has_rs2|has_immediate|has_wide_immediate|is_lui)(?=\))", code):
        yield replaced(line, found, "")
    if re.match(r"^ {4}\{0x", line):
        for found in re.finditer(r"\b(\w+_gate)\b", code):
            yield replaced(line, found, "nullptr")
        for found in re.finditer(r"\{Extension::k\w+\}", code):
            yield replaced(line, found, "{}")


def masks(line: str, code: str) -> Iterator[str]:
    is_register = re.match(r"^ {4}\{0x", line) is not None
    for found in re.finditer(r"(?<![\w'])0x[0-9a-f]+\b", code):
        value = int(found.group(), 16)
        if not is_register and value.bit_length() > 1:
            for bit in (0, value.bit_length() // 2, value.bit_length() - 1):
                yield replaced(line, found, hex(value ^ 1 << bit))
    for found in re.finditer(r"(?<= & )[1-9]\d*u?\b(?! <<)", code):
        value = int(found.group().rstrip("u"))
        yield replaced(line, found, str(value >> 1) if value > 1 else "3")
    for found in re.finditer(r"(?<= (?:<<|>>) )\d+\b", code):
        yield replaced(line, found, str(int(found.group()) + (1 if int(found.group()) % 2 == 0 else -1)))
    for found in re.finditer(r" \| \w+::k\w+|, kLow32(?=>)|, kDelegableTraps(?=>)", code):
        yield replaced(line, found, "")
    for quoted in re.finditer(r'(?<=")[01a-z ]{16,}(?=")', line):
        for found in re.finditer(r"[01]", quoted.group()):
            at = quoted.start() + found.start()
            yield line[:at] + {"0": "1", "1": "0"}[found.group()] + line[at + 1:]
            yield line[:at] + "i" + line[at + 1:]


KINDS: dict[str, Callable[[str, str], Iterator[str]]] = {
    "operator": operators, "width": widths, "sign": signs, "check": checks, "mask": masks,
}  # fmt: skip


def is_equivalent(mutation: Mutation) -> bool:
    return any(mutation.path == path and before in mutation.before and after in mutation.after
               for path, before, after, _ in EQUIVALENT)


def mutations_of(path: str, text: str) -> list[Mutation]:
    """All of them, in the order of the file."""
    result, elsewhere = [], False
    for number, line in enumerate(text.splitlines(), 1):
        elsewhere = elsewhere or ELSEWHERE.match(line) is not None
        if not elsewhere and not NOT_CODE.search(line):
            code = without_literals(line)
            for kind, rule in KINDS.items():
                found = (Mutation(path, number, kind, line, after) for after in dict.fromkeys(rule(line, code)))
                result += [mutation for mutation in found if not is_equivalent(mutation)]
        if line in ("}", "};"):
            elsewhere = False
    return result


def shuffled(mutations: list[Mutation], dice: random.Random) -> list[Mutation]:
    """In random order, in which the kinds take turns: some have many more candidates than others."""
    piles = {kind: [mutation for mutation in mutations if mutation.kind == kind] for kind in KINDS}
    for pile in piles.values():
        dice.shuffle(pile)
    result = []
    while any(piles.values()):
        kinds = [kind for kind, pile in piles.items() if pile]
        dice.shuffle(kinds)
        result += [piles[kind].pop() for kind in kinds]
    return result


def queues(root: Path, files: list[str], count: int, seed: str) -> list[list[Mutation]]:
    """What to try in each of `count` places, one after the other until one compiles: every file has a place, and the
    places that are left go to files by their number of candidates. No mutation is in two queues."""
    dice = random.Random(seed)
    candidates = {path: shuffled(mutations_of(path, (root / path).read_text()), dice) for path in files}
    weights = [len(candidates[path]) ** 0.5 for path in files]
    places = files[:count] + dice.choices(files, weights, k=max(0, count - len(files)))
    return [candidates[path][places[:place].count(path)::places.count(path)] for place, path in enumerate(places)]
