#include "core/engine/engine.hpp"

#include <algorithm>

#include "core/check.hpp"
#include "core/insn.hpp"

namespace retrov {

namespace {

/// Longer slices could let a stub's length pass the budget test.
constexpr u64 kSliceSteps = 1u << 30;

}  // namespace

Engine::Engine(Memory& memory, ExtensionSet extensions, const std::vector<std::unique_ptr<Hart>>& harts)
    : memory_(memory), code_(memory, extensions), walks_(memory), harts_(harts) {
  memory.set_listener(this);
}

void Engine::limit(const CacheSizes& sizes) {
  code_.limit(sizes);
  for (const std::unique_ptr<Hart>& hart : harts_) hart->limit_translations(sizes.translations);
}

Engine::Result Engine::run(Hart& hart, u64 max_steps) {
  const u64 steps = std::min(max_steps, kSliceSteps);
  const u64 start = hart.position.steps;
  hart.run.slice_end = start + steps;
  hart.run.budget = static_cast<i64>(steps);
  hart.run.end = Hart::RunEnd::kBudget;
  hart.run.trap = {};
  hart.slice_start = hart.position;
  hart.leave = false;
  hart.forget_fetch_marks();
  if (hart.platform().engine == EngineKind::kFast) {
    run_threaded(hart);
  } else {
    while (hart.run.budget > 0 && hart.run.end == Hart::RunEnd::kBudget) step_one(hart);
  }
  const u64 made = steps - static_cast<u64>(hart.run.budget);
  if (hart.run.end == Hart::RunEnd::kStop) hart.undo_fetch_marks(Position{start + made});
  const bool trapped = hart.run.end == Hart::RunEnd::kTrap;
  if (trapped && hart.run.trap.cause == Cause::kIllegalInstruction && hart.run.trap.value == 0) {
    // A probe is enough: the page was executable a moment ago.
    u32 raw = 0;
    unsigned length_bytes = 0;
    if (!hart.fetch(hart.pc, raw, length_bytes)) hart.run.trap.value = raw;
  }
  hart.retired += made - u64{trapped};
  hart.position = hart.slice_start = Position{start + made};
  return {made, hart.run.end};
}

void Engine::run_threaded(Hart& hart) {
  const Op** link = nullptr;
  while (hart.run.budget > 0 && hart.run.end == Hart::RunEnd::kBudget) {
    const u64 generation = code_.generation();
    const Op* first = locate(hart);
    // A fetch that must end the run ends it behind this one instruction; a block would go on to the next that can.
    const bool one_step = first == nullptr || hart.leave;
    if (one_step) {
      link = nullptr;
      if (hart.run.end == Hart::RunEnd::kBudget && code_.generation() == generation) step_one(hart);
      continue;
    }
    if (link != nullptr && code_.generation() == generation) *link = first;
    execute(hart, first);
    link = hart.run.link;
  }
}

const Op* Engine::locate(Hart& hart) {
  const u64 page_address = hart.pc & ~(kPageBytes - 1);
  if (hart.fetch_tlb->at(hart.pc).tag != page_address) {
    hart.position = Position{hart.run.slice_end - static_cast<u64>(hart.run.budget)};
    // Before the walk: it may write A bits, and a step that is not made must leave no trace.
    if (engine::stops_at_breakpoint(hart, hart.pc, hart.position.steps)) {
      hart.run.end = Hart::RunEnd::kStop;
      return nullptr;
    }
    const Hart::Translation translation = hart.translate(VirtAddr{hart.pc}, 2, AccessKind::kFetch, Hart::Walk::kCommit);
    if (translation.trap) {
      hart.run.trap = translation.trap;
      hart.run.end = Hart::RunEnd::kTrap;
      --hart.run.budget;
      return nullptr;
    }
    const PhysAddr page{translation.address.value & ~(kPageBytes - 1)};
    if (!memory_.contains(page, kPageBytes) || !hart.pmp_uniform_in_page(page)) return nullptr;
    CodePage& code = code_.page(memory_.offset_of(page) >> kPageShift);
    hart.fetch_tlb->fill(page_address, reinterpret_cast<u64>(&code));
  }
  auto* page = reinterpret_cast<CodePage*>(hart.fetch_tlb->at(hart.pc).addend);
  const u64 generation = code_.generation();
  const Op* first = code_.block(*page, static_cast<u32>(hart.pc % kPageBytes));
  if (code_.generation() != generation) {
    for (const std::unique_ptr<Hart>& each : harts_) each->flush_fetch_translations();
  }
  return first;
}

void Engine::execute(Hart& hart, const Op* first) {
  i64 left = hart.run.budget - engine::length_of(first);
  if (left < 0) {
    first = code_.truncated(first, static_cast<u32>(hart.run.budget));
    left = 0;
  }
#ifdef RV_TRAMPOLINE
  hart.run = {first, left, hart.pc, nullptr, Hart::RunEnd::kBudget, {}, hart.run.slice_end};
  while (hart.run.op != nullptr) {
    const Op* op = hart.run.op;
    hart.run.op = nullptr;
    op->handler(op, &hart, hart.run.budget, hart.run.base);
  }
#else
  first->handler(first, &hart, left, hart.pc);
#endif
}

/// Everything from scratch, and exact. The oracle's only way to run, and the threaded engine's way through code that no
/// block can hold: outside RAM, across pages, under a finer PMP.
void Engine::step_one(Hart& hart) {
  hart.position = Position{hart.run.slice_end - static_cast<u64>(hart.run.budget)};
  if (engine::stops_at_breakpoint(hart, hart.pc, hart.position.steps)) {
    hart.run.end = Hart::RunEnd::kStop;
    return;
  }
  u32 raw = 0;
  unsigned length_bytes = 0;
  Trap trap = hart.fetch(hart.pc, raw, length_bytes);
  if (!trap) {
    hart.next_pc = hart.pc + length_bytes;
    const InsnRow* row = find_insn(raw, hart.platform().extensions);
    trap = row == nullptr ? Hart::illegal() : row->execute(hart, decode_operands(row->format, raw));
    if (trap.cause == Cause::kIllegalInstruction) trap.value = raw;
  }
  if (trap.cause == Cause::kDebugStop) {
    hart.run.end = Hart::RunEnd::kStop;
    return;
  }
  --hart.run.budget;
  if (trap) {
    hart.run.trap = trap;
    hart.run.end = Hart::RunEnd::kTrap;
    return;
  }
  hart.pc = hart.next_pc;
  if (hart.leave) hart.run.end = Hart::RunEnd::kLeave;
}

void Engine::flush_translations() {
  for (const std::unique_ptr<Hart>& hart : harts_) hart->flush_translations();
}

bool Engine::code_written(u64 ram_offset, u64 size_bytes) { return code_.written(ram_offset, size_bytes); }

bool Engine::page_table_written(u64 ram_offset, u64 size_bytes, Writer who) {
  if (!walks_.written(ram_offset, size_bytes, who)) return false;
  flush_translations();
  return true;
}

void Engine::foreign_write(PhysAddr address, u64 size_bytes, Writer who) {
  Platform& platform = harts_.front()->platform();
  platform.note_write(address, size_bytes, who);
  for (const std::unique_ptr<Hart>& hart : harts_) {
    Reservation& held = hart->reservation;
    const bool overlaps = address.value < held.address + held.size_bytes && held.address < address.value + size_bytes;
    if (held.valid && overlaps) held = {};
  }
}

void Engine::flush_write_translations() {
  for (const std::unique_ptr<Hart>& hart : harts_) hart->flush_write_translations();
}

}  // namespace retrov
