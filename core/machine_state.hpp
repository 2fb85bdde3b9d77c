// The machine-wide part of State(P), as a component of its own; used by machine*.cpp alone.
#pragma once

#include "core/machine.hpp"

namespace retrov {

/// A view of the fields that belong to no hart and no device.
struct Machine::Parts final : public StatefulAs<Machine::Parts> {
  explicit Parts(Machine& machine) : machine_(machine) {}
  template <class A>
  void serialize(A& a) {
    Machine& m = machine_;
    a(field("position", m.position_.steps), field("time", m.time_), field("current", m.current_),
      field("turn_left", m.turn_left_), field("sched_mask", m.sched_mask_), field("reset_pending", m.reset_pending_),
      field("off", m.power_.off), field("status", m.power_.status), field("why", m.power_.why),
      field("entropy", m.entropy_));
    if constexpr (A::is_loading::value) check();
  }

 private:
  /// A state that comes from a file may name what is not there.
  void check() const {
    constexpr u64 kFar = u64{1} << 63;
    const Machine& m = machine_;
    const bool possible = m.current_ < m.harts_.size() && m.turn_left_ <= m.config_.turn_steps &&
                          m.position_.steps < kFar && m.time_.idle_offset <= kFar;
    if (!possible) throw Error(Exit::kBadTrace, "the state of a machine that cannot be");
  }
  Machine& machine_;
};

}  // namespace retrov
