// A bench on which one device, or all of a board, can be tested without a machine: RAM, a clock, and an outside world
// that writes down what it is told.
#pragma once

#include <array>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "core/device.hpp"
#include "core/memory.hpp"
#include "core/time_base.hpp"
#include "devices/board_devices.hpp"

namespace retrov::test {

class RecordingOutput final : public OutputSink {
 public:
  void console(Position at, std::span<const u8> bytes) override {
    last_at = at;
    text.append(bytes.begin(), bytes.end());
  }
  void notice(Position at, const std::string& sentence) override {
    last_at = at;
    notices.push_back(sentence);
  }
  Position last_at;
  std::string text;
  std::vector<std::string> notices;
};

class RecordingPower final : public PowerControl {
 public:
  void power_off(int status, const std::string& why) override { offs.emplace_back(status, why); }
  void reset() override { ++resets; }
  std::vector<std::pair<int, std::string>> offs;
  int resets = 0;
};

/// A base whose byte n of block b is a mix of both, so that a wrong block or offset shows.
class PatternDisk final : public DiskBase {
 public:
  static u8 byte_at(u64 offset) { return static_cast<u8>(offset * 31 + offset / kBlockBytes * 7 + 1); }
  bool read_block(u64 index, std::span<u8, kBlockBytes> out) override {
    reads.push_back(index);
    if (missing.contains(index)) return false;
    for (u64 i = 0; i < kBlockBytes; ++i) out[i] = byte_at(index * kBlockBytes + i);
    return true;
  }
  std::vector<u64> reads;
  std::set<u64> missing;  ///< Blocks that nobody has.
};

inline ConsoleBytes typed(const std::string& text) { return ConsoleBytes{{text.begin(), text.end()}}; }

/// What the guest may be told to try: a small generator, the same on every host.
class Random {
 public:
  explicit Random(u64 seed) : state_(seed) {}
  u64 next() {
    state_ += 0x9e3779b97f4a7c15;
    u64 z = state_;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
  }
  u64 below(u64 limit) { return next() % limit; }

 private:
  u64 state_;
};

inline std::string dump(const Stateful& component) {
  std::ostringstream text;
  {
    StatePrinter printer(text);
    component.print_state(printer);
  }
  return text.str();
}

struct SavedDevice {
  std::vector<u8> state;
  PageTree pages;
};

inline SavedDevice save(Device& device) {
  SavedDevice saved;
  StateWriter writer(saved.state);
  device.write_state(writer);
  if (device.pages() != nullptr) saved.pages = *device.pages();
  return saved;
}

inline void restore(Device& device, const SavedDevice& saved) {
  StateReader reader(saved.state);
  device.read_state(reader);
  if (device.pages() != nullptr) *device.pages() = saved.pages;
}

/// Everything that State(P) has of this device.
inline u64 whole_hash(Device& device) {
  const u64 pages = device.pages() != nullptr ? device.pages()->hash() : 0;
  return hash_state(device) + 3 * pages;
}

struct Bench {
  static constexpr u64 kRamBytes = 1u << 20;
  Memory memory{kRamBase, kRamBytes};
  TimeBase time;
  RecordingPower power;
  RecordingOutput output;
  PatternDisk disk;
  Position position{1234};

  [[nodiscard]] std::function<Position()> asks_position() {
    return [this] { return position; };
  }
  /// Every device of a board on which everything is present.
  [[nodiscard]] std::vector<PlacedDevice> full_board(bool legacy) {
    BoardConfig config;
    config.machine.harts = 3;
    config.machine.ram_bytes = kRamBytes;
    config.virtio_legacy = legacy;
    config.rom = {0x97, 0x02, 0x00, 0x00};
    config.tohost = PhysAddr{kRamBase.value + 0x8000};
    config.disks.push_back({0, 64 * kBlockBytes, false, true, "zero"});
    config.disks.push_back({7, 3 * 512, true, true, "seven"});
    config.flash.push_back({0, false, "code", {flash_at(0), {0x13, 0, 0, 0}}});
    config.flash.push_back({1, true, "vars", {flash_at(1), std::vector<u8>(5000, 0xff)}});
    const std::array<DiskBase*, 2> bases = {&disk, &disk};
    return make_devices(config, {memory, time, power, output, asks_position(), bases});
  }

  // Little-endian values in RAM, as a driver writes them.
  void poke(u64 address, u64 value, unsigned size_bytes) {
    std::array<u8, 8> bytes{};
    for (unsigned i = 0; i < size_bytes; ++i) bytes[i] = static_cast<u8>(value >> (8 * i));
    memory.write(PhysAddr{address}, std::span(bytes).first(size_bytes), Writer::kHart);
  }
  [[nodiscard]] u64 peek(u64 address, unsigned size_bytes) const {
    std::array<u8, 8> bytes{};
    memory.read(PhysAddr{address}, std::span(bytes).first(size_bytes));
    u64 value = 0;
    for (unsigned i = 0; i < size_bytes; ++i) value |= u64{bytes[i]} << (8 * i);
    return value;
  }
};

}  // namespace retrov::test
