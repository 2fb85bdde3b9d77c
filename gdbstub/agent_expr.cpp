#include "gdbstub/agent_expr.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "core/check.hpp"
#include "gdbstub/agent_ops.hpp"
#include "gdbstub/hex.hpp"

namespace retrov {
namespace {

constexpr std::size_t kMostStack = 256;
constexpr std::size_t kMostBytes = 0x10000;  ///< Jumps are 16 bits wide.
/// gdb's expressions do not loop; one that does must not take the machine with it.
constexpr unsigned kMostSteps = 100'000;

using namespace agent_op;

/// What a bytecode takes from the stream and from the stack. `pops` is also how much must be there.
struct OpRow {
  u8 op;
  u8 operand_bytes;
  u8 pops;
  u8 pushes;
};

constexpr std::array kOps = {
    OpRow{kAdd, 0, 2, 1},         OpRow{kSub, 0, 2, 1},          OpRow{kMul, 0, 2, 1},
    OpRow{kDivSigned, 0, 2, 1},   OpRow{kDivUnsigned, 0, 2, 1},  OpRow{kRemSigned, 0, 2, 1},
    OpRow{kRemUnsigned, 0, 2, 1}, OpRow{kLsh, 0, 2, 1},          OpRow{kRshSigned, 0, 2, 1},
    OpRow{kRshUnsigned, 0, 2, 1}, OpRow{kTrace, 0, 2, 0},        OpRow{kTraceQuick, 1, 1, 1},
    OpRow{kLogNot, 0, 1, 1},      OpRow{kBitAnd, 0, 2, 1},       OpRow{kBitOr, 0, 2, 1},
    OpRow{kBitXor, 0, 2, 1},      OpRow{kBitNot, 0, 1, 1},       OpRow{kEqual, 0, 2, 1},
    OpRow{kLessSigned, 0, 2, 1},  OpRow{kLessUnsigned, 0, 2, 1}, OpRow{kExt, 1, 1, 1},
    OpRow{kRef8, 0, 1, 1},        OpRow{kRef16, 0, 1, 1},        OpRow{kRef32, 0, 1, 1},
    OpRow{kRef64, 0, 1, 1},       OpRow{kIfGoto, 2, 1, 0},       OpRow{kGoto, 2, 0, 0},
    OpRow{kConst8, 1, 0, 1},      OpRow{kConst16, 2, 0, 1},      OpRow{kConst32, 4, 0, 1},
    OpRow{kConst64, 8, 0, 1},     OpRow{kReg, 2, 0, 1},          OpRow{kEnd, 0, 0, 0},
    OpRow{kDup, 0, 1, 2},         OpRow{kPop, 0, 1, 0},          OpRow{kZeroExt, 1, 1, 1},
    OpRow{kSwap, 0, 2, 2},        OpRow{kGetv, 2, 0, 1},         OpRow{kSetv, 2, 1, 1},
    OpRow{kTracev, 2, 0, 1},      OpRow{kTracenz, 0, 2, 0},      OpRow{kTrace16, 2, 1, 1},
    OpRow{kPick, 1, 0, 1},        OpRow{kRot, 0, 3, 3},          OpRow{kPrintf, 1, 2, 0},
};

const OpRow* find_op(u8 op) {
  static constexpr auto kByNumber = [] {
    std::array<u8, 256> index{};
    for (std::size_t i = 0; i < kOps.size(); ++i) index[kOps[i].op] = static_cast<u8>(i + 1);
    return index;
  }();
  return kByNumber[op] == 0 ? nullptr : &kOps[kByNumber[op] - 1u];
}

[[noreturn]] void refuse(const std::string& why) { throw Error(Exit::kFailure, "agent expression: " + why); }

u64 big_endian(std::span<const u8> bytes) {
  u64 value = 0;
  for (const u8 byte : bytes) value = value << 8 | byte;
  return value;
}

u64 zero_extended(u64 value, u64 bits) { return bits >= 64 ? value : value & ((u64{1} << bits) - 1); }

u64 sign_extended(u64 value, u64 bits) {
  if (bits == 0 || bits >= 64) return value;
  const u64 sign = u64{1} << (bits - 1);
  return (zero_extended(value, bits) ^ sign) - sign;
}

/// C leaves a shift by the width or more open; here all bits are gone.
u64 shifted_left(u64 value, u64 by) { return by >= 64 ? 0 : value << by; }
u64 shifted_right(u64 value, u64 by) { return by >= 64 ? 0 : value >> by; }
u64 shifted_right_signed(u64 value, u64 by) {
  return static_cast<u64>(static_cast<i64>(value) >> std::min<u64>(by, 63));
}

/// `b` is not 0. The one quotient that is too large, that of the smallest number by -1, is that number again.
u64 divided(Op op, u64 a, u64 b) {
  switch (op) {
    case kDivSigned:
      return b == ~u64{0} ? u64{0} - a : static_cast<u64>(i64(a) / i64(b));
    case kRemSigned:
      return b == ~u64{0} ? 0 : static_cast<u64>(i64(a) % i64(b));
    case kDivUnsigned:
      return a / b;
    default:
      return a % b;
  }
}

/// Trace state variables. They live as long as one evaluation: whatever a client leaves in one would make a later stop
/// depend on the way there.
class Variables {
 public:
  [[nodiscard]] u64 get(u64 number) const {
    for (const auto& [known, value] : values_) {
      if (known == number) return value;
    }
    return 0;
  }
  void set(u64 number, u64 value) {
    for (auto& [known, kept] : values_) {
      if (known == number) return void(kept = value);
    }
    values_.emplace_back(number, value);
  }

