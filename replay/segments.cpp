#include "replay/segments.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "core/check.hpp"
#include "replay/quiet_thread.hpp"

namespace retrov {

namespace {

constexpr std::size_t kMostWaiting = 64;
constexpr std::chrono::milliseconds kPatience{50};

bool has_mark(const History& history, Position at) {
  const std::size_t mark = history.first_mark_at(at);
  return mark < history.marks().size() && history.marks()[mark].at == at;
}

class Run {
 public:
  Run(std::span<const Segment> segments, const SegmentOptions& options, const std::function<void(SegmentTask&)>& work)
      : options_(options), work_(work) {
    for (const Segment& segment : segments) tasks_.push_back(std::make_unique<Task>(*this, segment, tasks_.size()));
  }

  SegmentsEnd run() {
    start();
    SegmentsEnd end;
    end.reached = tasks_.front()->segment().from;
    for (turn_ = 0; turn_ < tasks_.size() && !end.enough; ++turn_) {
      Task& task = *tasks_[turn_];
      end.enough = !deliver(task);
      end.reached = task.at;
      if (end.enough || task.failure || task.at < task.segment().to) break;
    }
    break_off();
    for (std::thread& thread : threads_) thread.join();
    if (!end.enough && turn_ < tasks_.size() && tasks_[turn_]->failure) std::rethrow_exception(tasks_[turn_]->failure);
    end.interrupted = !end.enough && end.reached < tasks_.back()->segment().to;
    return end;
  }

 private:
  class Task final : public SegmentTask {
   public:
    Task(Run& run, const Segment& segment, std::size_t index)
        : at(segment.from), run_(run), segment_(segment), index_(index) {}
    [[nodiscard]] std::size_t index() const override { return index_; }
    [[nodiscard]] const Segment& segment() const override { return segment_; }
    [[nodiscard]] unsigned worker() const override { return worker_number; }
    [[nodiscard]] const std::atomic<bool>& broken_off() const override { return broken; }
    void reached(Position here) override { at = here; }
    void hand_on(Delivery delivery) override { run_.hand_on(*this, std::move(delivery)); }

    std::atomic<bool> broken{false};
    std::atomic<Position> at;
    // Of the run, under its lock:
    unsigned worker_number = 0;
    std::deque<Delivery> found;
    bool ended = false;
    std::exception_ptr failure;

   private:
    Run& run_;
    const Segment segment_;
    const std::size_t index_;
  };

  void start() {
    const std::size_t wanted = std::clamp<std::size_t>(options_.jobs, 1, tasks_.size());
    try {
      for (unsigned i = 0; i < wanted; ++i) threads_.push_back(start_quiet_thread([this, i] { work(i); }));
    } catch (const std::system_error& error) {
      // Fewer do as well.
      if (threads_.empty()) throw Error(Exit::kUnavailable, std::string("no thread can be started: ") + error.what());
    }
  }

  void work(unsigned worker) {
    while (Task* task = next_task(worker)) {
      std::exception_ptr failure;
      try {
        work_(*task);
      } catch (...) {
        failure = std::current_exception();
      }
      const std::lock_guard lock(mutex_);
      task->failure = failure;
      task->ended = true;
      changed_.notify_all();
    }
  }

  Task* next_task(unsigned worker) {
    const std::lock_guard lock(mutex_);
    while (next_ < tasks_.size()) {
      Task& task = *tasks_[next_++];
      if (!task.broken) {
        task.worker_number = worker;
        return &task;
      }
      task.ended = true;
      changed_.notify_all();
    }
    return nullptr;
  }

  void hand_on(Task& task, Delivery delivery) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return task.found.size() < kMostWaiting || task.broken; });
    task.found.push_back(std::move(delivery));
    changed_.notify_all();
  }

  /// What that task finds, until it has ended. False: enough.
  bool deliver(Task& task) {
    for (;;) {
      std::deque<Delivery> found;
      bool ended = false;
      {
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, kPatience, [&] { return !task.found.empty() || task.ended; });
        found.swap(task.found);
        ended = task.ended;
        changed_.notify_all();
      }
      for (const Delivery& delivery : found) {
        if (!delivery()) return false;
      }
      if (ended) return true;
      look_around();
    }
  }

  void look_around() {
    if (options_.progress) {
      u64 steps = 0;
      for (const auto& task : tasks_) steps += task->at.load().steps - task->segment().from.steps;
      options_.progress(Position{tasks_.front()->segment().from.steps + steps});
    }
    if (options_.interrupted != nullptr && *options_.interrupted) break_off();
  }

  void break_off() {
    const std::lock_guard lock(mutex_);
    for (const auto& task : tasks_) task->broken = true;
    changed_.notify_all();
  }

  const SegmentOptions& options_;
  const std::function<void(SegmentTask&)>& work_;
  std::vector<std::unique_ptr<Task>> tasks_;
  std::vector<std::thread> threads_;
  std::size_t turn_ = 0;  ///< Whose finds are delivered.
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t next_ = 0;
};

}  // namespace

SegmentCursor::SegmentCursor(const History& history, EngineKind engine, const SnapshotOptions& snapshots)
    : replay_(history, engine),
      timeline_(history, replay_.machine(), replay_.output(), snapshots),
      first_(replay_.position()) {}

bool SegmentCursor::enter(const Segment& segment, const std::atomic<bool>& interrupted) {
  const std::size_t before = timeline_.refused_key_frames();
  const bool arrived = timeline_.seek(std::max(segment.from, first_), interrupted);
  detour_ = timeline_.refused_key_frames() != before;
  replay_.moved();
  return arrived;
}

std::vector<Segment> cut_at_key_frames(const History& history, Position from, Position to, std::size_t most,
                                       u64 least_steps) {
  std::vector<Position> usable;
  for (const KeyFramePlace& place : history.key_frames()) {
    if (place.at > from && place.at < to && has_mark(history, place.at)) usable.push_back(place.at);
  }
  const u64 steps = to.steps - from.steps;
  const u64 count = std::clamp<u64>(steps / std::max<u64>(least_steps, 1), 1, std::max<u64>(most, 1));
  std::vector<Segment> segments{{from, to}};
  for (u64 i = 1; i < count && !usable.empty(); ++i) {
    const Position wanted{from.steps + static_cast<u64>(u128{steps} * i / count)};
    auto nearest = std::lower_bound(usable.begin(), usable.end(), wanted);
    const bool before = nearest != usable.begin() &&
                        (nearest == usable.end() ||
                         wanted.steps - std::prev(nearest)->steps < nearest->steps - wanted.steps);
    if (before) --nearest;
    if (*nearest <= segments.back().from) continue;
    segments.back().to = *nearest;
    segments.push_back({*nearest, to});
  }
  return segments;
}

unsigned default_jobs() {
  constexpr unsigned kMostUnlessSaid = 8;
  return std::clamp(std::thread::hardware_concurrency(), 1u, kMostUnlessSaid);
}

SegmentsEnd run_segments(std::span<const Segment> segments, const SegmentOptions& options,
                         const std::function<void(SegmentTask&)>& work) {
  RV_CHECK(!segments.empty());
  return Run(segments, options, work).run();
}

}  // namespace retrov
