// What random programs may do with each CSR. A CSR without a row here is free: it starts with random bits, is written
// with anything and is compared, so a new row of core/csr.cpp is tested without a word here.
#pragma once

#include <string_view>

#include "core/types.hpp"

namespace retrov::difftest {

enum class Traffic : u8 {
  kFree,
  kRestored,  ///< What is written is read back and then undone, because the program hangs on it.
  kMasked,    ///< Written through a mask.
  kChosen,    ///< Only chosen values are written.
  kReadOnly,  ///< Written only if that is illegal.
};

struct CsrRole {
  Traffic traffic = Traffic::kFree;
  u64 mask = ~u64{0};  ///< For what is written, and what it starts with; 32 bits, sign-extended, or
  /// a number of low ones.
  /// Its value follows from time or speed: it is read into x0 alone, and not compared.
  bool hidden = false;
  std::string_view reason;
  bool compared = true;  ///< What it holds in the end.
};

[[nodiscard]] const CsrRole& role_of(u16 number);

}  // namespace retrov::difftest
