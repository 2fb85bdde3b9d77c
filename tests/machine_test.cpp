// Turns, time, idle steps, inputs and reset (core/machine, core/machine_state, core/machine_view) on hand-made code.
#include "core/machine.hpp"

#include <cstring>

#include "core/hart.hpp"
#include "core/hart_state.hpp"
#include "core/machine_state.hpp"
#include "tests/catch.hpp"

using namespace retrov;

namespace {

constexpr u64 kRam = 0x80000000;

/// A timer that raises MTIP of every hart at a tick.
class Alarm final : public StatefulAs<Alarm, Device> {
 public:
  Ticks at = kNever;
  [[nodiscard]] std::string_view name() const override { return "alarm"; }
  std::optional<u64> read(u64, unsigned, Ticks now) override { return now.value; }
  bool write(u64, unsigned, u64 value, Ticks) override {
    at = Ticks{value};
    return true;
  }
  [[nodiscard]] std::optional<u64> peek(u64, unsigned, Ticks now) const override { return now.value; }
  void describe(FdtNode&) const override {}
  void reset() override { at = kNever; }
  [[nodiscard]] u64 mip_bits(unsigned, Ticks now) const override { return now >= at ? irq::kMtip : 0; }
  [[nodiscard]] Ticks next_mip_change(unsigned, Ticks now) const override { return now < at ? at : kNever; }
  template <class A>
  void serialize(A& a) {
    a(field("at", at.value));
  }
};

constexpr u32 kNop = 0x00000013;
constexpr u32 kLoop = 0x0000006f;      // j .
constexpr u32 kWfi = 0x10500073;
constexpr u32 kPause = 0x0100000f;
constexpr u32 kEnableMtie[] = {0x08000293, 0x30429073};  // li t0,0x80; csrw mie,t0

struct Bench {
  Alarm* alarm = nullptr;
  std::unique_ptr<Machine> machine;
  explicit Bench(const std::vector<u32>& code, unsigned harts = 1, u64 turn_steps = 100) {
    MachineConfig config;
    config.ram_bytes = 1u << 20;
    config.harts = harts;
    config.turn_steps = turn_steps;
    config.reset_pc = PhysAddr{kRam};
    config.rng_seed_at = PhysAddr{kRam + 0x8000};
    Blob blob{PhysAddr{kRam}, std::vector<u8>(code.size() * 4)};
    std::memcpy(blob.bytes.data(), code.data(), blob.bytes.size());
    config.initial_memory.push_back(std::move(blob));
    machine = std::make_unique<Machine>(std::move(config), EngineKind::kFast);
    auto device = std::make_unique<Alarm>();
    alarm = device.get();
    machine->attach(PhysAddr{0x10000000}, 0x1000, std::move(device));
    machine->power_on();
  }
};

Batch sched_mask(u64 harts) {
  Batch batch;
  batch.inputs.push_back({kMachineItself, SchedMask{harts}});
  return batch;
}

}  // namespace

TEST_CASE("machine: harts take turns of exactly Q steps in cyclic order", "[machine]") {
  Bench bench({kLoop}, 3, 100);
  for (u64 step = 1; step <= 700; ++step) {
    CHECK(bench.machine->current_hart() == (step - 1) / 100 % 3);
    REQUIRE(bench.machine->run_until(Position{step}, nullptr) == Pause::kLimit);
    REQUIRE(bench.machine->stepping((step - 1) / 100 % 3).last_step == Position{step - 1});
  }
}

TEST_CASE("machine: PAUSE ends the turn", "[machine]") {
  Bench bench({kNop, kPause, kLoop}, 2, 100);
  bench.machine->run_until(Position{2}, nullptr);
  CHECK(bench.machine->stepping(0).last_step == Position{1});
  CHECK(bench.machine->current_hart() == 1);
}

