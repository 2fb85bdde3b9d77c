// Guest memory as a debugger reads it: through a hart's current translation or by physical address, without any effect
// the guest could see.
#pragma once

#include <span>

#include <vector>

#include "core/machine.hpp"

namespace retrov {

enum class AddressSpace : u8 { kVirtual, kPhysical };

/// How many bytes from the start were readable.
std::size_t read_guest_memory(const Machine& machine, unsigned hart, AddressSpace space, u64 address,
                              std::span<u8> out);

/// A piece of guest memory that lies in one page.
struct PhysicalPiece {
  PhysAddr at;
  std::size_t size_bytes = 0;
};

/// Where the bytes are, page by page; shorter than asked for if a page is not mapped.
std::vector<PhysicalPiece> physical_pieces(const Machine& machine, unsigned hart, AddressSpace space, u64 address,
                                           std::size_t size_bytes);

}  // namespace retrov
