#include "replay/live_inputs.hpp"

#include <unistd.h>

#include <chrono>
#include <thread>

#include "devices/memory_map.hpp"
#include "replay/host_clock.hpp"
#include "tests/catch.hpp"

using namespace retrov;

namespace {

constexpr u64 kTicksPerMs = kTicksPerSecond / 1000;

struct Bench {
  explicit Bench(ClockMode clock, ConsoleFilter filter = {}) {
    REQUIRE(pipe(console.data()) == 0);
    LiveOptions options;
    options.console_fd = console[0];
    options.clock = clock;
    inputs = std::make_unique<LiveInputs>(
        options, [this] { return room; }, std::move(filter));
    // What is said at power-on is said.
    inputs->take(Position{0}, Idle::kNo, Ticks{}, kNever, batch);
  }
  ~Bench() {
    close(console[0]);
    hang_up();
  }
  void type(const std::string& text) {
    REQUIRE(write(console[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  }
  void hang_up() {
    if (console[1] >= 0) close(console[1]);
    console[1] = -1;
  }
  Took wait(Ticks now, Ticks deadline) { return inputs->take(Position{100}, Idle::kYes, now, deadline, batch); }
  [[nodiscard]] std::string typed() const {
    const auto& bytes = std::get<ConsoleBytes>(batch.inputs.at(0).what).bytes;
    return {bytes.begin(), bytes.end()};
  }
  std::array<int, 2> console{-1, -1};
  std::size_t room = 1000;
  std::unique_ptr<LiveInputs> inputs;
  Batch batch;
};

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

TEST_CASE("live_inputs: with a virtual clock only a guest without plans is waited for", "[live_inputs]") {
  Bench bench(ClockMode::kVirtual);
  CHECK(bench.wait(Ticks{5}, Ticks{u64{1} << 40}) == Took::kReachedDeadline);
  bench.type("x");
  REQUIRE(bench.wait(Ticks{5}, Ticks{u64{1} << 40}) == Took::kBatch);
  CHECK(bench.batch.wake == Ticks{5});
  CHECK(bench.batch.inputs[0].device == kUartIndex);
  CHECK(bench.typed() == "x");
  std::thread typist([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(3));
    bench.type("later");
  });
  CHECK(bench.wait(Ticks{5}, kNever) == Took::kBatch);
  typist.join();
  CHECK(bench.typed() == "later");
}

TEST_CASE("live_inputs: real waits end at the deadline or at a key, within the wait", "[live_inputs]") {
  Bench bench(ClockMode::kReal);
  const Ticks now{1000};
  const Ticks deadline{now.value + 20 * kTicksPerMs};
  bench.inputs->anchor(now);
  const u64 begin = host_ns();
  CHECK(bench.wait(now, deadline) == Took::kReachedDeadline);
  CHECK(host_ns() - begin >= 19'000'000);

  bench.inputs->anchor(deadline);
  std::thread typist([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    bench.type("k");
  });
  const Ticks far{deadline.value + 100'000 * kTicksPerMs};
  REQUIRE(bench.wait(deadline, far) == Took::kBatch);
  typist.join();
  CHECK(bench.batch.wake >= Ticks{deadline.value + 4 * kTicksPerMs});
  CHECK(bench.batch.wake < far);
  // However late the host is, an input falls within the wait.
  bench.inputs->anchor(Ticks{0});
  bench.type("l");
  std::this_thread::sleep_for(std::chrono::milliseconds(3));
  REQUIRE(bench.wait(Ticks{1}, Ticks{2}) == Took::kBatch);
  CHECK(bench.batch.wake == Ticks{2});
}

TEST_CASE("live_inputs: a stopped debugger freezes time", "[live_inputs]") {
  Bench bench(ClockMode::kReal);
  bench.inputs->anchor(Ticks{0});
  std::this_thread::sleep_for(std::chrono::milliseconds(10));
  bench.inputs->anchor(Ticks{0});
  const u64 begin = host_ns();
  CHECK(bench.wait(Ticks{0}, Ticks{8 * kTicksPerMs}) == Took::kReachedDeadline);
  CHECK(host_ns() - begin >= 7'000'000);
}

TEST_CASE("live_inputs: waits are woken, ended and held back", "[live_inputs]") {
  Bench bench(ClockMode::kReal);
  bench.inputs->anchor(Ticks{0});
  bench.inputs->wake();
  bench.inputs->wake();
  CHECK(bench.wait(Ticks{0}, kNever) == Took::kInterrupted);
  std::thread waker([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(3));
    bench.inputs->wake();
  });
  CHECK(bench.wait(Ticks{0}, kNever) == Took::kInterrupted);
  waker.join();

  // No room: the terminal is not read; then it is, no more than there is room for.
  bench.type("abcdef");
  bench.room = 0;
  CHECK(bench.wait(Ticks{0}, Ticks{1}) == Took::kReachedDeadline);
  bench.room = 4;
  REQUIRE(bench.wait(Ticks{0}, kNever) == Took::kBatch);
  CHECK(bench.typed() == "abcd");
  REQUIRE(bench.wait(Ticks{0}, kNever) == Took::kBatch);
  CHECK(bench.typed() == "ef");

  CHECK_FALSE(bench.inputs->console_ended());
  bench.hang_up();
  CHECK(bench.wait(Ticks{0}, kNever) == Took::kEnded);
  CHECK(bench.inputs->console_ended());
  CHECK(bench.wait(Ticks{0}, Ticks{1}) == Took::kReachedDeadline);
}

TEST_CASE("live_inputs: a running machine is never kept waiting", "[live_inputs]") {
  Bench bench(ClockMode::kReal);
  CHECK(bench.inputs->take(Position{1}, Idle::kNo, Ticks{}, kNever, bench.batch) == Took::kReachedDeadline);
  bench.type("x");
  std::this_thread::sleep_for(std::chrono::milliseconds(2));
  CHECK(bench.inputs->take(Position{2}, Idle::kNo, Ticks{}, kNever, bench.batch) == Took::kBatch);
  CHECK(bench.typed() == "x");
  CHECK(bench.batch.wake == Ticks{});
  CHECK(bench.inputs->next_pause(Position{5}, Position{6}) == Position{6});
  CHECK(bench.inputs->next_pause(Position{5}, kEndOfTime) > Position{5});
}

TEST_CASE("live_inputs: the filter changes what the guest gets", "[live_inputs]") {
  Bench bench(ClockMode::kVirtual, [](std::vector<u8>& bytes) { std::erase(bytes, u8{'-'}); });
  bench.type("a-b");
  REQUIRE(bench.wait(Ticks{0}, kNever) == Took::kBatch);
  CHECK(bench.typed() == "ab");
  bench.type("---");
  CHECK(bench.wait(Ticks{0}, Ticks{10}) == Took::kReachedDeadline);
}

TEST_CASE("live_inputs: a guest that only waits is told of when it has for long enough", "[live_inputs]") {
  LiveOptions options;
  options.clock = ClockMode::kVirtual;
  options.idle_ticks = 1000;
  options.steps_per_tick = 10;
  unsigned told = 0;
  options.on_idle = [&] { ++told; };
  LiveInputs inputs(options, [] { return std::size_t{1}; });
  Batch batch;
  REQUIRE(inputs.take(Position{0}, Idle::kNo, Ticks{}, kNever, batch) == Took::kBatch);
  const auto wait = [&](u64 step, u64 now, u64 deadline) {
    return inputs.take(Position{step}, Idle::kYes, Ticks{now}, Ticks{deadline}, batch);
  };
  // It looks at the clock between, which is a hundredth of the time or less.
  CHECK(wait(100, 50, 600) == Took::kReachedDeadline);
  CHECK(wait(150, 605, 1049) == Took::kReachedDeadline);
  CHECK(told == 0);
  CHECK(wait(200, 1049, 5000) == Took::kInterrupted);
  CHECK(told == 1);
  // More than that is work, and it begins to wait again.
  CHECK(wait(400, 1100, 2000) == Took::kReachedDeadline);
  CHECK(wait(401, 2000, 2099) == Took::kReachedDeadline);
  CHECK(told == 1);
  CHECK(wait(402, 2099, 2200) == Took::kInterrupted);
  CHECK(told == 2);
  // One that nothing can wake any more waits for ever.
  CHECK(wait(900, 2500, kNever.value) == Took::kInterrupted);
  CHECK(told == 3);
}

TEST_CASE("live_inputs: with a real clock the host waits for the guest to have waited long enough", "[live_inputs]") {
  Bench bench(ClockMode::kReal);
  LiveOptions options;
  options.console_fd = bench.console[0];
  options.idle_ticks = 20 * kTicksPerMs;
  bool told = false;
  options.on_idle = [&] { told = true; };
  LiveInputs inputs(options, [] { return std::size_t{9}; });
  Batch batch;
  REQUIRE(inputs.take(Position{0}, Idle::kNo, Ticks{}, kNever, batch) == Took::kBatch);
  for (const Ticks deadline : {Ticks{u64{1} << 40}, kNever}) {
    told = false;
    inputs.anchor(Ticks{});
    const u64 begin = host_ns();
    CHECK(inputs.take(Position{1}, Idle::kYes, Ticks{}, deadline, batch) == Took::kInterrupted);
    CHECK(told);
    CHECK(host_ns() - begin >= 19'000'000);
    // A key begins it anew.
    bench.type("x");
    CHECK(inputs.take(Position{2}, Idle::kYes, Ticks{}, deadline, batch) == Took::kBatch);
  }
}

TEST_CASE("live_inputs: a guest behind or ahead of its host's clock waits no less", "[live_inputs]") {
  Bench bench(ClockMode::kReal);
  LiveOptions options;
  options.console_fd = bench.console[0];
  options.idle_ticks = 20 * kTicksPerMs;
  unsigned told = 0;
  options.on_idle = [&] { ++told; };
  LiveInputs inputs(options, [] { return std::size_t{9}; });
  Batch batch;
  REQUIRE(inputs.take(Position{0}, Idle::kNo, Ticks{}, kNever, batch) == Took::kBatch);
  const auto wait = [&](u64 step, u64 now_ms, u64 deadline_ms) {
    const Ticks now{now_ms * kTicksPerMs}, deadline{deadline_ms * kTicksPerMs};
    return inputs.take(Position{step}, Idle::kYes, now, deadline, batch);
  };
  inputs.anchor(Ticks{});
  std::this_thread::sleep_for(std::chrono::milliseconds(30));
  CHECK(wait(1, 0, 15) == Took::kReachedDeadline);
  CHECK(told == 0);
  CHECK(wait(2, 15, 25) == Took::kInterrupted);
  CHECK(told == 1);
  inputs.anchor(Ticks{});
  CHECK(wait(3, 21, 1000) == Took::kInterrupted);
  CHECK(told == 2);
}
