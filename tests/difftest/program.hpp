// A random program: where the hart starts and what is in memory then. It is made of a seed and nothing else, runs on
// any machine that has the runner (tests/guests/difftest.S), and is laid out in memory here.
//
// Code is a list of slots, so that the shrinker can take instructions out without moving the others.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "core/hart.hpp"
#include "core/types.hpp"
#include "tests/guests/difftest.h"

namespace retrov::difftest {

inline constexpr u64 kCodePages = 3;
inline constexpr u64 kArenaBytes = u64{DT_ARENA_PAGES} * kPageBytes;

struct Slot {
  u32 at = 0;  ///< Offset in the arena.
  u32 raw = 0;
};

/// Words of the arena from `at` (an offset) on.
struct Run {
  u64 at = 0;
  std::vector<u64> words;
};

struct Program {
  u64 seed = 0;
  bool locks = false;  ///< PMP entries, so nothing can run behind it.
  u64 limit = DT_TRAPS;
  u64 window = DT_ARENA;
  u64 entry = 0;  ///< Virtual, as `end`.
  u64 end = 0;
  std::array<u64, DT_TRAPS> modes{}, resume{};
  std::array<u64, 32> x{}, f{};
  std::vector<u64> csrs;    ///< What each of loaded_csrs() is loaded with.
  std::vector<Slot> code;   ///< Ascending by place.
  std::vector<Run> tables;  ///< Page tables and the supervisor's handler.
};

/// Numbers of the CSRs that programs start with, in the order in which they are loaded; and of those that are compared.
[[nodiscard]] const std::vector<u16>& loaded_csrs();
[[nodiscard]] const std::vector<u16>& compared_csrs();

/// From the seed; the address of the runner's vectors is what mtvec points to.
[[nodiscard]] Program generate(u64 seed, u64 vectors);

/// The record, as the runner reads it.
[[nodiscard]] std::vector<u64> record_of(const Program& program);

}  // namespace retrov::difftest
