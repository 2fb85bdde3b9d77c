// What becomes of an access that is about to touch watched memory, and which range it is reported for. Whether a store
// changes anything is known only after it, so the bytes are noted before.
//
// The rules (docs/gdb.md): a watch for writes is about change, so a store of the same value is none, unless the range
// says otherwise; of several ranges the first that changes is named; a step that traps instead has accessed nothing.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/machine.hpp"
#include "core/stops.hpp"
#include "replay/debugger.hpp"

namespace retrov {

struct WatchReport {
  VirtAddr byte;  ///< The first accessed byte inside the range.
  WatchKind kind = WatchKind::kWrite;
};

class WatchedAccess {
 public:
  /// The machine stands before the step that makes the access.
  WatchedAccess(const Machine& machine, const std::vector<WatchRange>& watches, const StopHit& hit);
  /// The machine has made the step. Nothing: there is nothing to report. `rules` say which ranges count; null: all.
  [[nodiscard]] std::optional<WatchReport> after(const Machine& machine, const StopRules* rules) const;

 private:
  /// A range that the access is for, by what it does and where.
  struct Candidate {
    WatchRange range;
    VirtAddr byte;  ///< As WatchReport says.
    /// The accessed bytes in it that a store may change: where they lie, and what they were.
    std::vector<AccessPiece> places;
    std::vector<u8> bytes;
  };
  [[nodiscard]] static std::vector<u8> bytes_of(const Machine& machine, const std::vector<AccessPiece>& places);

  unsigned hart_;
  u64 retired_ = 0;
  std::vector<Candidate> candidates_;  ///< In the order of the ranges.
};

/// What there is to say of a kOtherWrite.
[[nodiscard]] WatchReport other_write_report(const StopHit& hit, const StopSet& stops);
/// What there is to say of a kCsrWrite: "hart 0 writes satp".
[[nodiscard]] std::string csr_note(const StopHit& hit);

}  // namespace retrov
