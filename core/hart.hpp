// One hart: architectural state, and how it looks at memory. Instruction meanings (core/isa) work on this class and on
// nothing else. What is serialised is architectural; translations and the bookkeeping of the running slice are caches.
//
// Members are grouped by the file they live in: csr.cpp, trap.cpp, mmu.cpp, pmp.cpp, access.cpp, cache_block.cpp,
// hart.cpp.
#pragma once

#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "core/engine/op.hpp"
#include "core/engine/tlb.hpp"
#include "core/machine.hpp"
#include "core/state.hpp"
#include "core/stops.hpp"
#include "core/touched.hpp"
#include "core/trap.hpp"
#include "core/types.hpp"

namespace retrov {

class CodeCache;
struct CodePage;
class WalkCache;

enum class Priv : u8 { kUser = 0, kSupervisor = 1, kMachine = 3 };
/// What cbo.* does to a block of 64 bytes. Cleaning and flushing are the same without a cache.
enum class CacheBlock : u8 { kInvalidate, kClean, kZero };
enum class AccessKind : u8 { kLoad, kStore, kFetch };

/// mstatus bits (privileged manual, 3.1.6).
namespace mstatus {
inline constexpr u64 kSie = 1u << 1, kMie = 1u << 3, kSpie = 1u << 5, kUbe = 1u << 6, kMpie = 1u << 7, kSpp = 1u << 8;
inline constexpr u64 kVs = 3u << 9, kMpp = 3u << 11, kFs = 3u << 13, kXs = 3u << 15, kMprv = 1u << 17, kSum = 1u << 18;
inline constexpr u64 kMxr = 1u << 19, kTvm = 1u << 20, kTw = 1u << 21, kTsr = 1u << 22;
inline constexpr u64 kUxl = u64{3} << 32, kSxl = u64{3} << 34, kSd = u64{1} << 63;
}  // namespace mstatus

/// mip/mie bits (3.1.9).
namespace irq {
inline constexpr u64 kSsip = 1u << 1, kMsip = 1u << 3, kStip = 1u << 5, kMtip = 1u << 7;
inline constexpr u64 kSeip = 1u << 9, kMeip = 1u << 11;
inline constexpr u64 kSupervisor = kSsip | kStip | kSeip;
inline constexpr u64 kMachine = kMsip | kMtip | kMeip;
}  // namespace irq

/// The CSRs that are stored; all others are views of these or constants. WARL rules are applied when writing.
struct Csrs {
  u64 mstatus = u64{2} << 32 | u64{2} << 34;
  u64 medeleg = 0, mideleg = 0, mie = 0;
  u64 mip = 0;  ///< Only the bits software may set: SSIP, STIP (without Sstc), SEIP's software half.
  u64 mtvec = 0, mscratch = 0, mepc = 0, mcause = 0, mtval = 0;
  u64 mcounteren = 0, mcountinhibit = 0;
  u64 menvcfg = 0;
  u64 stvec = 0, sscratch = 0, sepc = 0, scause = 0, stval = 0;
  u64 scounteren = 0, senvcfg = 0, satp = 0, stimecmp = ~u64{0};
  std::array<u8, 16> pmpcfg{};
  std::array<u64, 16> pmpaddr{};
  /// mcycle = steps of the machine + offset, minstret = retired + offset (mod 2^64); while inhibited the offset holds
  /// the frozen value itself.
  u64 mcycle_offset = 0, minstret_offset = 0;
  u8 fflags = 0, frm = 0;

