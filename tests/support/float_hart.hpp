// A bare hart with FS on, and its floating-point instructions as functions: operands in f1, f2 and f4 (x1 for an
// integer), the result in f3 or x3.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include "tests/support/isa_hart.hpp"

namespace retrov {

class FloatHart : public IsaHart {
 public:
  FloatHart() { set_fs(1); }
  void set_fs(u64 state) { hart.csr.mstatus = (hart.csr.mstatus & ~(mstatus::kFs | mstatus::kSd)) | state << 13; }
  [[nodiscard]] bool is_dirty() const { return (hart.csr.mstatus & mstatus::kFs) == mstatus::kFs; }

  u64 floats(std::string_view name, u64 a, u64 b = 0, u64 c = 0, i32 rm = 0) {
    hart.f[1] = a;
    hart.f[2] = b;
    hart.f[4] = c;
    const InsnRow& row = row_named(name);
    const i32 imm = row.format == Format::kFR4 ? rm | 4 << 3 : rm;
    if (step(row, {imm, 3, 1, 2})) throw std::logic_error(std::string(name) + " trapped");
    const bool to_integer = row.format == Format::kFToInt || row.format == Format::kFToIntNoRm;
    return row.format == Format::kFCompare || to_integer ? hart.x[3] : hart.f[3];
  }
  u64 from_integer(std::string_view name, u64 a, i32 rm = 0) {
    hart.x[1] = a;
    if (step(name, {rm, 3, 1})) throw std::logic_error(std::string(name) + " trapped");
    return hart.f[3];
  }
  /// The flags that it raises alone.
  u8 flags(std::string_view name, u64 a, u64 b = 0, i32 rm = 0) {
    hart.csr.fflags = 0;
    floats(name, a, b, 0, rm);
    return hart.csr.fflags;
  }
};

}  // namespace retrov
