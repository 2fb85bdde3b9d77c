#include "gdbstub/expression.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <string>
#include <vector>

#include "core/check.hpp"
#include "core/registers.hpp"
#include "gdbstub/agent_ops.hpp"

namespace retrov {
namespace {

constexpr unsigned kDeepest = 100;

[[noreturn]] void refuse(std::string_view text, const std::string& why) {
  throw Error(Exit::kUsage, "'" + std::string(text) + "': " + why);
}

/// As in C, an operation is unsigned if one of its operands is.
enum class Sign : bool { kSigned, kUnsigned };

struct IntegerType {
  std::string_view name;
  u8 bits;
  Sign sign;
};
constexpr std::array kTypes = {IntegerType{"u8", 8, Sign::kUnsigned},   IntegerType{"u16", 16, Sign::kUnsigned},
                               IntegerType{"u32", 32, Sign::kUnsigned}, IntegerType{"u64", 64, Sign::kUnsigned},
                               IntegerType{"i8", 8, Sign::kSigned},     IntegerType{"i16", 16, Sign::kSigned},
                               IntegerType{"i32", 32, Sign::kSigned},   IntegerType{"i64", 64, Sign::kSigned}};

/// Two operands and their bytecode; `swapped` and `negated` make eight comparisons of two.
struct BinaryRow {
  std::string_view word;
  unsigned strength;  ///< The higher binds first.
  u8 op_signed, op_unsigned;
  bool swapped = false;
  bool negated = false;
  bool compares = false;
};
using namespace agent_op;
/// Longer words before those they begin with.
constexpr std::array kBinaries = {
    BinaryRow{"||", 1, 0, 0},
    BinaryRow{"&&", 2, 0, 0},
    BinaryRow{"==", 6, kEqual, kEqual, false, false, true},
    BinaryRow{"!=", 6, kEqual, kEqual, false, true, true},
    BinaryRow{"<<", 8, kLsh, kLsh},
    BinaryRow{">>", 8, kRshSigned, kRshUnsigned},
    BinaryRow{"<=", 7, kLessSigned, kLessUnsigned, true, true, true},
    BinaryRow{">=", 7, kLessSigned, kLessUnsigned, false, true, true},
    BinaryRow{"<", 7, kLessSigned, kLessUnsigned, false, false, true},
    BinaryRow{">", 7, kLessSigned, kLessUnsigned, true, false, true},
    BinaryRow{"|", 3, kBitOr, kBitOr},
    BinaryRow{"^", 4, kBitXor, kBitXor},
    BinaryRow{"&", 5, kBitAnd, kBitAnd},
    BinaryRow{"+", 9, kAdd, kAdd},
    BinaryRow{"-", 9, kSub, kSub},
    BinaryRow{"*", 10, kMul, kMul},
    BinaryRow{"/", 10, kDivSigned, kDivUnsigned},
    BinaryRow{"%", 10, kRemSigned, kRemUnsigned},
};

bool is_name_char(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.'; }

/// Reads one expression and writes its bytecode behind what is there.
class Compiler {
 public:
  Compiler(std::string_view text, const SymbolLookup& symbol, std::vector<u8>& out)
      : whole_(text), left_(text), symbol_(symbol), out_(out) {}

  void whole() {
    (void)expression(1);
    skip_blanks();
    if (!left_.empty()) refuse(whole_, "'" + std::string(left_) + "' is not expected there");
  }

 private:
  void skip_blanks() { left_.remove_prefix(std::min(left_.find_first_not_of(" \t"), left_.size())); }
  bool take(std::string_view word) {
    skip_blanks();
    if (!left_.starts_with(word)) return false;
    left_.remove_prefix(word.size());
    return true;
  }
  void expect(std::string_view word) {
    if (!take(word)) refuse(whole_, "a '" + std::string(word) + "' is missing");
  }
  void emit(u8 op) { out_.push_back(op); }
  void emit_number(u64 value, unsigned bytes) {
    for (unsigned i = bytes; i-- > 0;) out_.push_back(static_cast<u8>(value >> (8 * i)));
  }
  void emit_constant(u64 value) {
    emit(kConst64);
    emit_number(value, 8);
  }
  /// A jump whose target is told by land().
  std::size_t emit_jump(u8 op) {
    emit(op);
    emit_number(0, 2);
    return out_.size() - 2;
  }
  void land(std::size_t jump) {
    out_[jump] = static_cast<u8>(out_.size() >> 8);
    out_[jump + 1] = static_cast<u8>(out_.size());
  }

  const BinaryRow* next_binary() {
    skip_blanks();
    const auto row = std::find_if(kBinaries.begin(), kBinaries.end(),
                                  [&](const BinaryRow& each) { return left_.starts_with(each.word); });
    return row == kBinaries.end() ? nullptr : &*row;
  }

  /// Operators of that strength and more.
  Sign expression(unsigned least) {
    if (++depth_ > kDeepest) refuse(whole_, "too deep");
    Sign sign = unary();
    for (const BinaryRow* row = next_binary(); row != nullptr && row->strength >= least; row = next_binary()) {
      left_.remove_prefix(row->word.size());
      sign = row->op_signed == 0 ? logical(*row) : binary(*row, sign);
    }
    --depth_;
    return sign;
  }

  Sign binary(const BinaryRow& row, Sign left) {
    const Sign right = expression(row.strength + 1);
    const bool shifts = row.op_signed == kRshSigned || row.op_signed == kLsh;
    const bool is_unsigned = left == Sign::kUnsigned || (right == Sign::kUnsigned && !shifts);
    if (row.swapped) emit(kSwap);
    emit(is_unsigned ? row.op_unsigned : row.op_signed);
    if (row.negated) emit(kLogNot);
    return is_unsigned && !row.compares ? Sign::kUnsigned : Sign::kSigned;
  }

  /// The right side is looked at only if the left one leaves it open. A value is 0 or 1.
  Sign logical(const BinaryRow& row) {
    if (row.word == "&&") emit(kLogNot);
    const std::size_t known = emit_jump(kIfGoto);
    (void)expression(row.strength + 1);
    emit(kLogNot);
    emit(kLogNot);
    const std::size_t done = emit_jump(kGoto);
    land(known);
    emit_constant(row.word == "||" ? 1 : 0);
    land(done);
    return Sign::kSigned;
  }

  /// "(u32)" or "(u32*)", of which the type; nothing is taken if it is none.
  const IntegerType* take_cast(bool& points) {
    std::string_view rest = left_.substr(1);
    const auto skip = [&rest] { rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size())); };
    skip();
    const auto end = std::find_if_not(rest.begin(), rest.end(), is_name_char);
    const std::string_view name = rest.substr(0, static_cast<std::size_t>(end - rest.begin()));
    const auto type = std::find_if(kTypes.begin(), kTypes.end(), [&](const IntegerType& each) {
      return each.name == name;
    });
    if (type == kTypes.end()) return nullptr;
    rest.remove_prefix(name.size());
    skip();
    points = rest.starts_with('*');
    if (points) rest.remove_prefix(1);
    skip();
    if (!rest.starts_with(')')) return nullptr;
    left_ = rest.substr(1);
    return &*type;
  }