  template <class A>
  void serialize(A& a);
};

/// Addresses from `first` up to `end` of which PMP says the same: accesses within match one entry, or none.
struct PmpWindow {
  u64 first = 0, end = 0;
  bool matched = false;
  u8 config = 0;  ///< Of the entry that matches.
};

/// LR's reservation. It ends at any SC of the hart, when the machine switches to another hart, and by an overlapping
/// device or debugger write (docs/machine.md, "Memory").
struct Reservation {
  bool valid = false;
  u64 address = 0;  ///< Physical.
  u8 size_bytes = 0;
  template <class A>
  void serialize(A& a) {
    a(field("valid", valid), field("address", address), field("size_bytes", size_bytes));
  }
};

/// What all harts share. Lives in the Machine; outlives the harts.
struct Platform {
  Memory& memory;
  Bus& bus;
  TimeBase& time;
  WalkCache& walks;
  CodeCache& code;
  /// Levels of mip that devices drive for a hart (MSIP, MTIP, SEIP, MEIP).
  const std::vector<std::unique_ptr<Device>>& devices;
  EngineKind engine = EngineKind::kFast;
  /// Set while a run has watches or breakpoints; null otherwise.
  StopSet* stops = nullptr;
  ExtensionSet extensions = default_extensions();
  /// What these have written since the machine last looked.
  struct OtherWrite {
    PhysAddr address;
    u64 size_bytes = 0;
    Writer who = Writer::kDevice;
  };
  std::vector<OtherWrite> other_writes{};
  OtherWriters keep_writes_of = OtherWriters::kNone;
  void note_write(PhysAddr address, u64 size_bytes, Writer who) {
    const bool device = who == Writer::kDevice;
    if (keep_writes_of < (device ? OtherWriters::kDevices : OtherWriters::kAll)) return;
    other_writes.push_back({address, size_bytes, who});
  }
  /// A hart has accessed a device's registers since the machine last looked at the devices.
  bool devices_touched = false;
  /// What harts have touched since the machine's last snapshot, but for the pages, which Memory knows.
  Touched touched{};
};

class Hart final : public Stateful {
 public:
  Hart(unsigned index, Platform& platform);

  // --- what instructions use -------------------------------------------------------------------------------------
  /// Integer registers. Decoding redirects a destination x0 to slot 32, so that no write needs a test.
  std::array<u64, 33> x{};
  std::array<u64, 32> f{};  ///< NaN-boxed.
  u64 pc = 0;
  /// Where the instruction in hand continues; general instructions may change it (xRET).
  u64 next_pc = 0;
  /// Set by whatever must end the block after this instruction: MMIO, code or page-table hits, CSRs that matter to the
  /// machine, xRET, WFI. Cleared by the run loop.
  bool leave = false;
  Priv priv = Priv::kMachine;
  bool waiting = false;  ///< In WFI.
  bool turn_over = false;  ///< PAUSE, WRS or a waiting WFI: gives up the rest of the turn. Cleared by the machine.
  Csrs csr;
  Reservation reservation;
  SteppingFacts stepping;

  [[nodiscard]] bool has(Extension extension) const { return platform_.extensions.has(extension); }
  /// The trap value, the instruction's bits, is filled in by the engine, which has them.
  [[nodiscard]] static Trap illegal() { return {Cause::kIllegalInstruction, 0}; }

  // --- the running slice (not state) ------------------------------------------------------------------------------
  Position position;       ///< P of the step in hand; exact inside general instructions and the slow path.
  Position slice_start;    ///< P at which the current uninterrupted stretch began; retired_ counts up to it.
  u64 retired = 0;         ///< State: instructions completed by this hart up to slice_start.
  [[nodiscard]] u64 retired_now() const { return retired + (position.steps - slice_start.steps); }
  [[nodiscard]] Ticks now() const { return platform_.time.at(position); }

  /// Why a threaded run ended.
  enum class RunEnd : u8 {
    kBudget,  ///< At pc, with `budget` steps left: fewer than the block there has, or the block is not decoded.
    kLeave,   ///< An instruction asked for it.
    kTrap,    ///< `trap` is to be taken at pc; it is charged as a step.
    kStop,    ///< A stop of the stop set; its step is neither made nor charged.
  };
  /// What the threaded run hands over when it ends (core/engine); meaningless outside.
  struct Run {
    const Op* op = nullptr;       ///< Trampoline builds: what to run next; null to end.
    i64 budget = 0;               ///< Steps left.
    u64 base = 0;
    const Op** link = nullptr;    ///< kBudget: the unresolved link that leads to pc, or null.
    RunEnd end = RunEnd::kBudget;
    Trap trap;
    u64 slice_end = 0;            ///< Position at which the budget is used up.
  };
  Run run;

  // --- csr.cpp -----------------------------------------------------------------------------------------------------
  /// One access of Zicsr with all checks: existence, privilege, read-only, gating. Write sees the old value first.
  Trap csr_read(u16 number, u64& out);
  Trap csr_write(u16 number, u64 value);  ///< kDebugStop if the write is to be stopped at.
  /// For the debugger: no privilege checks; absent if the CSR does not exist.
  [[nodiscard]] std::optional<u64> csr_peek(u16 number) const;
  /// WARL write as the debugger; false if it does not exist or is read-only.
  bool csr_poke(u16 number, u64 value);
  /// Floating point is on (mstatus.FS != off); and its state becomes dirty.
  [[nodiscard]] bool fp_enabled() const { return (csr.mstatus & mstatus::kFs) != 0; }
  void fp_dirty() { csr.mstatus |= mstatus::kFs | mstatus::kSd; }

