#include "tests/difftest/on_retrov.hpp"

#include <algorithm>
#include <cstring>

#include "core/check.hpp"
#include "core/hart.hpp"
#include "tests/guests/board.h"

namespace retrov::difftest {
namespace {

constexpr u64 kMostSteps = 1500;
/// Far more than the runner takes for anything.
constexpr u64 kRunnerSteps = 2'000'000;
/// Guest time at power-on: beyond what the runner waits for.
constexpr u64 kStartTicks = u64{1} << 24;
constexpr std::string_view kEndless = "endless", kStray = "writes where other programs read", kDevice = "device",
                           kLocksOut = "locks the runner out";

/// PMP entries that are locked bind the runner, too.
bool may_power_off(const Hart& hart) {
  return hart.pmp_allows(PhysAddr{FINISHER_BASE}, 4, AccessKind::kStore, Priv::kMachine);
}

bool in_runner(const Hart& hart) { return hart.priv == Priv::kMachine && hart.pc - DT_RAM < DT_RUNNER_BYTES; }

/// The runner itself has trapped, in M-mode: only PMP entries that are locked can do that to it.
bool runner_trapped(const std::vector<u64>& log) {
  const u64 traps = std::min<u64>(log[DT_L_TRAPS / 8], DT_TRAPS);
  for (u64 i = 0; i < traps; ++i) {
    const u64* trap = &log[DT_L_TRAP / 8 + i * DT_TRAP_WORDS];
    if (trap[2] - DT_RAM < DT_RUNNER_BYTES && (trap[4] & mstatus::kMpp) == mstatus::kMpp) return true;
  }
  return false;
}

/// Where QEMU's board has devices.
struct DeviceRange {
  PhysAddr base;
  u64 size_bytes;
};
constexpr DeviceRange kDeviceRanges[] = {{PhysAddr{kPageBytes}, DT_RAM - kPageBytes},
                                         {PhysAddr{0x400000000}, 0x400000000}};

/// Takes the place of all devices and says whether one was asked.
class Devices final : public StatefulAs<Devices, Device> {
 public:
  explicit Devices(bool& asked) : asked_(asked) {}
  [[nodiscard]] std::string_view name() const override { return "devices"; }
  std::optional<u64> read(u64, unsigned, Ticks) override {
    asked_ = true;
    return std::nullopt;
  }
  bool write(u64 offset, unsigned, u64, Ticks) override {
    if (offset == CLINT_MTIMECMP - kPageBytes) return true;  // The runner's, once.
    asked_ = true;
    return false;
  }
  [[nodiscard]] std::optional<u64> peek(u64, unsigned, Ticks) const override { return std::nullopt; }
  void describe(FdtNode&) const override {}
  void reset() override {}
  template <class A>
  void serialize(A&) {}

