// A machine made of tables, for tests of front ends: registers in a map, a piece of memory, and stops that the test
// says beforehand. What a front end asks of it is written down in `calls`, so a test can tell what was asked and what
// was not.
#pragma once

#include <algorithm>
#include <array>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <span>
#include <sstream>
#include <string>
#include <vector>

#include "core/check.hpp"
#include "gdbstub/machine_view.hpp"
#include "replay/debugger.hpp"

namespace retrov {

inline constexpr u64 kFakeBase = 0x80000000;  ///< Virtual; the same bytes are at kFakePhysical.
inline constexpr u64 kFakePhysical = 0x10000;
inline constexpr u64 kFakeBytes = 0x18000;
inline constexpr u64 kFakeTopBytes = 0x100;  ///< Readable zeros at the end of the address space.
inline constexpr u16 kFakeReadOnly = kFirstCsr + 0xf14;
inline constexpr u16 kFakeUnavailable = kFirstCsr + 0x14d;

class FakeDebugger final : public Debugger {
 public:
  Position at{100};
  Position first{0};
  Position last{1000};
  Scratch is_scratch = Scratch::kOff;
  std::optional<ForkPoint> fork_point;
  bool is_past = false;                 ///< Writes throw.
  bool runs_until_interrupted = false;  ///< resume() waits for interrupt().
  bool interrupts_moves = false;        ///< seek() ends one step before its target, switch_to() on the way.
  std::function<void()> on_move;        ///< Called in the middle of each move.
  std::vector<Stop> next_stops;         ///< Taken from the front; afterwards a plain step.
  StopRequest stops;
  StopSettings settings;
  std::optional<unsigned> only_hart;
  std::vector<std::string> calls;
  std::vector<u8> memory = std::vector<u8>(kFakeBytes);
  std::array<std::map<u16, u64>, 8> registers;

  Position position() const override { return at; }
  Position begin() const override { return first; }
  Position end() const override { return last; }
  bool live() const override { return !is_past; }
  u64 event_number() const override { return 0; }
  int exit_status() const override { return 3; }
  const Machine& machine() const override { throw Error(Exit::kInternal, "the fake has no machine"); }
  u64 hash() override { return at.steps; }
  std::vector<ComponentHash> component_hashes() override { return {}; }
  u64 event_count() const override { return 0; }
  const Event& event(u64) const override { throw Error(Exit::kUsage, "there is no such event"); }

  std::size_t read_memory(unsigned, AddressSpace space, u64 address, std::span<u8> out) const override {
    if (out.empty()) return 0;
    if (~address < kFakeTopBytes) {
      RV_CHECK(out.size() - 1 <= ~address);
      std::fill(out.begin(), out.end(), u8{0});
      return out.size();
    }
    const u64 offset = address - base(space);
    if (offset >= kFakeBytes) return 0;
    const std::size_t count = std::min<u64>(out.size(), kFakeBytes - offset);
    std::copy_n(memory.begin() + static_cast<std::ptrdiff_t>(offset), count, out.begin());
    return count;
  }
  void write_memory(unsigned, AddressSpace space, u64 address, std::span<const u8> bytes) override {
    refuse_in_the_past();
    const u64 offset = address - base(space);
    if (offset >= kFakeBytes || bytes.size() > kFakeBytes - offset) {
      throw Error(Exit::kFailure, "not all of it is memory");
    }
    std::copy(bytes.begin(), bytes.end(), memory.begin() + static_cast<std::ptrdiff_t>(offset));
  }
  void write_register(unsigned hart, RegisterId id, u64 value) override {
    refuse_in_the_past();
    call("write_register", hart, static_cast<u64>(id), value);
    registers[hart][static_cast<u16>(id)] = value;
  }

  void reset_machine() override { calls.push_back("reset_machine"); }

  void set_stops(const StopRequest& request) override {
    call("set_stops", request.breakpoints.size(), request.watches.size());
    stops = request;
  }
  Stop step(unsigned hart, Direction direction) override {
    call(direction == Direction::kForward ? "step" : "step_back", hart);
    return take_stop(hart);
  }
  Stop step_range(unsigned hart, VirtAddr start, VirtAddr end_of_range) override {
    call("step_range", hart, start.value, end_of_range.value);
    return take_stop(hart);
  }
  Stop resume(Direction direction) override {
    call(direction == Direction::kForward ? "resume" : "resume_back");
    if (runs_until_interrupted) {
      std::unique_lock lock(mutex_);
      interrupted_ = false;
      changed_.wait(lock, [this] { return interrupted_; });
      Stop stop;
      stop.reason = StopReason::kInterrupted;
      return stop;
    }
    return take_stop(0);
  }
  void seek(Position target) override {
    call("seek", target.steps);
    if (on_move) on_move();
    if (target > last) throw Error(Exit::kFailure, "there is no such position");
    at = interrupts_moves ? Position{target.steps - 1} : target;
  }
  Position scan(const StopRequest& request, Position from, Position to) override {
    call("scan", request.breakpoints.size(), from.steps, to.steps);
    return to;
  }
  Position accesses(const AccessOrder& order, const AccessVisit&) override { return order.to; }
  void look_at(Position, const std::function<void(const Machine&, const Snapshot&)>&) override {
    throw Error(Exit::kInternal, "the fake has no machine");
  }
  std::optional<Position> execution(VirtAddr, u64) override { return std::nullopt; }
  void interrupt() noexcept override {
    const std::lock_guard lock(mutex_);
    interrupted_ = true;
    changed_.notify_all();
  }

