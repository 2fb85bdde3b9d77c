// What the client has set with Z and not yet taken back with z. gdb sets everything before it resumes and removes it at
// each stop, and says the same thing twice without meaning two: the table is a set (two Z, one z, gone).
#pragma once

#include <compare>
#include <map>
#include <set>

#include "core/stops.hpp"
#include "core/types.hpp"
#include "replay/debugger.hpp"

namespace retrov {

enum class BreakKind : u8 { kSoftware = 0, kHardware = 1 };

class StopTable {
 public:
  void add_breakpoint(BreakKind kind, VirtAddr address) { breakpoints_.insert({kind, address}); }
  void remove_breakpoint(BreakKind kind, VirtAddr address) { breakpoints_.erase({kind, address}); }
  /// A range set twice keeps the address space of the last time.
  void add_watch(const WatchRange& range) { watches_[key(range.kind, range.address, range.length_bytes)] = range; }
  void remove_watch(WatchKind kind, VirtAddr address, u64 length) { watches_.erase(key(kind, address, length)); }
  void clear();

  [[nodiscard]] bool has(BreakKind kind, VirtAddr address) const { return breakpoints_.contains({kind, address}); }
  [[nodiscard]] bool breaks_at(VirtAddr address) const {
    return has(BreakKind::kSoftware, address) || has(BreakKind::kHardware, address);
  }
  [[nodiscard]] StopRequest request() const;

 private:
  struct WatchKey {
    WatchKind kind;
    VirtAddr address;
    u64 length_bytes;
    auto operator<=>(const WatchKey&) const = default;
  };
  static WatchKey key(WatchKind kind, VirtAddr address, u64 length) { return {kind, address, length}; }

  std::set<std::pair<BreakKind, VirtAddr>> breakpoints_;
  std::map<WatchKey, WatchRange> watches_;
};

/// Equal requests need not be handed over again: decoded code stays adapted.
[[nodiscard]] bool same_request(const StopRequest& a, const StopRequest& b);

}  // namespace retrov