 private:
  std::vector<std::pair<u64, u64>> values_;
};

}  // namespace

AgentExpression::AgentExpression(std::span<const u8> bytes, AgentUse use) {
  decode(bytes);
  verify(use);
}

void AgentExpression::decode(std::span<const u8> bytes) {
  if (bytes.size() > kMostBytes) refuse("longer than a jump can reach");
  std::vector<std::size_t> index_at(bytes.size(), ~std::size_t{0});
  for (std::size_t at = 0; at < bytes.size();) {
    const OpRow* row = find_op(bytes[at]);
    if (row == nullptr) refuse("there is no bytecode 0x" + hex_number(bytes[at]));
    index_at[at] = code_.size();
    const std::size_t operand_end = at + 1 + row->operand_bytes;
    if (operand_end > bytes.size()) refuse("it ends in the middle of a bytecode");
    Code code{row->op, big_endian(bytes.subspan(at + 1, row->operand_bytes))};
    at = operand_end;
    if (row->op == kPrintf) {
      // The number of arguments was the operand; the length and the text of the format follow.
      const u64 size = bytes.size() - at < 2 ? 0 : big_endian(bytes.subspan(at, 2));
      if (size == 0 || bytes.size() - at - 2 < size) refuse("it ends in the middle of a format");
      const std::span<const u8> text = bytes.subspan(at + 2, size);
      if (text.back() != 0) refuse("a format does not end with a zero");
      const std::string_view format(reinterpret_cast<const char*>(text.data()), size - 1);
      formats_.emplace_back(format, static_cast<unsigned>(code.operand));
      code.operand = formats_.size() - 1;
      at += 2 + size;
    }
    code_.push_back(code);
  }
  for (Code& code : code_) {
    if (code.op != kIfGoto && code.op != kGoto) continue;
    const bool leads_to_code = code.operand < index_at.size() && index_at[code.operand] != ~std::size_t{0};
    if (!leads_to_code) refuse("a jump leads to no bytecode");
    code.operand = index_at[code.operand];
  }
}

/// Follows every way through the code with the height that the stack has there.
void AgentExpression::verify(AgentUse use) const {
  std::vector<std::optional<std::size_t>> height_at(code_.size());
  std::vector<std::size_t> open;
  const auto go_to = [&](std::size_t index, std::size_t height) {
    if (index >= code_.size()) refuse("it runs beyond its end");
    if (height_at[index] && *height_at[index] != height) refuse("the stack has two heights at one place");
    if (height_at[index]) return;
    height_at[index] = height;
    open.push_back(index);
  };
  go_to(0, 0);
  while (!open.empty()) {
    const std::size_t index = open.back();
    open.pop_back();
    const Code& code = code_[index];
    const OpRow& row = *find_op(code.op);
    std::size_t pops = row.pops;
    if (code.op == kPrintf) pops += formats_[code.operand].argument_count();
    if (code.op == kPick && code.operand >= *height_at[index]) refuse("it picks below the stack");
    if (pops > *height_at[index]) refuse("the stack runs empty");
    const std::size_t height = *height_at[index] - pops + row.pushes;
    if (height > kMostStack) refuse("the stack grows too high");
    if (code.op == kEnd) {
      if (use == AgentUse::kCondition && height == 0) refuse("it ends without a value");
      continue;
    }
    if (code.op == kGoto || code.op == kIfGoto) go_to(code.operand, height);
    if (code.op != kGoto) go_to(index + 1, height);
  }
}

AgentResult AgentExpression::evaluate(const HartView& hart, std::string* printed) const {
  std::array<u64, kMostStack> stack;
  std::size_t height = 0;
  Variables variables;
  std::size_t next = 0;
  for (unsigned steps = 0; steps < kMostSteps; ++steps) {
    const Code& code = code_[next++];
    // Verified: what is below is there whenever a bytecode uses it.
    u64* const top = stack.data() + height - 1;
    const auto binary = [&](u64 value) {
      top[-1] = value;
      --height;
    };
    const auto push = [&](u64 value) { stack[height++] = value; };
    const auto fetch = [&](unsigned size_bytes) {
      std::array<u8, 8> bytes{};
      if (hart.read_memory(VirtAddr{*top}, std::span(bytes).first(size_bytes)) != size_bytes) return false;
      u64 value = 0;
      for (unsigned i = size_bytes; i-- > 0;) value = value << 8 | bytes[i];
      *top = value;
      return true;
    };
    switch (static_cast<Op>(code.op)) {
      case kAdd: binary(top[-1] + *top); break;
      case kSub: binary(top[-1] - *top); break;
      case kMul: binary(top[-1] * *top); break;
      case kDivSigned: case kDivUnsigned: case kRemSigned: case kRemUnsigned:
        if (*top == 0) return {0, "division by zero"};
        binary(divided(static_cast<Op>(code.op), top[-1], *top));
        break;
      case kLsh: binary(shifted_left(top[-1], *top)); break;
      case kRshSigned: binary(shifted_right_signed(top[-1], *top)); break;
      case kRshUnsigned: binary(shifted_right(top[-1], *top)); break;
      // There is no trace buffer, so what is to be recorded goes nowhere.
      case kTrace: case kTracenz: height -= 2; break;
      case kTraceQuick: case kTrace16: break;
      case kLogNot: *top = *top == 0; break;
      case kBitAnd: binary(top[-1] & *top); break;
      case kBitOr: binary(top[-1] | *top); break;
      case kBitXor: binary(top[-1] ^ *top); break;
      case kBitNot: *top = ~*top; break;
      case kEqual: binary(top[-1] == *top); break;
      case kLessSigned: binary(i64(top[-1]) < i64(*top)); break;
      case kLessUnsigned: binary(top[-1] < *top); break;
      case kExt: *top = sign_extended(*top, code.operand); break;
      case kZeroExt: *top = zero_extended(*top, code.operand); break;
      case kRef8: case kRef16: case kRef32: case kRef64:
        if (!fetch(1u << (code.op - kRef8))) return {0, "memory that cannot be read"};
        break;
      case kIfGoto:
        --height;
        if (*top != 0) next = code.operand;
        break;
      case kGoto: next = code.operand; break;
      case kConst8: case kConst16: case kConst32: case kConst64: push(code.operand); break;
      case kReg: {
        const std::optional<u64> value = hart.read_register(RegisterId{static_cast<u16>(code.operand)});
        if (!value) return {0, "a register that is not there"};
        push(*value);
        break;
      }
      case kEnd: return {height == 0 ? 0 : *top, {}};
      case kDup: push(*top); break;
      case kPop: --height; break;
      case kSwap: std::swap(top[-1], *top); break;
      case kGetv: case kTracev: push(variables.get(code.operand)); break;
      case kSetv: variables.set(code.operand, *top); break;
      case kPick: push(stack[height - 1 - code.operand]); break;
      case kRot: std::rotate(top - 2, top, top + 1); break;
      case kPrintf: {
        // Above the arguments, the first of which is the highest, lie a channel and a function, which are gdb's.
        const AgentFormat& format = formats_[code.operand];
        height -= 2 + format.argument_count();
        std::vector<u64> arguments(stack.begin() + static_cast<std::ptrdiff_t>(height), stack.begin() +
                                   static_cast<std::ptrdiff_t>(height + format.argument_count()));
        std::reverse(arguments.begin(), arguments.end());
        if (printed != nullptr) format.print(hart, arguments, *printed);
        break;
      }
    }
  }
  return {0, "too many bytecodes"};
}

}  // namespace retrov
