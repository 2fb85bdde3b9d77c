// Loads and stores, in the shape that core/insn.hpp asks for. Shared by rv_i, rv_f, rv_d, rv_zfh and rv_c.
#pragma once

#include "core/isa/operands.hpp"

namespace retrov::isa {

/// T says width and extension: LoadInteger<i16> is lh.
template <class T>
struct LoadInteger {
  static constexpr unsigned kBytes = sizeof(T);
  static bool allowed(const Hart&) { return true; }
  static u64 address(const Hart& hart, const Operands& operands) { return rs1_plus_immediate(hart, operands); }
  static void finish(Hart& hart, const Operands& operands, u64 value) {
    hart.x[operands.rd] = static_cast<u64>(static_cast<i64>(static_cast<T>(value)));
  }
};

template <unsigned kWidth>
struct StoreInteger {
  static constexpr unsigned kBytes = kWidth;
  static bool allowed(const Hart&) { return true; }
  static u64 address(const Hart& hart, const Operands& operands) { return rs1_plus_immediate(hart, operands); }
  static u64 value(const Hart& hart, const Operands& operands) { return rs2(hart, operands); }
};

/// A narrower number is NaN-boxed: all bits above it are ones (unprivileged manual, "NaN Boxing of Narrower Values").
template <unsigned kWidth>
struct LoadFloat {
  static constexpr unsigned kBytes = kWidth;
  static bool allowed(const Hart& hart) { return hart.fp_enabled(); }
  static u64 address(const Hart& hart, const Operands& operands) { return rs1_plus_immediate(hart, operands); }
  static void finish(Hart& hart, const Operands& operands, u64 value) {
    hart.f[operands.rd] = kWidth == 8 ? value : value | ~u64{0} << (8 * kWidth & 63);
    hart.fp_dirty();
  }
};

/// Stores the bits as they are, boxed or not.
template <unsigned kWidth>
struct StoreFloat {
  static constexpr unsigned kBytes = kWidth;
  static bool allowed(const Hart& hart) { return hart.fp_enabled(); }
  static u64 address(const Hart& hart, const Operands& operands) { return rs1_plus_immediate(hart, operands); }
  static u64 value(const Hart& hart, const Operands& operands) { return hart.f[operands.rs2]; }
};

}  // namespace retrov::isa