  // --- trap.cpp ----------------------------------------------------------------------------------------------------
  /// mip as the hart sees it at T(position): stored bits, device levels and Sstc's STIP.
  [[nodiscard]] u64 mip() const;
  /// The interrupt to take before the next step, by the manual's priority order.
  [[nodiscard]] std::optional<unsigned> pending_interrupt() const;
  /// Something enabled in mie is pending: ends WFI whatever the global enables say.
  [[nodiscard]] bool wakes() const { return (mip() & csr.mie) != 0; }
  /// The first tick after `now` at which an enabled (mie) timer of this hart fires, or ceases to.
  [[nodiscard]] Ticks next_timer(Ticks now) const;
  void take_trap(Trap trap);  ///< pc is that of the trapping instruction.
  void take_interrupt(unsigned number);
  Trap mret();
  Trap sret();
  Trap wfi();
  Trap ecall();
  Trap ebreak();  ///< kDebugStop if the debugger takes it.
  Trap sfence_vma();

  // --- mmu.cpp -----------------------------------------------------------------------------------------------------
  struct Translation {
    Trap trap;
    PhysAddr address;
    /// A page-table entry's A or D bit must be set before the access is made.
    bool needs_update = false;
  };
  /// kProbe writes nothing (neither A nor D, no cached walk); kCommit sets A and D as the access demands and records
  /// the slots it used, so that a later store to one of them is seen.
  enum class Walk : u8 { kProbe, kCommit };
  /// A fresh walk of memory. The access must lie within one page.
  Translation translate(VirtAddr address, unsigned size_bytes, AccessKind kind, Walk walk);
  /// Privilege that data accesses use (MPRV).
  [[nodiscard]] Priv data_privilege() const;
  [[nodiscard]] std::optional<PhysAddr> translate_for_debugger(VirtAddr address) const;
  /// As Machine says.
  [[nodiscard]] std::vector<WalkedEntry> walk_for_debugger(VirtAddr address) const;
  [[nodiscard]] PageMappings page_mappings(std::size_t most) const;
  /// What an instruction accesses is known only once it has been fetched. If that is watched, the step is not made, and
  /// the A bits that its fetch has set are cleared again.
  void forget_fetch_marks() { fetch_mark_count_ = 0; }
  void undo_fetch_marks(Position step);

  // --- pmp.cpp -----------------------------------------------------------------------------------------------------
  [[nodiscard]] bool pmp_allows(PhysAddr address, u64 size_bytes, AccessKind kind, Priv privilege) const;
  /// All bytes of the page get the same answer, so it may be cached.
  [[nodiscard]] bool pmp_uniform_in_page(PhysAddr page) const;

  // --- access.cpp: the slow path of all data accesses ---------------------------------------------------------------
  /// Loads `size_bytes` (1, 2, 4, 8) zero-extended. Handles misaligned and page-crossing accesses, devices, watches.
  Trap load(u64 address, unsigned size_bytes, u64& out);
  Trap store(u64 address, unsigned size_bytes, u64 value);
  /// Misaligned is a trap. `combine(old)` gives the new value. `out` is the old value.
  template <class Combine>
  Trap amo(u64 address, unsigned size_bytes, u64& out, Combine combine) {
    u8* host = nullptr;
    PhysAddr physical;
    if (Trap trap = begin_atomic(address, size_bytes, Atomic::kReadWrite, host, physical)) return trap;
    if (host == nullptr) {
      if (Trap trap = device_load(physical, address, size_bytes, AccessKind::kStore, out)) return trap;
      return device_store(physical, address, size_bytes, combine(out));
    }
    out = peek_host(host, size_bytes);
    finish_atomic_store(physical, host, size_bytes, combine(out));
    return {};
  }
  Trap load_reserved(u64 address, unsigned size_bytes, u64& out);
  /// `failed` is 0 or 1, as rd receives it.
  Trap store_conditional(u64 address, unsigned size_bytes, u64 value, u64& failed);
  /// Zacas on 16 bytes of RAM: `value` is what is expected, and becomes what was there.
  using Pair = std::array<u64, 2>;
  Trap compare_and_swap_pair(u64 address, Pair& value, const Pair& desired);
  /// The instruction bits at pc, through a fresh walk (or a cached one): 2 or 4 bytes. Commits A bits.
  Trap fetch(u64 address, u32& raw, unsigned& length_bytes);
  /// The first byte of an access by the next step that lies in the watched range. A physical range is looked for in
  /// each of the access's pages.
  std::optional<u64> first_watched_byte(const WatchRange& watch, u64 address, unsigned size_bytes, WatchKind kind);
  /// The first byte of the watched range that lies in [physical, physical + size), as this hart translates.
  [[nodiscard]] std::optional<VirtAddr> watched_byte_in(const WatchRange& watch, PhysAddr physical,
                                                        u64 size_bytes) const;

