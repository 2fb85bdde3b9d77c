// Replays that are not what was recorded, and what is said of them: replay/divergence, replay/fresh_replay,
// replay/one_bit, replay/marks and replay/state_diff. Faults are planted in the recorder by hand: once, as memory or a
// processor would, or again and again from a step on, as a recorder would that was built differently.
#include "replay/divergence.hpp"

#include <algorithm>

#include "replay/marks.hpp"
#include "replay/verify.hpp"
#include "tests/catch.hpp"
#include "tests/support/guest_bench.hpp"
#include "tests/support/key_frame_bench.hpp"

using namespace retrov;
using namespace retrov::test;

namespace {

using Fault = std::function<void(Snapshot&)>;

struct Plant {
  Position at;
  u64 again_after = 0;  ///< 0: once.
  Fault fault;
};

constexpr std::size_t kHart0 = 1;
/// Of the board, without harts.
constexpr std::size_t device_component(unsigned harts, unsigned index) { return 1 + harts + index; }

/// The guest uses no s11, so what is wrong with it stays where it is.
Fault flip_register(unsigned number, u64 bits) {
  return [=](Snapshot& snapshot) {
    for (unsigned i = 0; i < 8; ++i) snapshot.components[kHart0][8 * number + i] ^= static_cast<u8>(bits >> (8 * i));
  };
}

/// Records the echo guest while a random world types; with full marks as planned, and light ones at inputs.
enum class KeyFrames : bool { kNone, kAtFullMarks };
std::unique_ptr<History> record_faulty(const MarkPlan& plan, const std::optional<Plant>& plant,
                                       KeyFrames key_frames = KeyFrames::kNone) {
  const BoardConfig board = guest_board("echo");
  auto history = std::make_unique<History>(board);
  Screen screen;
  OutputLog output(screen);
  const auto machine = build_board(board, EngineKind::kFast, output, {});
  RandomWorld world(3, 30, 300);
  Recorder recorder(world, *history);
  recorder.on_inputs([&] { history->add_mark(make_mark(*machine, output.tally(), HashRam::kNo)); });
  const std::atomic<bool> never{false};
  Position next_mark = plan.next_after(Position{0});
  Position next_fault = plant ? plant->at : kEndOfTime;
  Halt halt = Halt::kLimit;
  while (halt == Halt::kLimit) {
    halt = drive(*machine, recorder, std::min(next_mark, next_fault), nullptr, never);
    if (machine->position() == next_fault) {
      Snapshot snapshot = machine->snapshot();
      plant->fault(snapshot);
      machine->restore(snapshot);
      next_fault = plant->again_after == 0 ? kEndOfTime : Position{next_fault.steps + plant->again_after};
    }
    recorder.reached(machine->position());
    if (machine->position() < next_mark && halt == Halt::kLimit) continue;
    history->add_mark(make_mark(*machine, output.tally(), HashRam::kYes));
    if (key_frames == KeyFrames::kAtFullMarks) history->add_key_frame_place(held(key_frame_of(*machine, output)));
    next_mark = plan.next_after(machine->position());
  }
  history->finish({Outcome::Kind::kPoweredOff, machine->power().status, machine->power().why});
  return history;
}

MarkPlan sparse(u64 every_steps = 1500) {
  MarkPlan plan;
  plan.every_steps = every_steps;
  return plan;
}
MarkPlan dense(u64 from, u64 to) { return {1500, 1, Position{from}, Position{to}}; }

std::vector<std::string> names_of(const Divergence& divergence) {
  std::vector<std::string> names;
  for (const DifferingComponent& component : divergence.components) names.push_back(component.name);
  return names;
}

constexpr Position kAt{4000};

}  // namespace

TEST_CASE("divergence: without a fault nothing is found, however dense the marks", "[divergence]") {
  const auto history = record_faulty(dense(3900, 4100), std::nullopt);
  const Verdict verdict = verify(*history);
  CHECK(verdict.identical());
  CHECK(verdict.marks == history->marks().size());
  CHECK(verdict.marks > 200);
  VerifyOptions twice;
  twice.twice = Twice::kYes;
  CHECK(verify(*history, twice).identical());
}

TEST_CASE("divergence: a bit that flipped once is named by interval, register and bit", "[divergence]") {
  const auto history = record_faulty(sparse(), Plant{kAt, 0, flip_register(27, 8)});
  const Verdict verdict = verify(*history);
  REQUIRE(verdict.divergence);
  const Divergence& found = *verdict.divergence;
  CHECK(found.after < kAt);
  CHECK(found.at >= kAt);
  CHECK(found.at.steps - found.after.steps <= 1500);
  CHECK(names_of(found) == std::vector<std::string>{"hart0"});
  CHECK_FALSE(found.first_step);
  CHECK_THAT(found.explanation, has_substring("one bit changed"));
  CHECK_THAT(found.explanation, has_substring("hart 0  s11        0x0 -> 0x8"));
  CHECK_THAT(found.explanation, has_substring("two replays agree"));
}

