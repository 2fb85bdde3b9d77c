// How much the engine remembers between two runs of the same code.
#pragma once

#include <cstddef>

#include "core/engine/op.hpp"

namespace retrov {

/// None of it can be seen by a guest or in the state: tests make it small to prove that.
struct CacheSizes {
  unsigned block_instructions = kMaxBlockInstructions;  ///< Of a decoded block, at most; 1 to kMaxBlockInstructions.
  /// Decoded at a time, at least 1: lest a guest that runs through all of RAM takes several times as much.
  std::size_t code_pages = 16'384;
  unsigned translations = ~0u;  ///< At once in each set (they have room for less), at least 1.
};

}  // namespace retrov
