#include "devices/htif.hpp"

#include <cstdio>

#include "devices/test_finisher.hpp"

namespace retrov {

namespace {

constexpr u64 kSystem = 0x0000;   // Device and command, bits 63:48.
constexpr u64 kConsole = 0x0101;  // Console, put a character.
constexpr u64 kTohostBytes = 8;

}  // namespace

Htif::Htif(PhysAddr tohost, Memory& memory, PowerControl& power, OutputSink& output, std::function<Position()> position)
    : tohost_(tohost), memory_(memory), power_(power), output_(output), position_(std::move(position)) {
  memory_.observe(tohost_, kTohostBytes, this);
}

void Htif::acknowledge() {
  const std::array<u8, kTohostBytes> zero{};
  memory_.write(tohost_, zero, Writer::kDevice);
}

void Htif::ram_written(PhysAddr, u64) {
  std::array<u8, kTohostBytes> bytes;
  memory_.read(tohost_, bytes);
  u64 value = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) value |= u64{bytes[i]} << (8 * i);
  if (value == 0) return;  // The guest waits for, or makes, an empty mailbox.
  const u64 command = value >> 48;
  if (command == kSystem && (value & 1) != 0) {
    const u64 code = value >> 1;
    acknowledge();
    power_.power_off(status_of_guest_code(code), "HTIF: exit with code " + std::to_string(code));
  } else if (command == kConsole) {
    acknowledge();
    output_.console(position_(), {bytes.data(), 1});
  } else if (!warned_) {
    warned_ = true;
    char sentence[80];
    std::snprintf(sentence, sizeof sentence, "unknown HTIF command 0x%llx is ignored",
                  static_cast<unsigned long long>(value));
    output_.notice(position_(), sentence);
  }
}

}  // namespace retrov
