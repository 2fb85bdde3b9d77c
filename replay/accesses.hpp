// Who touched these bytes, and when? A walk through history that sees every access to ranges of physical memory:
// through any mapping, by any hart, by walks of the page tables, by devices, by the debugger and by resets, and also
// writes that change nothing. Stretches in which the pages were not written are passed over unrun.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/stops.hpp"
#include "core/writer.hpp"
#include "replay/guest_memory.hpp"

namespace retrov {

class SideCursor;
class Timeline;

struct Access {
  Position at;  ///< The step that makes it; `goto` there stands right before.
  Writer who = Writer::kHart;
  bool is_write = false;
  /// kHart and kWalker: whose step it is, where, and the instruction (0 if it cannot be read).
  unsigned hart = 0;
  VirtAddr pc;
  u32 raw = 0;
  /// The bytes that were looked at, the first of them watched: at most a word of the machine.
  PhysAddr address;
  std::vector<u8> before, after;
  /// kDevice: its name, and the request if it has one.
  std::string device, request;
  Position queued_at;           ///< The step that made the request,
  bool queuer_known = false;    ///< (unless it lies before the history begins)
  unsigned queued_by_hart = 0;  ///< and where its hart stood.
  VirtAddr queued_by_pc;
};

struct AccessOrder {
  std::vector<PhysicalPiece> pieces;
  WatchKind kind = WatchKind::kWrite;
  Position from, to;  ///< Steps of [from, to).
  bool last_only = false;
};
/// False: enough.
using AccessVisit = std::function<bool(const Access&)>;

class AccessWalk {
 public:
  /// All must outlive it.
  AccessWalk(Timeline& timeline, const Machine& machine, const AccessOrder& order,
             const std::atomic<bool>& interrupted);

  /// For last_only: as BackwardSearch::let_help.
  void let_help(u64 alone_steps, std::function<SideCursor*()> side);
  /// Visits in the order of history, or the last one alone. Leaves the timeline anywhere. Returns how far it came: to
  /// `to`, behind the access that was enough, or where it was interrupted. With last_only nothing is visited if it was
  /// interrupted, and all from the returned position on has been looked through.
  Position run(const AccessVisit& visit);
  [[nodiscard]] bool interrupted() const { return broken_; }

 private:
  class Witness;
  /// False: enough, or interrupted.
  bool walk(Position from, Position to, const AccessVisit& visit);
  Position run_backward(const AccessVisit& visit);
  Position run_forward(const AccessVisit& visit);
  [[nodiscard]] Access other_write(const StopHit& hit);
  void describe_device(Ticks by, Access& access) const;

  Timeline& timeline_;
  const Machine& machine_;
  const AccessOrder& order_;
  const std::atomic<bool>& interrupted_;
  StopSet wanted_;
  bool broken_ = false;
  u64 alone_steps_ = 0;
  std::function<SideCursor*()> side_;
};

}  // namespace retrov
