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
  VirtAddr byte;  ///< An accessed byte inside the range; the first, if it is the range that was hit.
  WatchKind kind = WatchKind::kWrite;
};

class WatchedAccess {
 public:
  /// The machine stands before the step that makes the access.
  WatchedAccess(const Machine& machine, const std::vector<WatchRange>& watches, const StopHit& hit);
  /// The machine has made the step. Nothing: there is nothing to report. `rules` say which ranges count; null: all.
  [[nodiscard]] std::optional<WatchReport> after(const Machine& machine, const StopRules* rules) const;

 private:
  struct Candidate {
    WatchRange range;
    std::vector<u8> bytes;
  };
  [[nodiscard]] std::vector<u8> bytes_of(const Machine& machine, const WatchRange& range) const;
  [[nodiscard]] u64 address_in(bool physical) const;
  [[nodiscard]] WatchReport report(const WatchRange& range) const;

  StopHit hit_;
  PhysAddr physical_;  ///< Where hit_.address is.
  u64 retired_ = 0;
  std::vector<Candidate> candidates_;  ///< The range that was hit first, then others that may be touched, in order.
};

/// What there is to say of a kOtherWrite.
[[nodiscard]] WatchReport other_write_report(const StopHit& hit, const StopSet& stops);
/// What there is to say of a kCsrWrite: "hart 0 writes satp".
[[nodiscard]] std::string csr_note(const StopHit& hit);

}  // namespace retrov
