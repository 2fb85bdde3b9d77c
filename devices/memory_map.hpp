// Where everything is on the board: the addresses and interrupt numbers of QEMU's `virt` board, which is what guests
// are built for. The order of the device indices is part of every trace (Input::device); new devices go after the last
// one.
#pragma once

#include "core/types.hpp"

namespace retrov {

struct Region {
  PhysAddr base;
  u64 size_bytes = 0;
};

inline constexpr Region kRomRegion{PhysAddr{0x1000}, 0xf000};
inline constexpr Region kTestFinisherRegion{PhysAddr{0x100000}, 0x1000};
inline constexpr Region kRtcRegion{PhysAddr{0x101000}, 0x1000};
inline constexpr Region kClintRegion{PhysAddr{0x2000000}, 0x10000};
inline constexpr Region kPlicRegion{PhysAddr{0xc000000}, 0x600000};
inline constexpr Region kUartRegion{PhysAddr{0x10000000}, 0x100};
inline constexpr PhysAddr kVirtioBase{0x10001000};
inline constexpr u64 kVirtioSlotBytes = 0x1000;
inline constexpr unsigned kVirtioSlots = 8;
inline constexpr PhysAddr kFlashBase{0x20000000};
inline constexpr u64 kFlashUnitBytes = u64{32} << 20;
inline constexpr unsigned kFlashUnits = 2;
inline constexpr PhysAddr kRamBase{0x80000000};

inline constexpr unsigned kFirstVirtioIrq = 1;
inline constexpr unsigned kUartIrq = 10;
inline constexpr unsigned kRtcIrq = 11;

/// Index of each device on the board, in the order in which they are attached.
inline constexpr u8 kClintIndex = 0;
inline constexpr u8 kPlicIndex = 1;
inline constexpr u8 kUartIndex = 2;
inline constexpr u8 kRtcIndex = 3;
inline constexpr u8 kTestFinisherIndex = 4;
inline constexpr u8 kRomIndex = 5;
inline constexpr u8 kFirstVirtioIndex = 6;  ///< Slot n is index 6 + n.
inline constexpr u8 kFirstFlashIndex = kFirstVirtioIndex + kVirtioSlots;
inline constexpr u8 kHtifIndex = kFirstFlashIndex + kFlashUnits;  ///< Only on a board with HTIF, so always the last.

/// Where a unit of flash begins.
constexpr PhysAddr flash_at(unsigned unit) { return PhysAddr{kFlashBase.value + unit * kFlashUnitBytes}; }

inline constexpr unsigned kMaxHarts = 8;

}  // namespace retrov
