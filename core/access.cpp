// The slow path of all data accesses: what the translation caches do not answer. Order matters here, and is the same
// for both engines: watches first (a step that is not made leaves no trace, A and D bits included), then translation
// of all pages, then the access, then what it touched.
#include <algorithm>
#include <cstring>

#include "core/bus.hpp"
#include "core/faults.hpp"
#include "core/hart.hpp"

namespace retrov {

namespace {

constexpr u64 kSatpRoot = (u64{1} << 44) - 1;

/// By distances, because either may end at the top of the address space.
bool overlaps(u64 a, u64 a_bytes, u64 b, u64 b_bytes) { return a - b < b_bytes || b - a < a_bytes; }

/// Lower-half addresses mean something only under the root that was current when the watch was set.
bool same_space(const WatchRange& watch, u64 satp) {
  if (static_cast<i64>(watch.address.value) < 0 || (watch.satp >> 60) == 0) return true;
  return (watch.satp & kSatpRoot) == (satp & kSatpRoot) && (satp >> 60) != 0;
}

}  // namespace

u64 Hart::peek_host(const u8* host, unsigned size_bytes) {
  u64 value = 0;
  std::memcpy(&value, host, size_bytes);
  return value;
}

Trap Hart::watched(u64 address, unsigned size_bytes, WatchKind kind) {
  StopSet* stops = platform_.stops;
  if (stops == nullptr || stops->watches.empty() || stops->ignore_at == position) return {};
  for (std::size_t i = 0; i < stops->watches.size(); ++i) {
    const WatchRange& watch = stops->watches[i];
    if ((u8(watch.kind) & u8(kind)) == 0) continue;
    const auto first = first_watched_byte(watch, address, size_bytes, kind);
    if (!first) continue;
    const bool is_write = (u8(kind) & u8(WatchKind::kWrite)) != 0;
    stops->hit = StopHit{StopHit::Kind::kWatch, index_, VirtAddr{*first}, size_bytes, is_write, i};
    stops->hit->access_at = VirtAddr{address};
    stops->hit->access = kind;
    return {Cause::kDebugStop, address};
  }
  return {};
}

std::optional<u64> Hart::first_watched_byte(const WatchRange& watch, u64 address, unsigned size_bytes, WatchKind kind) {
  const u64 end = address + size_bytes;
  const u64 satp = data_privilege() == Priv::kMachine ? 0 : csr.satp;
  if (!watch.physical && !same_space(watch, satp)) return std::nullopt;
  for (u64 at = address; at != end;) {
    const u64 bytes = std::min(end - at, kPageBytes - at % kPageBytes);
    u64 place = at;
    bool there = true;
    if (watch.physical) {
      const AccessKind access = kind == WatchKind::kRead ? AccessKind::kLoad : AccessKind::kStore;
      const Translation translation = translate(VirtAddr{at}, 1, access, Walk::kProbe);
      there = !translation.trap;
      place = translation.address.value;
    }
    if (there && overlaps(place, bytes, watch.address.value, watch.length_bytes)) {
      return at + (place - watch.address.value < watch.length_bytes ? 0 : watch.address.value - place);
    }
    at += bytes;
  }
  return std::nullopt;
}

/// The write is certain: nothing about it can trap any more.
Trap Hart::stop_at_csr_write(u16 number) {
  StopSet* stops = platform_.stops;
  if (stops == nullptr || stops->csr_writes.empty() || stops->passes_instruction(position)) return {};
  const auto& wanted = stops->csr_writes;
  if (std::find(wanted.begin(), wanted.end(), number) == wanted.end()) return {};
  stops->hit = StopHit{StopHit::Kind::kCsrWrite, index_, VirtAddr{number}, 0, true, 0};
  return {Cause::kDebugStop, 0};
}

std::optional<VirtAddr> Hart::watched_byte_in(const WatchRange& watch, PhysAddr physical, u64 size_bytes) const {
  if (!watch.physical && !same_space(watch, csr.satp)) return std::nullopt;
  for (u64 done = 0; done < watch.length_bytes;) {
    const u64 at = watch.address.value + done;
    const u64 bytes = std::min(watch.length_bytes - done, kPageBytes - at % kPageBytes);
    const auto place = watch.physical ? std::optional(PhysAddr{at}) : translate_for_debugger(VirtAddr{at});
    if (place && overlaps(place->value, bytes, physical.value, size_bytes)) {
      return VirtAddr{at + (place->value < physical.value ? physical.value - place->value : 0)};
    }
    done += bytes;
  }
  return std::nullopt;
}

bool Hart::may_cache(u64 address, PhysAddr physical) const {
  if (platform_.engine == EngineKind::kReference) return false;
  const u64 page = address & ~(kPageBytes - 1);
  const PhysAddr physical_page{physical.value & ~(kPageBytes - 1)};
  if (platform_.stops != nullptr) {
    for (const WatchRange& watch : platform_.stops->watches) {
      const u64 at = watch.physical ? physical_page.value : page;
      if (overlaps(at, kPageBytes, watch.address.value, watch.length_bytes)) return false;
    }
  }
  return pmp_uniform_in_page(physical_page);
}

void Hart::cache_read(u64 address, PhysAddr physical) {
  if (!may_cache(address, physical)) return;
  const u8* page = platform_.memory.host(platform_.memory.offset_of(physical) & ~(kPageBytes - 1));
  const u64 page_address = address & ~(kPageBytes - 1);
  context->read.fill(page_address, reinterpret_cast<u64>(page) - page_address);
}

void Hart::cache_write(u64 address, PhysAddr physical) {
  Memory& memory = platform_.memory;
  const u64 offset = memory.offset_of(physical);
  // Anything but plain dirty data keeps asking: code, page tables and observed words must learn of every write.
  if (memory.page_flags(offset >> kPageShift) != Memory::kDirty || !may_cache(address, physical)) return;
  const u64 page_address = address & ~(kPageBytes - 1);
  context->write.fill(page_address, reinterpret_cast<u64>(memory.host(offset & ~(kPageBytes - 1))) - page_address);
}

void Hart::note(WriteEffect effect) {
  if (effect != WriteEffect::kNone) leave = true;
}

Trap Hart::load(u64 address, unsigned size_bytes, u64& out) {
  if (const Trap stop = watched(address, size_bytes, WatchKind::kRead)) return stop;
  const u64 left_in_page = kPageBytes - address % kPageBytes;
  if (size_bytes > left_in_page) return load_across(address, size_bytes, static_cast<unsigned>(left_in_page), out);
  const Translation to = translate(VirtAddr{address}, size_bytes, AccessKind::kLoad, Walk::kCommit);
  if (to.trap) return to.trap;
  if (!platform_.memory.contains(to.address, size_bytes)) {
    return device_load(to.address, address, size_bytes, AccessKind::kLoad, out);
  }
  out = peek_host(platform_.memory.host(platform_.memory.offset_of(to.address)), size_bytes);
  cache_read(address, to.address);
  return {};
}

/// Both pages must be RAM: a device register cannot be torn.
Trap Hart::load_across(u64 address, unsigned size_bytes, unsigned first_bytes, u64& out) {
  const unsigned second_bytes = size_bytes - first_bytes;
  const Translation first = translate(VirtAddr{address}, first_bytes, AccessKind::kLoad, Walk::kCommit);
  if (first.trap) return first.trap;
  const Translation second =
      translate(VirtAddr{address + first_bytes}, second_bytes, AccessKind::kLoad, Walk::kCommit);
  if (second.trap) return second.trap;
  const Memory& memory = platform_.memory;
  if (!memory.contains(first.address, first_bytes)) return access_fault(AccessKind::kLoad, address);
  if (!memory.contains(second.address, second_bytes)) return access_fault(AccessKind::kLoad, address + first_bytes);
  out = peek_host(memory.host(memory.offset_of(first.address)), first_bytes) |
        peek_host(memory.host(memory.offset_of(second.address)), second_bytes) << (8 * first_bytes);
  return {};
}

Trap Hart::store(u64 address, unsigned size_bytes, u64 value) {
  if (const Trap stop = watched(address, size_bytes, WatchKind::kWrite)) return stop;
  const u64 left_in_page = kPageBytes - address % kPageBytes;
  if (size_bytes > left_in_page) return store_across(address, size_bytes, static_cast<unsigned>(left_in_page), value);
  const Translation to = translate(VirtAddr{address}, size_bytes, AccessKind::kStore, Walk::kCommit);
  if (to.trap) return to.trap;
  Memory& memory = platform_.memory;
  if (!memory.contains(to.address, size_bytes)) return device_store(to.address, address, size_bytes, value);
  std::memcpy(memory.host(memory.offset_of(to.address)), &value, size_bytes);
  const WriteEffect effect = memory.written(to.address, size_bytes, Writer::kHart);
  note(effect);
  // A store to the entry that translated it has just made its own translation stale.
  if (effect == WriteEffect::kNone) cache_write(address, to.address);
  return {};
}

/// Both translations are made before a byte is written.
Trap Hart::store_across(u64 address, unsigned size_bytes, unsigned first_bytes, u64 value) {
  const unsigned second_bytes = size_bytes - first_bytes;
  const Translation first = translate(VirtAddr{address}, first_bytes, AccessKind::kStore, Walk::kCommit);
  if (first.trap) return first.trap;
  const Translation second =
      translate(VirtAddr{address + first_bytes}, second_bytes, AccessKind::kStore, Walk::kCommit);
  if (second.trap) return second.trap;
  Memory& memory = platform_.memory;
  if (!memory.contains(first.address, first_bytes)) return access_fault(AccessKind::kStore, address);
  if (!memory.contains(second.address, second_bytes)) return access_fault(AccessKind::kStore, address + first_bytes);
  const u64 rest = value >> (8 * first_bytes);
  std::memcpy(memory.host(memory.offset_of(first.address)), &value, first_bytes);
  std::memcpy(memory.host(memory.offset_of(second.address)), &rest, second_bytes);
  note(memory.written(first.address, first_bytes, Writer::kHart));
  note(memory.written(second.address, second_bytes, Writer::kHart));
  return {};
}

Trap Hart::device_load(PhysAddr physical, u64 address, unsigned size_bytes, AccessKind kind, u64& out) {
  const Bus::Slot* slot = platform_.bus.find(physical, size_bytes);
  if (slot == nullptr) return access_fault(kind, address);
  leave = platform_.devices_touched = true;
  const auto value = slot->device->read(physical.value - slot->base.value, size_bytes, now());
  if (!value) return access_fault(kind, address);
  out = *value;
  return {};
}

Trap Hart::device_store(PhysAddr physical, u64 address, unsigned size_bytes, u64 value) {
  const Bus::Slot* slot = platform_.bus.find(physical, size_bytes);
  if (slot == nullptr) return access_fault(AccessKind::kStore, address);
  leave = platform_.devices_touched = true;
  const u64 bits = size_bytes == 8 ? value : value & ((u64{1} << (8 * size_bytes)) - 1);
  if (!slot->device->write(physical.value - slot->base.value, size_bytes, bits, now())) {
    return access_fault(AccessKind::kStore, address);
  }
  return {};
}

Trap Hart::begin_atomic(u64 address, unsigned size_bytes, Atomic what, u8*& host, PhysAddr& physical) {
  const bool only_reads = what == Atomic::kRead;
  if (address % size_bytes != 0) {
    return {only_reads ? Cause::kLoadMisaligned : Cause::kStoreMisaligned, address};
  }
  Memory& memory = platform_.memory;
  host = (only_reads ? context->read : context->write).probe(address, size_bytes);
  if (host != nullptr) {
    physical = PhysAddr{memory.base().value + static_cast<u64>(host - memory.host(0))};
    return {};
  }
  const WatchKind kind = only_reads              ? WatchKind::kRead
                         : what == Atomic::kWrite ? WatchKind::kWrite
                                                  : WatchKind::kAccess;
  if (const Trap stop = watched(address, size_bytes, kind)) return stop;
  const AccessKind access = only_reads ? AccessKind::kLoad : AccessKind::kStore;
  const Translation to = translate(VirtAddr{address}, size_bytes, access, Walk::kCommit);
  if (to.trap) return to.trap;
  physical = to.address;
  if (!memory.contains(physical, size_bytes)) return {};
  host = memory.host(memory.offset_of(physical));
  if (only_reads) {
    cache_read(address, physical);
  } else {
    memory.mark_dirty(memory.offset_of(physical) >> kPageShift);
    cache_write(address, physical);
  }
  return {};
}

void Hart::finish_atomic_store(PhysAddr physical, u8* host, unsigned size_bytes, u64 value) {
  std::memcpy(host, &value, size_bytes);
  note(platform_.memory.written(physical, size_bytes, Writer::kHart));
}

Trap Hart::compare_and_swap_pair(u64 address, Pair& value, const Pair& desired) {
  u8* host = nullptr;
  PhysAddr physical;
  if (const Trap trap = begin_atomic(address, sizeof(Pair), Atomic::kReadWrite, host, physical)) return trap;
  if (host == nullptr) return access_fault(AccessKind::kStore, address);
  Pair old;
  std::memcpy(old.data(), host, sizeof old);
  const Pair& stored = old == value ? desired : old;
  std::memcpy(host, stored.data(), sizeof stored);
  note(platform_.memory.written(physical, sizeof stored, Writer::kHart));
  value = old;
  return {};
}

Trap Hart::load_reserved(u64 address, unsigned size_bytes, u64& out) {
  u8* host = nullptr;
  PhysAddr physical;
  if (const Trap trap = begin_atomic(address, size_bytes, Atomic::kRead, host, physical)) return trap;
  if (host == nullptr) return access_fault(AccessKind::kLoad, address);
  out = peek_host(host, size_bytes);
  reservation = {true, physical.value, static_cast<u8>(size_bytes)};
  return {};
}

/// An SC that must fail makes no access, so it faults for nothing but misalignment (unprivileged manual, 14.2).
Trap Hart::store_conditional(u64 address, unsigned size_bytes, u64 value, u64& failed) {
  failed = 1;
  if (address % size_bytes != 0) return {Cause::kStoreMisaligned, address};
  if (!reservation.valid || reservation.size_bytes != size_bytes) {
    reservation = {};
    return {};
  }
  u8* host = nullptr;
  PhysAddr physical;
  const Trap trap = begin_atomic(address, size_bytes, Atomic::kWrite, host, physical);
  if (trap.cause == Cause::kDebugStop) return trap;
  const bool matches = reservation.address == physical.value;
  reservation = {};
  if (trap) return trap;
  if (host == nullptr) return access_fault(AccessKind::kStore, address);
  if (!matches) return {};
  finish_atomic_store(physical, host, size_bytes, value);
  failed = 0;
  return {};
}

Trap Hart::fetch_half(u64 address, u32& half) {
  const Translation to = translate(VirtAddr{address}, 2, AccessKind::kFetch, Walk::kCommit);
  if (to.trap) return to.trap;
  const Memory& memory = platform_.memory;
  if (memory.contains(to.address, 2)) {
    half = static_cast<u32>(peek_host(memory.host(memory.offset_of(to.address)), 2));
    return {};
  }
  const Bus::Slot* slot = platform_.bus.find(to.address, 2);
  if (slot == nullptr || !slot->device->executable()) return access_fault(AccessKind::kFetch, address);
  const auto value = slot->device->peek(to.address.value - slot->base.value, 2, now());
  if (!value) return access_fault(AccessKind::kFetch, address);
  half = static_cast<u32>(*value);
  return {};
}

Trap Hart::fetch(u64 address, u32& raw, unsigned& length_bytes) {
  if (const Trap trap = fetch_half(address, raw)) return trap;
  length_bytes = (raw & 3) == 3 ? 4 : 2;
  if (length_bytes == 2) return {};
  u32 upper = 0;
  if (const Trap trap = fetch_half(address + 2, upper)) return trap;
  raw |= upper << 16;
  return {};
}

}  // namespace retrov
