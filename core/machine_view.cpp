// Looking at the machine as the debugger: nothing here changes anything the guest could see.
#include <algorithm>

#include "core/hart.hpp"
#include "core/hart_state.hpp"
#include "core/machine.hpp"

namespace retrov {

HartSummary Machine::hart_summary(unsigned index) const {
  const Hart& hart = *harts_[index];
  return {static_cast<unsigned>(hart.priv), hart.waiting, hart.csr.satp, VirtAddr{hart.pc}};
}

const SteppingFacts& Machine::stepping(unsigned index) const { return harts_[index]->stepping; }

std::optional<u64> Machine::read_register(unsigned index, RegisterId id) const {
  const Hart& hart = *harts_[index];
  const unsigned number = static_cast<unsigned>(id);
  if (number < 32) return hart.x[number];
  if (id == kRegisterPc) return hart.pc;
  if (number < kFirstFloat + 32u) {
    if (!hart.has(Extension::kF)) return std::nullopt;
    return hart.f[number - kFirstFloat] & ~float_box(hart);
  }
  if (id == kRegisterPriv) return static_cast<u64>(hart.priv);
  return hart.csr_peek(static_cast<u16>(number - kFirstCsr));
}

std::optional<std::string> Machine::refuse_register_write(unsigned index, RegisterId id) const {
  const unsigned number = static_cast<unsigned>(id);
  if (number == 0) return "x0 is always zero";
  if (!read_register(index, id)) return "no such register";
  if (number < kFirstCsr) return std::nullopt;
  const u16 csr = static_cast<u16>(number - kFirstCsr);
  if ((csr >> 10 & 3) == 3) return "the register is read-only";
  return std::nullopt;
}

std::optional<PhysAddr> Machine::translate_for_debugger(unsigned index, VirtAddr address) const {
  return harts_[index]->translate_for_debugger(address);
}

std::vector<WalkedEntry> Machine::walk_for_debugger(unsigned index, VirtAddr address) const {
  return harts_[index]->walk_for_debugger(address);
}

PageMappings Machine::page_mappings(unsigned index, std::size_t most) const {
  return harts_[index]->page_mappings(most);
}

std::vector<std::string> Machine::page_owners() const {
  std::vector<std::string> names = {"ram"};
  for (const auto& device : devices_) {
    if (device->pages() != nullptr) names.push_back(std::string(device->name()) + ".pages");
  }
  return names;
}

std::optional<VirtAddr> Machine::watched_byte(const StopHit& access, const WatchRange& range) const {
  Hart& hart = *harts_[access.hart];
  const auto byte = hart.first_watched_byte(range, access.access_at.value, access.size_bytes, access.access);
  return byte ? std::optional(VirtAddr{*byte}) : std::nullopt;
}

std::vector<AccessPiece> Machine::pieces_of(const StopHit& access) const {
  Hart& hart = *harts_[access.hart];
  const AccessKind kind = access.access == WatchKind::kRead ? AccessKind::kLoad : AccessKind::kStore;
  std::vector<AccessPiece> pieces;
  for (u64 done = 0; done < access.size_bytes;) {
    const VirtAddr at{access.access_at.value + done};
    const u64 bytes = std::min(access.size_bytes - done, kPageBytes - at.value % kPageBytes);
    const Hart::Translation to = hart.translate(at, static_cast<unsigned>(bytes), kind, Hart::Walk::kProbe);
    if (to.trap) return {};
    pieces.push_back({at, to.address, bytes});
    done += bytes;
  }
  return pieces;
}

bool Machine::has_device_in(PhysAddr address, u64 size_bytes) const {
  const auto& slots = bus_.slots();
  return std::any_of(slots.begin(), slots.end(), [=](const Bus::Slot& slot) {
    return slot.base.value < address.value + size_bytes && address.value < slot.base.value + slot.size_bytes;
  });
}

bool Machine::read_physical(PhysAddr address, std::span<u8> out) const {
  if (memory_.contains(address, out.size())) {
    memory_.read(address, out);
    return true;
  }
  // A condition may look in the middle of a run.
  const Ticks at_time = running_ != nullptr ? running_->now() : now();
  // Registers have a width: aligned words first, bytes where the device has nothing wider there.
  for (std::size_t done = 0; done < out.size();) {
    const PhysAddr at{address.value + done};
    const unsigned word = at.value % 4 == 0 && out.size() - done >= 4 ? 4 : 1;
    const Bus::Slot* slot = bus_.find(at, word);
    if (slot == nullptr) return false;
    const u64 offset = at.value - slot->base.value;
    auto value = slot->device->peek(offset, word, at_time);
    unsigned width = word;
    if (!value && word == 4) value = slot->device->peek(offset, width = 1, at_time);
    if (!value) return false;
    for (unsigned i = 0; i < width; ++i) out[done + i] = static_cast<u8>(*value >> (8 * i));
    done += width;
  }
  return true;
}

}  // namespace retrov
