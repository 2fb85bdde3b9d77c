// One hart on a megabyte of RAM, without a machine around it: what tests of CSRs, traps and translation need. Its one
// device drives whatever bits of mip the test sets.
#pragma once

#include <array>
#include <cstring>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "core/bus.hpp"
#include "core/csr.hpp"
#include "core/device.hpp"
#include "core/engine/code_cache.hpp"
#include "core/hart.hpp"
#include "core/memory.hpp"
#include "core/time_base.hpp"
#include "core/walk_cache.hpp"

namespace retrov {

class MipDevice final : public StatefulAs<MipDevice, Device> {
 public:
  u64 level = 0;
  Ticks next_change = kNever;

  [[nodiscard]] std::string_view name() const override { return "mip"; }
  std::optional<u64> read(u64, unsigned, Ticks) override { return std::nullopt; }
  bool write(u64, unsigned, u64, Ticks) override { return false; }
  [[nodiscard]] std::optional<u64> peek(u64, unsigned, Ticks) const override { return std::nullopt; }
  void describe(FdtNode&) const override {}
  void reset() override { level = 0; }
  [[nodiscard]] u64 mip_bits(unsigned, Ticks) const override { return level; }
  [[nodiscard]] Ticks next_mip_change(unsigned, Ticks) const override { return next_change; }
  template <class A>
  void serialize(A& a) {
    a(field("level", level), field("next_change", next_change.value));
  }
};

inline constexpr u64 kTestRam = 0x80000000;
inline constexpr u64 kTestRamBytes = 1u << 20;

struct BareHart {
  Memory memory{PhysAddr{kTestRam}, kTestRamBytes};
  Bus bus;
  TimeBase time;
  WalkCache walks{memory};
  CodeCache code{memory};
  std::vector<std::unique_ptr<Device>> devices;
  MipDevice* lines = nullptr;
  Platform platform{memory, bus, time, walks, code, devices};
  Hart hart{0, platform};

  BareHart() {
    auto device = std::make_unique<MipDevice>();
    lines = device.get();
    devices.push_back(std::move(device));
    hart.reset(kTestRam);
  }

  void set_privilege(Priv privilege) {
    hart.priv = privilege;
    hart.select_context();
  }

  /// By number, as an instruction at the hart's privilege; absent if that is illegal.
  std::optional<u64> read(u16 number) {
    u64 value = 0;
    if (const Trap trap = hart.csr_read(number, value)) return std::nullopt;
    return value;
  }
  bool write(u16 number, u64 value) {
    hart.leave = false;
    const Trap trap = hart.csr_write(number, value);
    return !trap;
  }
  /// Writes and reads back.
  std::optional<u64> keep(u16 number, u64 value) {
    if (!write(number, value)) return std::nullopt;
    return read(number);
  }

  /// Lets one entry of the protection cover everything, as firmware does.
  void protect(unsigned index, u8 config, u64 pmpaddr) {
    hart.csr.pmpcfg[index] = config;
    hart.csr.pmpaddr[index] = pmpaddr;
    hart.flush_translations();
  }
  void open_pmp() { protect(15, 0x1f, (u64{1} << 54) - 1); }

  void put(u64 address, u64 value) {
    std::array<u8, 8> bytes;
    std::memcpy(bytes.data(), &value, sizeof value);
    memory.write(PhysAddr{address}, bytes, Writer::kLoader);
  }
  [[nodiscard]] u64 get(u64 address) const {
    u64 value = 0;
    std::memcpy(&value, memory.host(memory.offset_of(PhysAddr{address})), sizeof value);
    return value;
  }
};

}  // namespace retrov