  void set_step_irq(StepIrq) override {}
  StepIrq step_irq() const override { return StepIrq::kSkip; }
  void set_edge(Edge) override {}
  Edge edge() const override { return Edge::kStop; }
  void set_stop_settings(const StopSettings& value) override { settings = value; }
  const StopSettings& stop_settings() const override { return settings; }
  void set_only_hart(std::optional<unsigned> hart) override { only_hart = hart; }

  std::optional<ForkPoint> forked() const override { return fork_point; }
  void set_scratch(Scratch value) override { is_scratch = value; }
  Scratch scratch() const override { return is_scratch; }
  std::string fork(const std::string& name) override {
    calls.push_back("fork " + name);
    return name;
  }
  std::string power_cycle() override {
    calls.push_back("power_cycle");
    at = {};
    return "restart-1";
  }
  std::vector<BranchInfo> branches() const override {
    BranchInfo main;
    main.name = "main";
    main.current = true;
    return {main};
  }
  bool switch_to(const std::string& name) override {
    calls.push_back("switch_to " + name);
    if (on_move) on_move();
    return !interrupts_moves;
  }

 private:
  static u64 base(AddressSpace space) { return space == AddressSpace::kPhysical ? kFakePhysical : kFakeBase; }

  void refuse_in_the_past() const {
    if (is_past) throw Error(Exit::kFailure, "the past is read-only; `monitor fork` does");
  }
  Stop take_stop(unsigned hart) {
    if (on_move) on_move();
    if (next_stops.empty()) {
      Stop stop;
      stop.at = at;
      stop.hart = hart;
      return stop;
    }
    const Stop stop = next_stops.front();
    next_stops.erase(next_stops.begin());
    at = stop.at;
    return stop;
  }
  template <class... Numbers>
  void call(const char* name, Numbers... numbers) {
    std::ostringstream text;
    text << name << std::hex;
    ((text << ' ' << numbers), ...);
    calls.push_back(text.str());
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool interrupted_ = false;
};

/// Two harts; every register is there, one CSR cannot be read now and one not be written.
class FakeMachine final : public MachineView {
 public:
  explicit FakeMachine(const FakeDebugger& debugger) : debugger_(debugger) {
    for (u16 i = 0; i < 32; ++i) add(i, "x" + std::to_string(i), RegisterGroup::kGeneral);
    add(32, "pc", RegisterGroup::kGeneral);
    for (u16 i = 0; i < 32; ++i) add(u16(kFirstFloat + i), "f" + std::to_string(i), RegisterGroup::kFloat);
    add(65, "priv", RegisterGroup::kVirtual);
    for (const auto& [number, name] : std::map<u16, std::string>{{1, "fflags"},
                                                                 {2, "frm"},
                                                                 {3, "fcsr"},
                                                                 {0x100, "sstatus"},
                                                                 {0x14d, "stimecmp"},
                                                                 {0x300, "mstatus"},
                                                                 {0xf14, "mhartid"}}) {
      add(u16(kFirstCsr + number), name, RegisterGroup::kCsr);
    }
  }

  unsigned harts = 2;
  unsigned current = 0;
  std::array<bool, 8> waiting{};
  u64 satp = u64{8} << 60 | u64{3} << 44;

  unsigned hart_count() const override { return harts; }
  unsigned current_hart() const override { return current; }
  HartSummary summary(unsigned hart) const override {
    return {1, waiting[hart], satp, VirtAddr{read_register(hart, kRegisterPc).value_or(0)}};
  }
  const std::vector<RegisterInfo>& registers() const override { return list_; }
  std::optional<u64> read_register(unsigned hart, RegisterId id) const override {
    const bool exists = std::any_of(list_.begin(), list_.end(), [&](const auto& info) { return info.id == id; });
    if (!exists || id == RegisterId{kFakeUnavailable}) return std::nullopt;
    const auto& values = debugger_.registers[hart];
    const auto found = values.find(static_cast<u16>(id));
    return found == values.end() ? 0 : found->second;
  }
  std::optional<std::string> refuse_register_write(unsigned, RegisterId id) const override {
    if (id == integer_register(0)) return "x0 is always zero";
    if (id == RegisterId{kFakeReadOnly}) return "mhartid is read-only";
    const bool exists = std::any_of(list_.begin(), list_.end(), [&](const auto& info) { return info.id == id; });
    return exists ? std::nullopt : std::optional<std::string>("there is no such register");
  }

 private:
  void add(u16 number, const std::string& name, RegisterGroup group) {
    list_.push_back({RegisterId{number}, name, group});
  }

  const FakeDebugger& debugger_;
  std::vector<RegisterInfo> list_;
};

}  // namespace retrov