  // --- cache_block.cpp ---------------------------------------------------------------------------------------------
  Trap cache_block(u64 address, CacheBlock what);

  // --- translation caches ------------------------------------------------------------------------------------------
  static constexpr unsigned kTlbEntries = 1024;
  using DataTlb = Tlb<kTlbEntries>;
  /// One set per way of looking at memory: U, S without SUM, S with SUM, M. MXR changes flush.
  static constexpr unsigned kContexts = 4;
  struct Context {
    DataTlb read, write;
  };
  Context* context = nullptr;  ///< The set for the current data privilege.
  /// Fetch translations: tag is the virtual page; addend is a CodePage*. One per privilege.
  using FetchTlb = Tlb<256>;
  FetchTlb* fetch_tlb = nullptr;
  /// After priv, MPRV, MPP or SUM changed.
  void select_context();
  void flush_translations();        ///< All of them; also whenever PMP entries have changed.
  void flush_write_translations();  ///< Write sets only.
  void flush_fetch_translations();
  /// Flushes; each set holds at most so many at a time, at least 1.
  void limit_translations(unsigned entries);

  // --- hart.cpp ----------------------------------------------------------------------------------------------------
  void reset(u64 reset_pc);
  void write_state(StateWriter&) const override;
  void read_state(StateReader&) override;
  void print_state(StatePrinter&) const override;
  [[nodiscard]] unsigned index() const { return index_; }
  [[nodiscard]] Platform& platform() const { return platform_; }
  template <class A>
  void serialize(A& a);

 private:
  static constexpr std::size_t kMaxOpenIrqs = 16;
  class MappingCollector;
  [[nodiscard]] bool is_valid_state() const;
  enum class Atomic : u8 { kRead, kWrite, kReadWrite };
  Trap begin_atomic(u64 address, unsigned size_bytes, Atomic what, u8*& host, PhysAddr& physical);
  void finish_atomic_store(PhysAddr physical, u8* host, unsigned size_bytes, u64 value);
  [[nodiscard]] static u64 peek_host(const u8* host, unsigned size_bytes);
  /// kDebugStop if a watched range is about to be accessed; nothing has been translated yet.
  Trap watched(u64 address, unsigned size_bytes, WatchKind kind);
  Trap stop_at_csr_write(u16 number);
  [[nodiscard]] bool may_cache(u64 address, PhysAddr physical) const;
  void cache_read(u64 address, PhysAddr physical);
  void cache_write(u64 address, PhysAddr physical);
  void note(WriteEffect effect);
  Trap load_across(u64 address, unsigned size_bytes, unsigned first_bytes, u64& out);
  Trap store_across(u64 address, unsigned size_bytes, unsigned first_bytes, u64 value);
  Trap manage_block(u64 address);
  Trap zero_block(u64 address);
  Trap fetch_half(u64 address, u32& half);
  Trap device_load(PhysAddr physical, u64 address, unsigned size_bytes, AccessKind kind, u64& out);
  Trap device_store(PhysAddr physical, u64 address, unsigned size_bytes, u64 value);

  /// An entry whose A bit the fetch of the step at fetch_marks_at_ has set, and what it was.
  struct FetchMark {
    PhysAddr entry_at;
    u64 before = 0;
  };
  void write_entry(PhysAddr at, u64 entry);
  /// Makes pmp_window_ one that holds the access; false: no entry, nor none, holds all of it.
  [[nodiscard]] bool find_pmp_window(u64 first, u64 size_bytes) const;

  unsigned index_;
  Platform& platform_;
  std::array<FetchMark, 2> fetch_marks_;
  unsigned fetch_mark_count_ = 0;
  Position fetch_marks_at_;
  std::unique_ptr<std::array<Context, kContexts>> contexts_;
  std::unique_ptr<std::array<FetchTlb, 3>> fetch_tlbs_;
  mutable PmpWindow pmp_window_;  ///< Where the last access was: a cache, dropped with the translations.
};

}  // namespace retrov
