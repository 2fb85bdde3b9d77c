// What the live source says without being asked: wall clock and entropy, once, before the first instruction.
#include "replay/live_inputs.hpp"

#include "devices/memory_map.hpp"
#include "tests/catch.hpp"

using namespace retrov;

namespace {

LiveInputs source() {
  LiveOptions options;
  options.clock = ClockMode::kVirtual;
  options.rtc_unix_ns = 1'700'000'000'000'000'000;
  options.seed[31] = 7;
  return LiveInputs(options, [] { return std::size_t{1}; });
}

void check_power_on_batch(Position at) {
  LiveInputs inputs = source();
  Batch batch;
  REQUIRE(inputs.take(at, Idle::kNo, Ticks{}, kNever, batch) == Took::kBatch);
  REQUIRE(batch.inputs.size() == 2);
  CHECK(batch.inputs[0].device == kRtcIndex);
  CHECK(std::get<RtcStart>(batch.inputs[0].what).unix_ns == 1'700'000'000'000'000'000);
  CHECK(batch.inputs[1].device == kMachineItself);
  CHECK(std::get<Seed>(batch.inputs[1].what).bytes[31] == 7);
  const Position next{at.steps + 1};
  CHECK(inputs.take(next, Idle::kNo, Ticks{}, kNever, batch) == Took::kReachedDeadline);
}

}  // namespace

TEST_CASE("live_inputs: clock and entropy come first and once", "[live_inputs]") { check_power_on_batch(Position{0}); }

TEST_CASE("live_inputs: a debugger that writes before the first step does not lose them", "[live_inputs]") {
  check_power_on_batch(Position{3});
}