TEST_CASE("machine: the reset button makes the next step a reset", "[machine]") {
  Bench bench({kNop, kLoop}, 2, 100);
  bench.machine->run_until(Position{150}, nullptr);
  Batch button;
  button.inputs.push_back({kMachineItself, SystemReset{}});
  const u64 pc = bench.machine->hart(1).pc;
  bench.machine->apply(button);
  CHECK(bench.machine->position() == Position{151});
  CHECK(bench.machine->hart(1).pc == pc);
  // A snapshot between the two knows that it was pressed.
  const Snapshot pressed = bench.machine->snapshot();
  for (int i = 0; i < 2; ++i) {
    bench.machine->run_until(Position{152}, nullptr);
    CHECK(bench.machine->hart(0).pc == bench.machine->config().reset_pc.value);
    CHECK(bench.machine->hart(1).pc == bench.machine->config().reset_pc.value);
    CHECK(bench.machine->current_hart() == 0);
    const u64 retired = bench.machine->hart(0).retired;
    bench.machine->run_until(Position{154}, nullptr);
    CHECK(bench.machine->hart(0).retired == retired + 2);
    bench.machine->restore(pressed);
  }
}

TEST_CASE("machine: an input is a step and takes nothing from the turn", "[machine]") {
  Bench one({kLoop}, 2, 100), other({kLoop}, 2, 100);
  one.machine->run_until(Position{150}, nullptr);
  other.machine->run_until(Position{50}, nullptr);
  other.machine->apply(sched_mask(~u64{0}));
  CHECK(other.machine->position() == Position{51});
  other.machine->run_until(Position{151}, nullptr);
  for (unsigned hart = 0; hart < 2; ++hart) {
    CHECK(one.machine->hart(hart).retired == other.machine->hart(hart).retired);
  }
}

TEST_CASE("machine: a masked hart does not run", "[machine]") {
  Bench bench({kLoop}, 2, 100);
  bench.machine->apply(sched_mask(2));
  bench.machine->run_until(Position{1000}, nullptr);
  CHECK(bench.machine->hart(0).retired == 0);
  CHECK(bench.machine->hart(1).retired == 999);
}

