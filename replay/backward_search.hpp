// Where was the last stop before here? Stretches of history are run forward, the nearest first, and the last hit of the
// nearest stretch that has one is the answer. What each holds depends on history alone, so a second machine may run
// through one of them while the session's runs through another.
#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "replay/stretch_scan.hpp"

namespace retrov {

class SideCursor;

class BackwardSearch {
 public:
  /// All must outlive it.
  BackwardSearch(Timeline& timeline, const Machine& machine, SearchOrder order, const std::atomic<bool>& interrupted);
  ~BackwardSearch();
  BackwardSearch(const BackwardSearch&) = delete;
  BackwardSearch& operator=(const BackwardSearch&) = delete;

  /// Once so many steps have been run through in vain, `side` is asked for a second machine in this history, which
  /// must outlive the search; null: there is none.
  void let_help(u64 alone_steps, std::function<SideCursor*()> side);
  /// The last stop found by running through [from, to), whose end need not be gone to before. The timeline is left
  /// anywhere, or, if the search was interrupted and it stood at `to`, at broken_off_at(). Throws Error if a stretch in
  /// which nothing nearer was found cannot be run.
  std::optional<PastStop> run(Position from, Position to);
  [[nodiscard]] bool interrupted() const { return broken_; }
  /// Of one that was interrupted: everything from there on has been searched.
  [[nodiscard]] Position broken_off_at() const { return broken_off_at_; }

 private:
  struct Stretch {
    Position from, to;
    KeptPointer lower;  ///< At or before `from`.
    KeptPointer upper;  ///< At `to`; null: nobody has been there.
    enum class State : u8 { kWaiting, kInHand, kDone } state = State::kWaiting;
    std::optional<PastStop> found = std::nullopt;
    std::exception_ptr failure = nullptr;
    std::vector<KeptPointer> laid = {};  ///< Snapshots taken in it by the second machine.
    [[nodiscard]] bool is_answer() const { return state == State::kDone && (found || failure); }
  };
  void plan(Position from);
  [[nodiscard]] bool has_enough_planned();
  Stretch* claim();
  [[nodiscard]] Stretch* next_waiting();
  void search(Stretch& stretch, StretchScan& scan);
  void settle();
  void wait_for_help();
  void break_off();
  void get_help();
  void help(SideCursor& cursor);
  void end_help();

  Timeline& timeline_;
  const Machine& machine_;
  const SearchOrder order_;
  const std::atomic<bool>& interrupted_;
  bool broken_ = false;
  Position broken_off_at_;
  u64 alone_steps_ = 0;
  std::function<SideCursor*()> side_;
  u64 searched_steps_ = 0;
  /// Where what is planned begins; everything behind is.
  Position planned_from_;
  KeptPointer at_planned_from_;
  bool all_planned_ = false;

  std::thread helper_;
  std::atomic<bool> enough_{false};  ///< The helper is to leave off.
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Stretch> stretches_;  ///< Guarded by mutex_: the nearest first.
};

}  // namespace retrov
