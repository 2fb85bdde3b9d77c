// Bare-metal guests on a board, and a world that types at random but repeatable moments: what the tests of recording,
// replaying and going backwards share.
#pragma once

#include <algorithm>
#include <atomic>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/elf.hpp"
#include "devices/board.hpp"
#include "devices/loader.hpp"
#include "replay/beginning.hpp"
#include "replay/drive.hpp"
#include "replay/history.hpp"
#include "replay/output_log.hpp"
#include "replay/recorder.hpp"
#include "tests/support/paths.hpp"

namespace retrov::test {

class Screen final : public OutputSink {
 public:
  void console(Position, std::span<const u8> bytes) override { text.append(bytes.begin(), bytes.end()); }
  void notice(Position, const std::string& sentence) override { notices.push_back(sentence); }
  std::string text;
  std::vector<std::string> notices;
};

inline std::vector<u8> read_guest(const std::string& name) {
  std::ifstream in(build_dir() + "/guests/" + name + ".elf", std::ios::binary);
  std::vector<u8> bytes{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (bytes.empty()) throw Error(Exit::kNoInput, "no guest " + name + ": make guests");
  return bytes;
}

inline BoardConfig guest_board(const std::string& name, unsigned harts = 1) {
  BoardConfig board;
  board.machine.ram_bytes = 2u << 20;
  board.machine.harts = harts;
  board.machine.turn_steps = 200;
  BootImages images;
  images.kernel = Image{name, read_guest(name)};
  place_images(board, images);
  return board;
}

inline u64 symbol(const std::string& guest, const std::string& name) {
  const std::vector<u8> bytes = read_guest(guest);
  const Elf elf = parse_elf(bytes);
  const ElfSymbol* found = elf.find(name);
  if (found == nullptr) throw Error(Exit::kNoInput, "no symbol " + name);
  return found->value.value;
}

/// Tells a history what it is told of one branch.
class Filler final : public HistoryListener {
 public:
  explicit Filler(History& history) : history_(history) {}
  void on_event(const Event& event) override { history_.add_event(event); }
  void on_block(Position before, const CapturedBlock& block) override { history_.add_block(before, block); }
  void on_mark(const HashMark& mark) override { history_.add_mark(mark); }
  void on_progress(Position now) override { history_.progress(now); }
  void on_branch(const BranchPoint&) override {}
  void on_finish(Position, const Outcome& outcome) override { history_.finish(outcome); }

 private:
  History& history_;
};

/// Where a history begins that is told from there on.
inline HistoryBegin begin_of(const std::optional<TraceStart>& start) {
  if (!start) return {};
  return {start->state.state->machine.at, std::make_shared<HeldKeyFrame>(start->state), start->initial_memory};
}

/// xorshift64.
class Random {
 public:
  explicit Random(u64 seed) : state_(seed * 0x9e3779b97f4a7c15 | 1) {}
  u64 below(u64 limit) {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return (state_ >> 11) % limit;
  }

 private:
  u64 state_;
};

/// Types letters at random moments, idle or not, wakes waits early, pauses anywhere, and at last types 'q'.
class RandomWorld final : public InputSource {
 public:
  RandomWorld(u64 seed, unsigned letters, u64 mean_steps) : random_(seed), letters_(letters), mean_steps_(mean_steps) {}
  Position next_pause(Position now, Position limit) override {
    return std::min(limit, Position{now.steps + 1 + random_.below(2 * mean_steps_)});
  }
  Took take(Position now, Idle idle, Ticks guest_now, Ticks deadline, Batch& out) override {
    out.wake = Ticks{};
    if (idle == Idle::kYes) {
      const u64 room = deadline == kNever ? 5000 : deadline.value - guest_now.value;
      out.wake = Ticks{guest_now.value + random_.below(room + 1)};
    }
    if (now.steps == 0) {
      out.inputs = {Input{kRtcIndex, RtcStart{1'700'000'000'000'000'000}}, Input{kMachineItself, Seed{}}};
      return Took::kBatch;
    }
    if (quiet_) return idle == Idle::kYes && deadline == kNever ? Took::kEnded : Took::kReachedDeadline;
    if (random_.below(4) != 0) return deadline == kNever && idle == Idle::kYes ? type(out) : Took::kReachedDeadline;
    return type(out);
  }

 private:
  Took type(Batch& out) {
    std::vector<u8> bytes;
    for (u64 i = 0; i <= random_.below(3); ++i) bytes.push_back(static_cast<u8>('a' + random_.below(15)));
    if (letters_ > 0) --letters_;
    quiet_ = letters_ == 0;
    if (quiet_) bytes.push_back('q');
    out.inputs = {Input{kUartIndex, ConsoleBytes{bytes}}};
    return Took::kBatch;
  }
  Random random_;
  unsigned letters_;
  u64 mean_steps_;
  bool quiet_ = false;
};

struct Recorded {
  std::unique_ptr<History> history;
  std::map<Position, u64> hashes;  ///< Of the state at some positions that were passed.
  std::string text;
  u64 end_hash = 0;
};

/// Records until the guest powers off, its inputs end, or `limit`.
inline Recorded record(const BoardConfig& board, InputSource& world, Position limit = Position{2'000'000},
                       EngineKind engine = EngineKind::kFast) {
  Recorded result;
  result.history = std::make_unique<History>(board);
  Screen screen;
  OutputLog output(screen);
  const auto machine = build_board(board, engine, output, {});
  Recorder recorder(world, *result.history);
  const std::atomic<bool> never{false};
  const auto mark = [&] {
    recorder.reached(machine->position());
    result.history->add_mark({machine->position(), machine->component_hashes(), output.tally().bytes,
                              output.tally().hash});
  };
  Halt halt = Halt::kLimit;
  while (halt == Halt::kLimit && machine->position() < limit) {
    const Position pause{machine->position().steps + 777};
    halt = drive(*machine, recorder, std::min(pause, limit), nullptr, never);
    result.hashes[machine->position()] = machine->hash();
    mark();
  }
  const PowerState& power = machine->power();
  result.history->finish(power.off ? Outcome{Outcome::Kind::kPoweredOff, power.status, power.why}
                                   : Outcome{Outcome::Kind::kStopped, 0, {}});
  result.text = screen.text;
  result.end_hash = machine->hash();
  return result;
}

inline Recorded record_guest(const std::string& name, unsigned harts, u64 seed) {
  RandomWorld world(seed, 30, 300);
  return record(guest_board(name, harts), world);
}

}  // namespace retrov::test