  Sign convert(const IntegerType& type) {
    if (type.bits < 64) {
      emit(type.sign == Sign::kSigned ? kExt : kZeroExt);
      emit(type.bits);
    }
    return type.sign;
  }

  Sign fetch(const IntegerType& type) {
    emit(type.bits == 8 ? kRef8 : type.bits == 16 ? kRef16 : type.bits == 32 ? kRef32 : kRef64);
    return type.sign == Sign::kSigned ? convert(type) : type.sign;
  }

  Sign unary() {
    if (++depth_ > kDeepest) refuse(whole_, "too deep");
    const Sign sign = prefixed();
    --depth_;
    return sign;
  }

  Sign prefixed() {
    if (take("-")) {
      emit_constant(0);
      const Sign sign = unary();
      emit(kSub);
      return sign;
    }
    if (take("~")) {
      const Sign sign = unary();
      emit(kBitNot);
      return sign;
    }
    if (take("!")) {
      (void)unary();
      emit(kLogNot);
      return Sign::kSigned;
    }
    if (take("&")) return symbol(take_name());
    if (take("*")) return dereference();
    if (!take("(")) return atom();
    left_ = std::string_view(left_.data() - 1, left_.size() + 1);
    bool points = false;
    if (const IntegerType* type = take_cast(points)) {
      (void)unary();
      return points ? Sign::kUnsigned : convert(*type);
    }
    left_.remove_prefix(1);
    const Sign sign = expression(1);
    expect(")");
    return sign;
  }

