// Mutates traces so that they get past the door: frames are taken apart, changed inside their payloads, and put
// together again with sizes, compression and checks that agree. Sometimes they are left to disagree.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "core/types.hpp"

namespace retrov::fuzz {

/// LLVMFuzzerMutate: changes `data`, of which `size` bytes are meant and `max_size` may be used; gives the new size.
using MutateBytes = std::size_t (*)(u8* data, std::size_t size, std::size_t max_size);

/// `buffer` holds `size` bytes of a trace, or of anything, and receives what is made of it. Gives the new size.
std::size_t mutate_trace(std::span<u8> buffer, std::size_t size, unsigned seed, MutateBytes mutate_bytes);

/// The trace with the preamble that this build writes, so that a corpus outlives versions.
[[nodiscard]] std::vector<u8> with_own_preamble(std::span<const u8> trace);

}  // namespace retrov::fuzz
