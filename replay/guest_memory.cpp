#include "replay/guest_memory.hpp"

#include <algorithm>

namespace retrov {

std::vector<PhysicalPiece> physical_pieces(const Machine& machine, unsigned hart, AddressSpace space, u64 address,
                                           std::size_t size_bytes) {
  std::vector<PhysicalPiece> pieces;
  while (size_bytes != 0) {
    const std::size_t in_page = std::min<std::size_t>(size_bytes, kPageBytes - address % kPageBytes);
    PhysAddr at{address};
    if (space == AddressSpace::kVirtual) {
      const auto translated = machine.translate_for_debugger(hart, VirtAddr{address});
      if (!translated) break;
      at = *translated;
    }
    pieces.push_back({at, in_page});
    address += in_page;
    size_bytes -= in_page;
  }
  return pieces;
}

std::size_t read_guest_memory(const Machine& machine, unsigned hart, AddressSpace space, u64 address,
                              std::span<u8> out) {
  std::size_t done = 0;
  for (const PhysicalPiece& piece : physical_pieces(machine, hart, space, address, out.size())) {
    if (machine.read_physical(piece.at, out.subspan(done, piece.size_bytes))) {
      done += piece.size_bytes;
      continue;
    }
    for (std::size_t i = 0; i < piece.size_bytes; ++i, ++done) {
      if (!machine.read_physical(PhysAddr{piece.at.value + i}, out.subspan(done, 1))) return done;
    }
  }
  return done;
}

}  // namespace retrov