TEST_CASE("machine: idle jumps to the deadline exactly, from every phase of a tick", "[machine]") {
  for (u64 nops = 0; nops < 205; ++nops) {
    std::vector<u32> code(std::begin(kEnableMtie), std::end(kEnableMtie));
    code.insert(code.end(), nops, kNop);
    code.insert(code.end(), {kWfi, kLoop});
    Bench bench(code);
    bench.alarm->at = Ticks{5000};
    REQUIRE(bench.machine->run_until(Position{10'000}, nullptr) == Pause::kIdle);
    REQUIRE(bench.machine->position() == Position{3 + nops});
    REQUIRE(bench.machine->idle());
    REQUIRE(bench.machine->idle_deadline() == Ticks{5000});
    bench.machine->idle_step();
    REQUIRE(bench.machine->position() == Position{4 + nops});
    REQUIRE(bench.machine->now() == Ticks{5000});
    REQUIRE_FALSE(bench.machine->idle());
  }
}

TEST_CASE("machine: an input cuts an idle wait at its wake time", "[machine]") {
  std::vector<u32> code(std::begin(kEnableMtie), std::end(kEnableMtie));
  code.insert(code.end(), {kWfi, kLoop});
  Bench bench(code);
  bench.alarm->at = Ticks{5000};
  bench.machine->run_until(Position{10'000}, nullptr);
  Batch batch = sched_mask(~u64{0});
  batch.wake = Ticks{1234};
  bench.machine->apply(batch);
  CHECK(bench.machine->now() == Ticks{1234});
  CHECK(bench.machine->idle());
  CHECK(bench.machine->idle_deadline() == Ticks{5000});
}

TEST_CASE("machine: nothing to wait for is quiescent, not a jump", "[machine]") {
  Bench bench({kWfi, kLoop});
  REQUIRE(bench.machine->run_until(Position{10'000}, nullptr) == Pause::kIdle);
  CHECK(bench.machine->idle_deadline() == kNever);
  // A timer that is not enabled wakes nobody.
  bench.alarm->at = Ticks{5000};
  CHECK(bench.machine->idle_deadline() == kNever);
}

TEST_CASE("machine: no idle step jumps so far that guest time could wrap", "[machine]") {
  std::vector<u32> code(std::begin(kEnableMtie), std::end(kEnableMtie));
  code.insert(code.end(), {kWfi, kLoop});
  Bench bench(code);
  bench.alarm->at = Ticks{u64{1} << 63};
  REQUIRE(bench.machine->run_until(Position{10'000}, nullptr) == Pause::kIdle);
  CHECK(bench.machine->idle_deadline() == kNever);
  bench.alarm->at.value -= 1;
  CHECK(bench.machine->idle_deadline() == bench.alarm->at);
}

TEST_CASE("machine: an interrupt is taken at the first step that has reached its time", "[machine]") {
  std::vector<u32> code = {0x00000297, 0x20028293, 0x30529073};  // mtvec = start + 0x200
  code.insert(code.end(), std::begin(kEnableMtie), std::end(kEnableMtie));
  code.insert(code.end(), {0x30046073, kLoop});  // csrsi mstatus, 8
  code.resize(0x81, kNop);
  code[0x80] = kLoop;
  for (const u64 slice : {1u, 7u, 100'000u}) {
    Bench bench(code);
    bench.alarm->at = Ticks{30};
    while (bench.machine->position().steps < 3000) {
      bench.machine->run_until(Position{std::min<u64>(3000, bench.machine->position().steps + slice)}, nullptr);
    }
    CHECK(bench.machine->hart(0).pc == kRam + 7 * 4 - 4);
    bench.machine->run_until(Position{3001}, nullptr);
    CHECK(bench.machine->hart(0).pc == kRam + 0x200);
    CHECK(bench.machine->hart(0).retired == 3000);
    REQUIRE(bench.machine->stepping(0).open_irqs.size() == 1);
    CHECK(bench.machine->stepping(0).open_irqs[0].taken_at == Position{3000});
  }
}

TEST_CASE("machine: reset is a step, keeps time, and gives fresh entropy", "[machine]") {
  Bench bench({kNop, kLoop});
  Batch seed;
  Seed value;
  value.bytes.fill(3);
  seed.inputs.push_back({kMachineItself, value});
  bench.machine->apply(seed);
  std::array<u8, 32> first{}, second{};
  REQUIRE(bench.machine->read_physical(PhysAddr{kRam + 0x8000}, first));
  CHECK(first != std::array<u8, 32>{});
  Batch scribble;
  DebuggerWrite write;
  write.where = kRam + 0x9000;
  write.bytes = {1, 2, 3};
  scribble.inputs.push_back({kMachineItself, write});
  bench.machine->apply(scribble);
  bench.machine->run_until(Position{1000}, nullptr);
  bench.machine->reset();
  bench.machine->run_until(Position{1001}, nullptr);
  CHECK(bench.machine->hart(0).pc == kRam);
  std::array<u8, 3> scribbled{9, 9, 9};
  REQUIRE(bench.machine->read_physical(PhysAddr{kRam + 0x9000}, scribbled));
  CHECK(scribbled == std::array<u8, 3>{});
  CHECK(bench.machine->now() == Ticks{10});
  REQUIRE(bench.machine->read_physical(PhysAddr{kRam + 0x8000}, second));
  CHECK(first != second);
}

TEST_CASE("machine: a machine that is off makes no more steps", "[machine]") {
  Bench bench({kLoop});
  bench.machine->run_until(Position{10}, nullptr);
  bench.machine->power_off(3, "test");
  CHECK(bench.machine->run_until(Position{100}, nullptr) == Pause::kPoweredOff);
  CHECK(bench.machine->position() == Position{10});
  CHECK(bench.machine->power().status == 3);
  CHECK_FALSE(bench.machine->idle());
}

TEST_CASE("machine: every component's hash reacts to its own state and to nothing else", "[machine]") {
  Bench bench({kLoop}, 2);
  const auto before = bench.machine->component_hashes();
  std::vector<std::string> names;
  for (const ComponentHash& component : before) names.push_back(component.name);
  CHECK(names == std::vector<std::string>{"machine", "hart0", "hart1", "alarm", "ram"});
  Batch batch;
  DebuggerWrite write;
  write.space = DebuggerWrite::Space::kRegister;
  write.hart = 1;
  write.where = 5;
  write.bytes = {9, 0, 0, 0, 0, 0, 0, 0};
  batch.inputs.push_back({kMachineItself, write});
  bench.machine->apply(batch);
  const auto after = bench.machine->component_hashes();
  CHECK(after[0].hash != before[0].hash);  // the position
  CHECK(after[1].hash == before[1].hash);
  CHECK(after[2].hash != before[2].hash);
  CHECK(after[3].hash == before[3].hash);
  CHECK(after[4].hash == before[4].hash);
}

TEST_CASE("machine: an absent extension is illegal on both engines, and unknown to the debugger", "[machine]") {
  struct Case {
    Extension extension;
    u32 raw;
  };
  const Case cases[] = {{Extension::kZbb, 0x60051513},    {Extension::kM, 0x02a50533},
                        {Extension::kZicbom, 0x0005200f}, {Extension::kD, 0x02a57553},
                        {Extension::kZacas, 0x28a5252f},  {Extension::kZcb, 0x9d75}};
  for (const EngineKind engine : {EngineKind::kFast, EngineKind::kReference}) {
    for (const Case& c : cases) {
      for (const bool present : {true, false}) {
        INFO(std::hex << c.raw << " present: " << present);
        MachineConfig config;
        config.ram_bytes = 1u << 20;
        config.reset_pc = PhysAddr{kRam};
        if (!present) config.extensions = without_extension(config.extensions, c.extension);
        // lui t0, 6; csrs mstatus, t0; auipc a0, 0; the instruction
        const std::array<u32, 4> code = {0x000062b7, 0x3002a073, 0x00000517, c.raw};
        config.initial_memory = {{PhysAddr{kRam}, std::vector<u8>(sizeof code)}};
        std::memcpy(config.initial_memory[0].bytes.data(), code.data(), sizeof code);
        Machine machine(std::move(config), engine);
        machine.power_on();
        machine.run_until(Position{4}, nullptr);
        const u64 cause = *machine.read_register(0, csr_register(0x342));
        const u64 value = *machine.read_register(0, csr_register(0x343));
        CHECK(cause == (present ? 0 : 2));
        CHECK(value == (present ? 0 : c.raw));
      }
    }
  }
  MachineConfig config;
  config.ram_bytes = 1u << 20;
  config.extensions = without_extension(config.extensions, Extension::kF);
  const Machine machine(std::move(config), EngineKind::kFast);
  CHECK_FALSE(machine.read_register(0, float_register(3)).has_value());
  CHECK_FALSE(machine.read_register(0, csr_register(3)).has_value());
  CHECK(machine.refuse_register_write(0, float_register(3)) == "no such register");
  CHECK_FALSE(machine.refuse_register_write(0, integer_register(3)).has_value());
}

TEST_CASE("machine: a stop before a hart comes when it is picked, or begins to wait", "[machine]") {
  Bench bench({kLoop}, 2, 100);
  StopSet stops;
  stops.before_hart = 1;
  REQUIRE(bench.machine->run_until(Position{1000}, &stops) == Pause::kStop);
  CHECK(bench.machine->position() == Position{100});
  stops.ignore_at = bench.machine->position();
  REQUIRE(bench.machine->run_until(Position{1000}, &stops) == Pause::kStop);
  CHECK(bench.machine->position() == Position{101});

  Bench waiting({kNop, kWfi, kLoop});
  StopSet wait;
  wait.before_hart = 0;
  wait.ignore_at = Position{1};
  waiting.machine->run_until(Position{1}, nullptr);
  REQUIRE(waiting.machine->run_until(Position{1000}, &wait) == Pause::kStop);
  CHECK(waiting.machine->position() == Position{2});
  CHECK(waiting.machine->idle());
  wait.ignore_at = Position{2};
  CHECK(waiting.machine->run_until(Position{1000}, &wait) == Pause::kIdle);
}
