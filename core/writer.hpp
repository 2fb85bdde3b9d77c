// Who writes to RAM.
#pragma once

#include "core/types.hpp"

namespace retrov {

enum class Writer : u8 {
  kHart,    ///< An instruction.
  kWalker,  ///< A walk of the page tables, which sets A and D.
  kDevice,  ///< DMA.
  kDebugger,
  kLoader,   ///< Power-on and reset: initial memory, entropy.
  kRestore,  ///< A snapshot. Not of the guest's world.
};

/// Whose writes, beside those of instructions, somebody wants to hear of.
enum class OtherWriters : u8 { kNone, kDevices, kAll };

}  // namespace retrov