 private:
  bool& asked_;
};

}  // namespace

std::unique_ptr<Machine> bare_machine(const RunnerImage& runner, EngineKind kind, bool& asked) {
  MachineConfig config;
  config.ram_base = PhysAddr{DT_RAM};
  config.ram_bytes = DT_RAM_BYTES;
  config.reset_pc = PhysAddr{DT_RAM};
  config.initial_memory = {{PhysAddr{DT_RAM}, runner.bytes}};
  auto machine = std::make_unique<Machine>(std::move(config), kind);
  for (const auto [base, size_bytes] : kDeviceRanges) {
    machine->attach(base, size_bytes, std::make_unique<Devices>(asked));
  }
  machine->power_on();
  machine->time_base().mtime_offset = kStartTicks;
  return machine;
}

OnRetrov::OnRetrov(const RunnerImage& runner)
    : runner_(runner), machine_(bare_machine(runner, EngineKind::kFast, asked_)), fresh_(machine_->snapshot()) {}

OnRetrov::~OnRetrov() = default;

void OnRetrov::place(Machine& machine, const Program& program, const Place& place) {
  const auto put = [&machine](u64 at, const std::vector<u64>& words) {
    std::vector<u8> bytes(words.size() * 8);
    std::memcpy(bytes.data(), words.data(), bytes.size());
    machine.memory().write(PhysAddr{at}, bytes, Writer::kLoader);
  };
  put(place.record_at, record_of(program));
  put(DT_FRAME + DT_F_INDEX, {place.index, place.index + 1});
  put(DT_RECORDS + 8 * place.index, {place.record_at});
}

/// False if it is not reached, because the runner has been broken.
bool OnRetrov::run_to(u64 pc) {
  StopSet stops;
  stops.breakpoints = {VirtAddr{pc}};
  const Position limit{machine_->position().steps + kRunnerSteps};
  return machine_->run_until(limit, &stops) == Pause::kStop;
}

Outcome OnRetrov::run(const Program& program, const Place& where, Coverage& coverage) {
  Outcome outcome;
  machine_->restore(*fresh_);
  asked_ = false;
  place(*machine_, program, where);
  if (!run_to(runner_.launch)) {
    outcome.refused = "does not begin";
    return outcome;
  }
  (void)machine_->snapshot();
  machine_->begin_stretch();
  Coverage counted;
  outcome.refused = step_through(program, counted, outcome);
  if (outcome.refused.empty() && asked_) outcome.refused = kDevice;
  if (outcome.refused.empty() && !touched_only_its_own(where)) outcome.refused = kStray;
  if (outcome.refused.empty() && !runner_is_intact(where)) outcome.refused = kStray;
  if (outcome.refused.empty() && !may_power_off(machine_->hart(0))) outcome.refused = kLocksOut;
  outcome.log.resize(DT_LOG_BYTES / 8);
  const Memory& memory = machine_->memory();
  const u64 log_at = DT_LOGS + where.index * DT_LOG_BYTES;
  std::memcpy(outcome.log.data(), memory.host(memory.offset_of(PhysAddr{log_at})), DT_LOG_BYTES);
  if (outcome.refused.empty() && runner_trapped(outcome.log)) outcome.refused = kLocksOut;
  if (!outcome.refused.empty()) return outcome;
  coverage.add(counted);
  for (const u8 config : machine_->hart(0).csr.pmpcfg) outcome.locked |= (config & 0x80) != 0;
  return outcome;
}

/// Returns why it is refused, or nothing.
std::string_view OnRetrov::step_through(const Program& program, Coverage& coverage, Outcome& outcome) {
  const Hart& hart = machine_->hart(0);
  Referee referee(*machine_, program);
  StopSet runner_stops;
  runner_stops.breakpoints = {VirtAddr{runner_.resume}, VirtAddr{runner_.done}};
  // The MRET that leads into the program.
  (void)machine_->run_until(Position{machine_->position().steps + 1}, nullptr);
  while (outcome.steps < kMostSteps) {
    if (in_runner(hart)) {
      const Position limit{machine_->position().steps + kRunnerSteps};
      if (machine_->run_until(limit, &runner_stops) != Pause::kStop) return kEndless;
      if (hart.pc == runner_.done) return {};
      if (const auto broken = referee.runner_returns()) return rules()[*broken].name;
      (void)machine_->run_until(Position{machine_->position().steps + 1}, nullptr);
      continue;
    }
    StepSeen step;
    if (const auto broken = referee.before(step)) return rules()[*broken].name;
    const u64 retired = hart.retired_now();
    (void)machine_->run_until(Position{machine_->position().steps + 1}, nullptr);
    ++outcome.steps;
    step.trapped = hart.retired_now() == retired;
    if (step.trapped) {
      step.cause = in_runner(hart) ? hart.csr.mcause : hart.csr.scause;
      step.trap_value = in_runner(hart) ? hart.csr.mtval : hart.csr.stval;
    }
    if (step.row != nullptr) coverage.note(*step.row, step.raw, step.trapped);
    if (const auto broken = referee.after(step)) return rules()[*broken].name;
  }
  return kEndless;
}

bool OnRetrov::runner_is_intact(const Place& where) const {
  const Memory& memory = machine_->memory();
  const std::array<u64, 4> wanted{where.index, where.index + 1, DT_LOGS + where.index * DT_LOG_BYTES, where.record_at};
  return std::memcmp(memory.host(memory.offset_of(PhysAddr{DT_FRAME})), wanted.data(), sizeof wanted) == 0;
}

bool OnRetrov::touched_only_its_own(const Place& where) {
  const auto page_of = [](u64 address) { return (address - DT_RAM) / kPageBytes; };
  const u64 log_at = DT_LOGS + where.index * DT_LOG_BYTES;
  for (const u32 page : machine_->snapshot().touched.pages) {
    const bool arena = page - page_of(DT_ARENA) < DT_ARENA_PAGES;
    const bool log = page >= page_of(log_at) && page <= page_of(log_at + DT_LOG_BYTES - 1);
    if (!arena && !log && page != page_of(DT_FRAME)) return false;
  }
  return true;
}

}  // namespace retrov::difftest
