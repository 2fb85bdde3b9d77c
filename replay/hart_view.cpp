#include "replay/hart_view.hpp"

#include "replay/guest_memory.hpp"

namespace retrov {

std::optional<u64> MachineHart::read_register(RegisterId id) const { return machine_.read_register(hart_, id); }

std::size_t MachineHart::read_memory(VirtAddr address, std::span<u8> out) const {
  // Nearly always a word in one page of RAM.
  const bool in_one_page = address.value % kPageBytes + out.size() <= kPageBytes;
  if (in_one_page) {
    const auto at = machine_.translate_for_debugger(hart_, address);
    if (at && machine_.read_physical(*at, out)) return out.size();
  }
  return read_guest_memory(machine_, hart_, AddressSpace::kVirtual, address.value, out);
}

}  // namespace retrov
