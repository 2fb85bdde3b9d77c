// The extensions of the instruction set as one table: how they are called, what each needs, and which processors have
// them. Everything else asks a set of them: the decoder which rows exist, the CSRs which registers, translation which
// modes, the device tree, misa and gdb what to announce.
//
// Must stay true: a machine's set is closed (what an extension needs is in it, too) and never changes. Looking at it
// costs nothing when an instruction is executed: rows are chosen when code is decoded.
#pragma once

#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/types.hpp"

namespace retrov {

/// In the order in which they are announced (unprivileged manual, chapter "ISA Extension Naming Conventions").
enum class Extension : u8 {
  kI, kM, kA, kF, kD, kC,
  kZic64b, kZicbom, kZicbop, kZicboz, kZiccamoa, kZiccif, kZicclsm, kZiccrse, kZicntr, kZicond, kZicsr, kZifencei,
  kZihintpause, kZihpm,
  kZmmul,
  kZa64rs, kZaamo, kZacas, kZalrsc, kZawrs,
  kZfa, kZfh, kZfhmin,
  kZca, kZcb, kZcd,
  kZba, kZbb, kZbc, kZbs,
  kZkt,
  kSsccptr, kSscounterenw, kSstc, kSstvala, kSstvecd, kSsu64xl, kSvade, kSvadu, kSvinval, kSvnapot, kSvpbmt,
  kSv39, kSv48, kSv57,
  kCount,
};

class ExtensionSet {
 public:
  constexpr ExtensionSet() = default;
  constexpr ExtensionSet(std::initializer_list<Extension> members) {
    for (const Extension member : members) add(member);
  }
  [[nodiscard]] static constexpr ExtensionSet everything() {
    ExtensionSet set;
    set.bits_ = ~u64{0};
    return set;
  }
  constexpr void add(Extension member) { bits_ |= bit(member); }
  constexpr void remove(Extension member) { bits_ &= ~bit(member); }
  [[nodiscard]] constexpr bool has(Extension member) const { return (bits_ & bit(member)) != 0; }
  [[nodiscard]] constexpr bool has_all(ExtensionSet others) const { return (others.bits_ & ~bits_) == 0; }
  [[nodiscard]] constexpr bool has_any(ExtensionSet others) const { return (others.bits_ & bits_) != 0; }
  constexpr bool operator==(const ExtensionSet&) const = default;

 private:
  static constexpr u64 bit(Extension member) { return u64{1} << static_cast<unsigned>(member); }
  u64 bits_ = 0;
};
static_assert(static_cast<unsigned>(Extension::kCount) <= 64);

enum class Switch : u8 {
  kFree,    ///< On or off.
  kAlways,  ///< The machine cannot be without it.
  /// Part of a whole, the first thing it needs: there if all that it needs is there, and never alone.
  kPart,
};

struct ExtensionRow {
  Extension id;
  std::string_view name;  ///< As in riscv,isa. Address modes have one too, but are announced as mmu-type.
  ExtensionSet needs;
  Switch may_change = Switch::kFree;
  bool in_rv64 = true;      ///< Of the default processor, which is also `max`.
  bool in_rva22s64 = false;
};

/// Ascending by id.
[[nodiscard]] std::span<const ExtensionRow> extension_rows();
/// Case does not matter. Null: no such extension.
[[nodiscard]] const ExtensionRow* find_extension(std::string_view name);
/// "i m a …", for sentences that say what there is.
[[nodiscard]] std::string extension_names();

/// The set of a processor by QEMU's name for it: rv64, max, rva22s64.
[[nodiscard]] std::optional<ExtensionSet> cpu_extensions(std::string_view cpu);
/// What no machine is without: what is left of `rv64` when all that can be switched off is.
[[nodiscard]] ExtensionSet base_extensions();
[[nodiscard]] ExtensionSet default_extensions();

/// With `id` and what it needs.
[[nodiscard]] ExtensionSet with_extension(ExtensionSet set, Extension id);
/// Without `id` and what needs it.
[[nodiscard]] ExtensionSet without_extension(ExtensionSet set, Extension id);
/// Has what no machine is without, and whatever its members need, and the parts of its wholes.
[[nodiscard]] bool is_closed(ExtensionSet set);

/// "rv64imafdc_zicbom_…", as the device tree's riscv,isa and the header of a trace have it. A trace also names the
/// address modes.
enum class WithModes : bool { kNo, kYes };
[[nodiscard]] std::string isa_string(ExtensionSet set, WithModes modes);
/// What isa_string(set, kYes) was made of; nothing if a name is unknown or the set not closed.
[[nodiscard]] std::optional<ExtensionSet> parse_isa_string(std::string_view text);
/// "i", "m", …: the device tree's riscv,isa-extensions.
[[nodiscard]] std::vector<std::string_view> isa_names(ExtensionSet set);
/// "riscv,sv57": the largest mode.
[[nodiscard]] std::string mmu_type(ExtensionSet set);
/// The CSR: the single letters, S and U (privileged manual, 3.1.1).
[[nodiscard]] u64 misa_of(ExtensionSet set);

}  // namespace retrov
