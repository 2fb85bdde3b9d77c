// The control and status registers as one table: number, name, how it reads, what a write keeps of the value (WARL),
// and when it may be touched at all. Instructions, gdb, the command prompt and dumps all go through these rows, so a
// register exists for everybody or for nobody. A number without a row raises illegal instruction, which firmware relies
// on to find out what a hart has.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "core/extensions.hpp"
#include "core/types.hpp"

namespace retrov {

class Hart;

enum class CsrWriter : u8 { kInstruction, kDebugger };

struct CsrWrite {
  u16 number = 0;
  u64 value = 0;
  CsrWriter writer = CsrWriter::kInstruction;
};

struct CsrRow {
  u16 number = 0;
  std::string name;  ///< As in the manual.
  u64 (*read)(const Hart&, u16 number) = nullptr;
  /// Null: the value is fixed. An instruction's write is then ignored, or illegal if bits 11:10 of the number are set.
  void (*write)(Hart&, const CsrWrite&) = nullptr;
  /// Conditions beside existence and privilege; false is an illegal instruction. Null: none.
  bool (*gate)(const Hart&, u16 number) = nullptr;
  ExtensionSet needs;  ///< Without one of these the register does not exist.
};

/// The CSRs of a machine that has all extensions, ascending by number.
[[nodiscard]] std::span<const CsrRow> csr_rows();

/// The row of a CSR, or null if it does not exist.
[[nodiscard]] const CsrRow* find_csr(u16 number);

/// Empty if there is no such CSR. Valid for the life of the program.
[[nodiscard]] std::string_view csr_name(u16 number);

/// Identity. A change of these is a change of the machine version (docs/machine.md). 0 is "not implemented", which
/// keeps guests from applying some vendor's errata.
inline constexpr u64 kMvendorid = 0;
inline constexpr u64 kMarchid = 0;
inline constexpr u64 kMimpid = 1;

/// menvcfg (privileged manual, 3.1.18), and those of senvcfg that it has.
namespace menvcfg {
inline constexpr u64 kFiom = 1, kCbie = 3u << 4, kCbcfe = 1u << 6, kCbze = 1u << 7;
inline constexpr u64 kAdue = u64{1} << 61, kPbmte = u64{1} << 62, kStce = u64{1} << 63;
}

/// As on QEMU: with both Svade and Svadu firmware chooses, with Svadu alone A and D are updated from reset on; and
/// Svpbmt is on.
[[nodiscard]] constexpr u64 reset_menvcfg(ExtensionSet extensions) {
  const bool updates = extensions.has(Extension::kSvadu) && !extensions.has(Extension::kSvade);
  return (updates ? menvcfg::kAdue : 0) | (extensions.has(Extension::kSvpbmt) ? menvcfg::kPbmte : 0);
}

/// mcounteren and scounteren.
inline constexpr u64 kCounterTime = 1u << 1;

}  // namespace retrov
