// What the files of a session share and nobody else needs: the frame around each move, and steps made for trial.
#pragma once

#include <utility>

#include "replay/session.hpp"

namespace retrov {

/// Every public move begins and ends with one.
class Session::Move {
 public:
  explicit Move(Session& session) : session_(session), reported_before_(std::exchange(session.reported_, {})) {
    session_.may_cross_ = session_.branch_->grows && !session_.branch_->finished &&
                          (!session_.in_past() || session_.edge_ == Edge::kGo);
    session_.watch_report_.reset();
  }
  /// An interrupt that came too late is not left for the next move.
  ~Move() { session_.interrupted_ = false; }
  Move(const Move&) = delete;
  Move& operator=(const Move&) = delete;

  [[nodiscard]] const Reported& reported_before() const { return reported_before_; }

 private:
  Session& session_;
  Reported reported_before_;
};

/// Steps made to see what they do, and unmade at the end of its life.
class Session::Trial {
 public:
  explicit Trial(Session& session)
      : session_(session), before_(session.machine_->snapshot()), tally_(session.output_.tally()) {
    session_.output_.hold();
  }
  ~Trial() {
    session_.machine_->restore(before_);
    session_.output_.drop_held();
    session_.output_.rewind(tally_, session_.position());
  }
  Trial(const Trial&) = delete;
  Trial& operator=(const Trial&) = delete;

 private:
  Session& session_;
  Snapshot before_;
  ConsoleTally tally_;
};

}  // namespace retrov
