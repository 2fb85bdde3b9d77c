// A machine of one hart with page tables and room for code, on which a rule of the privileged manual takes a few lines:
// set what the rule speaks of, as a debugger would, make a step, and look at the trap it took. On either engine; the
// machine is meant to be used again and again, so that what the threaded engine keeps about earlier steps would show.
#pragma once

#include <cstring>
#include <initializer_list>
#include <memory>
#include <optional>
#include <ostream>
#include <vector>

#include "core/hart.hpp"
#include "core/machine.hpp"

namespace retrov::test {

inline constexpr EngineKind kEngines[] = {EngineKind::kFast, EngineKind::kReference};

namespace csr {
inline constexpr u16 kStvec = 0x105, kSepc = 0x141, kScause = 0x142, kStval = 0x143, kSip = 0x144, kSatp = 0x180;
inline constexpr u16 kMstatus = 0x300, kMedeleg = 0x302, kMideleg = 0x303, kMie = 0x304, kMtvec = 0x305;
inline constexpr u16 kMenvcfg = 0x30a, kMepc = 0x341, kMcause = 0x342, kMtval = 0x343, kMip = 0x344;
inline constexpr u16 kPmpcfg0 = 0x3a0, kPmpaddr0 = 0x3b0;
}  // namespace csr

namespace pte {
inline constexpr u64 kV = 1, kR = 2, kW = 4, kX = 8, kU = 16, kG = 32, kA = 64, kD = 128;
inline constexpr u64 kAll = kV | kR | kW | kX | kA | kD;
constexpr u64 entry(u64 physical, u64 bits) { return physical >> 12 << 10 | bits; }
}  // namespace pte

/// A trap that was taken, by what its handler sees; no cause: none was.
struct Taken {
  std::optional<u64> cause;
  u64 value = 0;
  u64 epc = 0;
  Priv by = Priv::kMachine;
  bool operator==(const Taken&) const = default;
};

inline std::ostream& operator<<(std::ostream& out, const Taken& taken) {
  if (!taken.cause) return out << "no trap";
  return out << std::hex << "cause " << *taken.cause << " value " << taken.value << " epc " << taken.epc << " taken by "
             << static_cast<unsigned>(taken.by) << std::dec;
}

class RuleBench {
 public:
  static constexpr u64 kRam = 0x80000000, kRamBytes = 1u << 20;
  static constexpr u64 kHandlerM = kRam + 0x1000, kHandlerS = kRam + 0x2000;
  static constexpr u64 kCode = kRam + 0x4000, kData = kRam + 0x8000;
  /// Sv39: the gigapage of RAM through two more tables to pages of 4 KiB. Each page is itself, for S-mode, with all
  /// rights.
  static constexpr u64 kRoot = kRam + 0x10000, kMiddle = kRam + 0x11000, kLeaf = kRam + 0x12000;

  explicit RuleBench(EngineKind engine, ExtensionSet extensions = default_extensions()) {
    MachineConfig config;
    config.ram_bytes = kRamBytes;
    config.extensions = extensions;
    config.reset_pc = PhysAddr{kRam};
    machine_ = std::make_unique<Machine>(std::move(config), engine);
    machine_->power_on();
    for (const u64 handler : {kHandlerM, kHandlerS}) put(handler, kLoop, 4);
    put(kRoot + 8 * 2, pte::entry(kMiddle, pte::kV));
    put(kMiddle, pte::entry(kLeaf, pte::kV));
    for (u64 page = kRam; page < kRam + kRamBytes; page += kPageBytes) set_leaf(page, pte::kAll);
    set(csr::kMtvec, kHandlerM);
    set(csr::kStvec, kHandlerS);
    set(csr::kPmpaddr0 + 15, ~u64{0});
    set(csr::kPmpcfg0 + 2, u64{0x1f} << 56);
  }

  // --- what is before the step ---
  void set_register(RegisterId id, u64 value) {
    DebuggerWrite write;
    write.space = DebuggerWrite::Space::kRegister;
    write.where = static_cast<u64>(id);
    for (unsigned i = 0; i < 8; ++i) write.bytes.push_back(static_cast<u8>(value >> (8 * i)));
    machine_->apply({{Input{kMachineItself, write}}, {}});
  }
  void set(u16 csr_number, u64 value) { set_register(csr_register(csr_number), value); }
  void set_x(unsigned number, u64 value) { set_register(integer_register(number), value); }
  void enter(Priv privilege, u64 pc = kCode) {
    set_register(kRegisterPriv, static_cast<u64>(privilege));
    set_register(kRegisterPc, pc);
  }
  void put(u64 physical, u64 value, unsigned bytes = 8) {
    DebuggerWrite write;
    write.where = physical;
    for (unsigned i = 0; i < bytes; ++i) write.bytes.push_back(static_cast<u8>(value >> (8 * i)));
    machine_->apply({{Input{kMachineItself, write}}, {}});
  }
  void code(std::initializer_list<u32> words, u64 at = kCode) {
    for (const u32 word : words) {
      const unsigned bytes = (word & 3) == 3 ? 4 : 2;
      put(at, word, bytes);
      at += bytes;
    }
  }
  void set_leaf(u64 page, u64 bits) { put(leaf_at(page), pte::entry(page, bits)); }
  void sv39() { set(csr::kSatp, u64{8} << 60 | kRoot >> 12); }
  static constexpr u64 leaf_at(u64 page) { return kLeaf + (page - kRam) / kPageBytes * 8; }

  // --- steps ---
  void run(u64 steps) { machine_->run_until(Position{machine_->position().steps + steps}, nullptr); }
  /// Makes one step from `pc` and says which trap it took. The hart is then where that has led it.
  Taken step(Priv privilege, u64 pc = kCode) {
    enter(privilege, pc);
    run(1);
    return taken();
  }
  /// The trap whose handler the hart is about to enter.
  [[nodiscard]] Taken taken() const {
    if (pc() == kHandlerM) return {get(csr::kMcause), get(csr::kMtval), get(csr::kMepc), Priv::kMachine};
    if (pc() == kHandlerS) return {get(csr::kScause), get(csr::kStval), get(csr::kSepc), Priv::kSupervisor};
    return {};
  }

  // --- what is after it ---
  [[nodiscard]] u64 get(u16 csr_number) const { return machine_->read_register(0, csr_register(csr_number)).value(); }
  [[nodiscard]] u64 x(unsigned number) const { return machine_->hart(0).x[number]; }
  [[nodiscard]] u64 pc() const { return machine_->hart(0).pc; }
  [[nodiscard]] Priv privilege() const { return machine_->hart(0).priv; }
  [[nodiscard]] u64 memory(u64 physical) const {
    u64 value = 0;
    std::memcpy(&value, machine_->memory().host(physical - kRam), sizeof value);
    return value;
  }
  [[nodiscard]] Machine& machine() { return *machine_; }

 private:
  static constexpr u32 kLoop = 0x0000006f;  // j .

  std::unique_ptr<Machine> machine_;
};

}  // namespace retrov::test