TEST_CASE("divergence: light marks say how long a component was still the same", "[divergence]") {
  const auto history = record_faulty(sparse(1'000'000), Plant{kAt, 0, flip_register(27, 8)});
  const Verdict verdict = verify(*history);
  REQUIRE(verdict.divergence);
  const Divergence& found = *verdict.divergence;
  CHECK(found.after == Position{0});
  REQUIRE(found.components.size() == 1);
  CHECK(found.components[0].equal_at > Position{0});
  CHECK(found.components[0].equal_at < kAt);
  CHECK(found.at.steps - found.components[0].equal_at.steps < 3000);
  std::ostringstream out;
  report_divergence(found, out);
  CHECK_THAT(out.str(), has_substring("differs: hart0 (was still the same at step "));
}

TEST_CASE("divergence: dense marks name the exact step of a fault that happened once", "[divergence]") {
  const auto history = record_faulty(dense(3900, 4100), Plant{kAt, 0, flip_register(27, u64{1} << 40)});
  const Verdict verdict = verify(*history);
  REQUIRE(verdict.divergence);
  const Divergence& found = *verdict.divergence;
  REQUIRE(found.first_step);
  CHECK(found.first_step->steps + 1 == kAt.steps);
  CHECK(names_of(found) == std::vector<std::string>{"hart0"});
  CHECK_THAT(found.explanation, has_substring("hart 0 at 0x8"));
  CHECK_THAT(found.explanation, has_substring("in the replay this step changes:"));
  CHECK_THAT(found.explanation, has_substring("hart 0  s11        0x0 -> 0x10000000000"));
}

