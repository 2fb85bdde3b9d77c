// Cache-block instructions (unprivileged manual, chapter CMO; gates: privileged manual, 3.1.18 and 4.1.10). Blocks have
// 64 bytes. Without a cache, managing a block is nothing but its checks.
#include <cstring>

#include "core/bus.hpp"
#include "core/csr.hpp"
#include "core/faults.hpp"
#include "core/hart.hpp"

namespace retrov {
namespace {

constexpr u64 kCacheBlockBytes = 64;

u64 gate_of(CacheBlock what) {
  switch (what) {
    case CacheBlock::kInvalidate: return menvcfg::kCbie;
    case CacheBlock::kClean: return menvcfg::kCbcfe;
    case CacheBlock::kZero: break;
  }
  return menvcfg::kCbze;
}

/// The cause of a load's fault as that of a store's.
Trap as_store(Trap trap) {
  if (trap.cause == Cause::kLoadPageFault) trap.cause = Cause::kStorePageFault;
  if (trap.cause == Cause::kLoadAccessFault) trap.cause = Cause::kStoreAccessFault;
  return trap;
}

}  // namespace

Trap Hart::cache_block(u64 address, CacheBlock what) {
  const u64 gate = gate_of(what);
  if (priv != Priv::kMachine && (csr.menvcfg & gate) == 0) return illegal();
  if (priv == Priv::kUser && (csr.senvcfg & gate) == 0) return illegal();
  return what == CacheBlock::kZero ? zero_block(address) : manage_block(address);
}

/// Permitted wherever a load or a store is; who may store may load. A is checked or set, D is not. The trap has the
/// address as the instruction gives it, not that of the block.
Trap Hart::manage_block(u64 address) {
  const u64 block = address & ~(kCacheBlockBytes - 1);
  const Translation to = translate(VirtAddr{block}, kCacheBlockBytes, AccessKind::kLoad, Walk::kCommit);
  if (to.trap) return as_store({to.trap.cause, address});
  const bool answers =
      platform_.memory.contains(to.address, kCacheBlockBytes) || platform_.bus.find(to.address, 1) != nullptr;
  return answers ? Trap{} : access_fault(AccessKind::kStore, address);
}

/// Registers of devices cannot be zeroed by the block.
Trap Hart::zero_block(u64 address) {
  const u64 block = address & ~(kCacheBlockBytes - 1);
  if (u8* host = context->write.probe(block, kCacheBlockBytes); host != nullptr) {
    std::memset(host, 0, kCacheBlockBytes);
    return {};
  }
  if (const Trap stop = watched(block, kCacheBlockBytes, WatchKind::kWrite)) return stop;
  const Translation to = translate(VirtAddr{block}, kCacheBlockBytes, AccessKind::kStore, Walk::kCommit);
  if (to.trap) return {to.trap.cause, address};
  Memory& memory = platform_.memory;
  if (!memory.contains(to.address, kCacheBlockBytes)) return access_fault(AccessKind::kStore, address);
  std::memset(memory.host(memory.offset_of(to.address)), 0, kCacheBlockBytes);
  const WriteEffect effect = memory.written(to.address, kCacheBlockBytes, Writer::kHart);
  note(effect);
  if (effect == WriteEffect::kNone) cache_write(block, to.address);
  return {};
}

}  // namespace retrov
