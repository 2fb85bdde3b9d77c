// The vocabulary of numbers. Guest addresses, guest time and positions are distinct types, so that mixing them does
// not compile; plain u64 is for values the guest itself computes with.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>

namespace retrov {

using u8 = std::uint8_t;
using u16 = std::uint16_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;
using i8 = std::int8_t;
using i16 = std::int16_t;
using i32 = std::int32_t;
using i64 = std::int64_t;
__extension__ using u128 = unsigned __int128;
__extension__ using i128 = __int128;

struct PhysAddr {
  u64 value = 0;
  auto operator<=>(const PhysAddr&) const = default;
};

struct VirtAddr {
  u64 value = 0;
  auto operator<=>(const VirtAddr&) const = default;
};

/// Guest time in ticks of the 10 MHz timebase. Never host time.
struct Ticks {
  u64 value = 0;
  auto operator<=>(const Ticks&) const = default;
};

/// The tick that never comes: a deadline of a device that waits for nothing.
inline constexpr Ticks kNever{~u64{0}};

inline constexpr u64 kTicksPerSecond = 10'000'000;

/// How many steps have been made since power-on, over all harts. A step is one instruction completed, one trap or
/// interrupt taken, one input batch applied, one idle step or one reset, so positions order every state the machine
/// is ever in. Inputs recorded at this number are NOT yet applied (docs/machine.md, "Steps").
struct Position {
  u64 steps = 0;
  auto operator<=>(const Position&) const = default;
};

inline constexpr Position kEndOfTime{~u64{0}};

inline constexpr u64 kPageBytes = 4096;
inline constexpr u64 kPageShift = 12;

}  // namespace retrov