TEST_CASE("divergence: dense marks name the exact step of a recorder that computes differently", "[divergence]") {
  // Not one bit, and again and again.
  const auto history = record_faulty(dense(3900, 4100), Plant{kAt, 16, flip_register(27, 0x1234'5678)});
  const Verdict verdict = verify(*history);
  REQUIRE(verdict.divergence);
  REQUIRE(verdict.divergence->first_step);
  CHECK(verdict.divergence->first_step->steps + 1 == kAt.steps);
  CHECK_THAT(verdict.divergence->explanation, has_substring("hart 0 at 0x8"));
  CHECK(verdict.divergence->explanation.find("one bit") == std::string::npos);
}

TEST_CASE("divergence: a recorder that computes differently is found between marks, and no step is claimed",
          "[divergence]") {
  const auto history = record_faulty(sparse(), Plant{kAt, 16, flip_register(27, 0x1234'5678)});
  VerifyOptions twice;
  twice.twice = Twice::kYes;
  for (const VerifyOptions& options : {VerifyOptions{}, twice}) {
    const Verdict verdict = verify(*history, options);
    REQUIRE(verdict.divergence);
    CHECK(verdict.divergence->after < kAt);
    CHECK(verdict.divergence->at >= kAt);
    CHECK_FALSE(verdict.divergence->first_step);
    CHECK_THAT(verdict.divergence->explanation, has_substring("two replays agree with each other"));
  }
}

TEST_CASE("divergence: CSRs, bytes of RAM and fields of devices are named", "[divergence]") {
  struct Place {
    const char* component;
    Fault fault;
    const char* named;
  };
  const std::size_t uart = device_component(1, kUartIndex);
  const std::vector<Place> places = {
      // x, f, pc, priv, waiting, retired, then CSRs: mstatus, medeleg, mideleg, mie, mip, mtvec, mscratch.
      {"hart0", [](Snapshot& s) { s.components[kHart0][8 * 65 + 2 + 8 + 6 * 8] ^= 2; }, "mscratch   0x0 -> 0x2"},
      {"uart0", [=](Snapshot& s) { s.components[uart][4] ^= 0x20; }, "scr  0 -> 32"},
      {"ram",
       [](Snapshot& s) {
         PageBytes bytes = s.trees[0].find(0)->bytes;
         bytes[0xff0] ^= 0x10;
         s.trees[0].set(0, bytes);
       },
       "0x80000000  1 byte, first at 0x80000ff0: 00 -> 10"},
  };
  for (const Place& place : places) {
    INFO(place.component);
    const auto history = record_faulty(dense(3990, 4010), Plant{kAt, 0, place.fault});
    const Verdict verdict = verify(*history);
    REQUIRE(verdict.divergence);
    CHECK(names_of(*verdict.divergence) == std::vector<std::string>{place.component});
    REQUIRE(verdict.divergence->first_step);
    CHECK(verdict.divergence->first_step->steps + 1 == kAt.steps);
    CHECK_THAT(verdict.divergence->explanation, has_substring(place.named));
  }
}

TEST_CASE("divergence: two replays that differ from each other name the exact step without dense marks",
          "[divergence]") {
  const auto history = record_faulty(sparse(), std::nullopt);
  const auto other = [&] {
    auto result = std::make_unique<History>(history->board());
    bool added = false;
    for (const Event& event : history->events()) {
      if (!added && event.at > kAt) {
        DebuggerWrite write{DebuggerWrite::Space::kRegister, 0, 27, {7, 0, 0, 0, 0, 0, 0, 0}};
        result->add_event({kAt, {{Input{kMachineItself, write}}, {}}});
        added = true;
      }
      if (event.at != kAt) result->add_event(event);
    }
    result->progress(history->end());
    return result;
  }();
  const Verdict verdict = verify_beside(*history, *other);
  REQUIRE(verdict.divergence);
  CHECK(verdict.divergence->detail == "two replays differ from each other");
  REQUIRE(verdict.divergence->first_step);
  CHECK(*verdict.divergence->first_step == kAt);
  CHECK_THAT(verdict.divergence->explanation, has_substring("hart 0  s11        0x0 -> 0x7"));
}

TEST_CASE("divergence: a replay that was wrong once is told from one that is wrong always", "[divergence]") {
  const auto history = record_faulty(sparse(), std::nullopt);
  FreshReplay first(*history, EngineKind::kFast), second(*history, EngineKind::kFast);
  const std::atomic<bool> never{false};
  const KeptSnapshot good = first.snapshot();
  (void)first.run_to(kAt, never);
  HashMark recorded = make_mark(first.machine(), first.console(), HashRam::kYes);
  std::vector<ComponentHash> replayed = first.machine().component_hashes();
  replayed[1].hash ^= 1;
  Divergence divergence;
  divergence.at = kAt;
  explain(divergence, Mismatch{good, recorded, replayed}, first, second);
  CHECK_FALSE(divergence.first_step);
  CHECK_THAT(divergence.explanation, has_substring("what changed the first did so once"));
}

TEST_CASE("divergence: a plan has its dense marks where they were asked for, and no others", "[divergence]") {
  const MarkPlan plan{1000, 10, Position{500}, Position{530}};
  std::vector<u64> marks;
  for (Position at; at.steps < 2600; at = plan.next_after(at)) marks.push_back(at.steps);
  CHECK(marks == std::vector<u64>{0, 500, 510, 520, 530, 1530, 2530});
  CHECK(MarkPlan{}.next_after(Position{5}) == Position{5 + kMarkEverySteps});
}

TEST_CASE("divergence: the next key frame says what differs, by page, register and field", "[divergence]") {
  // More than a bit each time, so that nothing is found by trying.
  const Fault in_register = flip_register(27, 0x1234);
  const Fault in_ram = [](Snapshot& snapshot) {
    PageBytes bytes{};
    bytes[5] = 0xab;
    bytes[77] = 0xcd;
    snapshot.trees[0].set(300, bytes);
  };
  for (const auto& [fault, wanted] : {std::pair{in_register, "hart 0  s11        0x0 -> 0x1234"},
                                      std::pair{in_ram, "0x8012c000  2 bytes, first at 0x8012c005: 00 -> ab"}}) {
    const auto history = record_faulty(sparse(), Plant{kAt, 0, fault}, KeyFrames::kAtFullMarks);
    const Verdict verdict = verify(*history);
    REQUIRE(verdict.divergence);
    CAPTURE(verdict.divergence->explanation);
    const std::string& said = verdict.divergence->explanation;
    CHECK_THAT(said, has_substring("  at the key frame at step 4,500, in the replay -> in the recording:\n"));
    CHECK_THAT(said, has_substring(wanted));
    CHECK_THAT(said, has_substring("two replays agree"));
    // Several threads say the same.
    VerifyOptions options;
    options.jobs = 3;
    options.least_segment_steps = 1;
    CHECK(verify(*history, options).divergence->explanation == verdict.divergence->explanation);
  }
}

TEST_CASE("divergence: a key frame that is not what its mark says is not believed", "[divergence]") {
  const auto told = record_faulty(sparse(), Plant{kAt, 0, flip_register(27, 0x1234)}, KeyFrames::kAtFullMarks);
  History history(told->board());
  std::size_t mark = 0;
  const auto tell_marks_to = [&](Position at) {
    for (; mark < told->marks().size() && told->marks()[mark].at <= at; ++mark) history.add_mark(told->marks()[mark]);
  };
  for (const Event& event : told->events()) {
    tell_marks_to(event.at);
    history.add_event(event);
  }
  tell_marks_to(told->end());
  history.finish(told->outcome());
  for (const KeyFramePlace& place : told->key_frames()) {
    KeyFrame frame = place.stored->load({});
    if (place.at == Position{4500}) {
      auto lie = std::make_shared<KeptSnapshot>(*frame.state);
      lie->machine.components[kHart0][8] ^= 1;
      frame.state = std::move(lie);
    }
    history.add_key_frame_place(held(frame));
  }
  const Verdict verdict = verify(history);
  REQUIRE(verdict.divergence);
  CHECK_THAT(verdict.divergence->explanation, has_substring("  at the key frame at step 6,000, in the replay -> "));
  CHECK_THAT(verdict.divergence->explanation, has_substring("hart 0  s11        0x0 -> 0x1234"));
}
