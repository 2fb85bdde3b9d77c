// The sessions that random walks go through: live, of a recording, of a trace file with key frames, by the seed.
#pragma once

#include <array>
#include <memory>
#include <string>

#include "replay/session.hpp"
#include "replay/trace_reader.hpp"
#include "replay/trace_writer.hpp"
#include "tests/support/guest_bench.hpp"
#include "tests/support/trace_samples.hpp"

namespace retrov::test {

struct WalkSetup {
  unsigned harts = 1;
  u64 turn_steps = 200;
  u64 steps_per_tick = 10;
  SnapshotOptions snapshots;
  enum class From : u8 { kLive, kHistory, kTrace } from = From::kLive;
  u64 lived_steps = 5000;  ///< Before the walk begins.
  [[nodiscard]] std::string text() const;
};
[[nodiscard]] WalkSetup walk_setup(u64 seed);

class WalkSession {
 public:
  explicit WalkSession(const WalkSetup& setup);
  ~WalkSession();
  WalkSession(const WalkSession&) = delete;
  WalkSession& operator=(const WalkSession&) = delete;

  /// Arrives when the machine next hears, at the live end.
  void type(const std::string& text);
  [[nodiscard]] Session& session() { return *session_; }

 private:
  [[nodiscard]] BoardConfig board() const;
  [[nodiscard]] std::unique_ptr<Session> live(HistoryListener* listener);
  [[nodiscard]] std::unique_ptr<Session> replayed();

  WalkSetup setup_;
  TemporaryFolder folder_;
  std::array<int, 2> console_{-1, -1};
  Screen screen_;
  std::unique_ptr<TraceReader> trace_;  ///< Of a trace: key frames are read from it when they are needed.
  std::unique_ptr<Session> session_;
};

}  // namespace retrov::test