  /// Behind '*': what the type in front of the address says, or 64 bits.
  Sign dereference() {
    skip_blanks();
    bool points = false;
    const std::string_view before = left_;
    const IntegerType* type = left_.starts_with('(') ? take_cast(points) : nullptr;
    if (type == nullptr || !points) {
      left_ = before;
      type = &kTypes[7];
    }
    (void)unary();
    return fetch(*type);
  }

  std::string_view take_name() {
    skip_blanks();
    const auto end = std::find_if_not(left_.begin(), left_.end(), is_name_char);
    const std::string_view name = left_.substr(0, static_cast<std::size_t>(end - left_.begin()));
    if (name.empty()) {
      refuse(whole_, left_.empty() ? "something is missing at its end"
                                   : "'" + std::string(left_) + "' is not expected there");
    }
    left_.remove_prefix(name.size());
    return name;
  }

  Sign symbol(std::string_view name) {
    const std::optional<u64> value = symbol_ ? symbol_(name) : std::nullopt;
    if (!value) refuse(whole_, "there is no register and no symbol '" + std::string(name) + "'");
    emit_constant(*value);
    return Sign::kUnsigned;
  }

  Sign atom() {
    const bool is_register = take("$");
    const std::string_view name = take_name();
    if (!is_register && std::isdigit(static_cast<unsigned char>(name.front())) != 0) return number(name);
    if (const auto id = find_register(name)) {
      emit(kReg);
      emit_number(static_cast<u64>(*id), 2);
      return Sign::kSigned;
    }
    if (is_register) refuse(whole_, "there is no register $" + std::string(name));
    return symbol(name);
  }

  Sign number(std::string_view name) {
    const bool is_hex = name.starts_with("0x") || name.starts_with("0X");
    const std::string_view digits = is_hex ? name.substr(2) : name;
    u64 value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, is_hex ? 16 : 10);
    if (error != std::errc() || end != digits.data() + digits.size() || digits.empty()) {
      refuse(whole_, "'" + std::string(name) + "' is not a number (12 or 0xc)");
    }
    emit_constant(value);
    return static_cast<i64>(value) < 0 ? Sign::kUnsigned : Sign::kSigned;
  }

  const std::string_view whole_;
  std::string_view left_;
  const SymbolLookup& symbol_;
  std::vector<u8>& out_;
  unsigned depth_ = 0;
};

}  // namespace

AgentExpression compile_condition(std::string_view text, const SymbolLookup& symbol) {
  std::vector<u8> bytes;
  Compiler(text, symbol, bytes).whole();
  bytes.push_back(kEnd);
  return {bytes, AgentUse::kCondition};
}

AgentExpression compile_printf(std::string_view format, std::span<const std::string_view> arguments,
                               const SymbolLookup& symbol) {
  constexpr std::size_t kMostArguments = 100;
  constexpr std::size_t kMostFormatBytes = 0x8000;
  if (arguments.size() > kMostArguments || format.size() > kMostFormatBytes) refuse(format, "too much at once");
  std::vector<u8> bytes;
  // The last argument is pushed first; a function and a channel, which are gdb's, lie above them.
  for (std::size_t i = arguments.size(); i-- > 0;) Compiler(arguments[i], symbol, bytes).whole();
  for (int i = 0; i < 2; ++i) bytes.insert(bytes.end(), {kConst8, 0});
  const std::size_t size = format.size() + 1;
  bytes.insert(bytes.end(), {kPrintf, static_cast<u8>(arguments.size()), static_cast<u8>(size >> 8),
                             static_cast<u8>(size)});
  bytes.insert(bytes.end(), format.begin(), format.end());
  bytes.insert(bytes.end(), {0, kEnd});
  try {
    return {bytes, AgentUse::kCommand};
  } catch (const Error& error) {
    throw Error(Exit::kUsage, error.what());
  }
}

}  // namespace retrov
