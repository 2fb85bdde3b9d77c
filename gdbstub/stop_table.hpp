// What the client has set with Z and not yet taken back with z. gdb sets everything before it resumes and removes it at
// each stop, and says the same thing twice without meaning two: the table is a set (two Z, one z, gone), and the last
// one's conditions and commands hold.
//
// Must stay true: whether a stop counts follows from the hart that reaches it, so going forward and backward find the
// same.
#pragma once

#include <compare>
#include <functional>
#include <map>
#include <string_view>
#include <utility>

#include "core/stops.hpp"
#include "core/types.hpp"
#include "gdbstub/stop_clauses.hpp"
#include "replay/debugger.hpp"

namespace retrov {

enum class BreakKind : u8 { kSoftware = 0, kHardware = 1 };

class StopTable final : public StopRules {
 public:
  /// Where commands print; called while the machine moves.
  using Print = std::function<void(std::string_view text)>;
  explicit StopTable(Print print) : print_(std::move(print)) {}

  void add_breakpoint(BreakKind kind, VirtAddr address, StopClauses clauses = {});
  void remove_breakpoint(BreakKind kind, VirtAddr address) { breakpoints_.erase({address, kind}); }
  /// A range set twice keeps the address space of the last time.
  void add_watch(const WatchRange& range, StopClauses clauses = {});
  void remove_watch(WatchKind kind, VirtAddr address, u64 length) { watches_.erase(key(kind, address, length)); }
  void clear();

  [[nodiscard]] bool has(BreakKind kind, VirtAddr address) const { return breakpoints_.contains({address, kind}); }
  /// The hart stands at a breakpoint that a client who goes on from here wants to stop at.
  [[nodiscard]] bool stops_at(const HartView& hart, VirtAddr address) const;
  /// Good until the table dies.
  [[nodiscard]] StopRequest request();

  // --- StopRules ---
  [[nodiscard]] bool counts(const HartView& hart, VirtAddr breakpoint) const override;
  [[nodiscard]] bool counts(const HartView& hart, const WatchRange& range) const override;
  bool handle(const HartView& hart, VirtAddr breakpoint) override;

 private:
  struct WatchKey {
    WatchKind kind;
    VirtAddr address;
    u64 length_bytes;
    auto operator<=>(const WatchKey&) const = default;
  };
  static WatchKey key(WatchKind kind, VirtAddr address, u64 length) { return {kind, address, length}; }
  struct Watch {
    WatchRange range;
    StopClauses clauses;
  };

  /// By address, because that is how they are asked for.
  std::map<std::pair<VirtAddr, BreakKind>, StopClauses> breakpoints_;
  std::map<WatchKey, Watch> watches_;
  Print print_;
};

}  // namespace retrov
