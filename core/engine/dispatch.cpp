#include "core/engine/dispatch.hpp"

#include "core/engine/code_cache.hpp"

namespace retrov::engine {

namespace {

void end_run(Hart* hart, Hart::RunEnd end, i64 budget) {
  hart->run.end = end;
  hart->run.budget = budget;
  hart->run.link = nullptr;
}

/// Instructions of the block before `op`.
i64 made_before(const Op* op) { return i64{op->operands.index} - header_of(op).lead; }

}  // namespace

void stop_before_taken(const Op* op, Hart* hart, i64 budget, u64 base) {
  if (links_of(op).taken == far_stub()) RV_TAIL enter_anywhere(op, hart, budget, base);
  stop_at_base(op, hart, budget, base);
  if (links_of(op).taken == CodeCache::stub()) hart->run.link = &links_of(op).taken;
}

void stop_before_fall(const Op* op, Hart* hart, i64 budget, u64 base) {
  if (links_of(op).fall == far_stub()) RV_TAIL enter_anywhere(op, hart, budget, base);
  stop_at_base(op, hart, budget, base);
  if (links_of(op).fall == CodeCache::stub()) hart->run.link = &links_of(op).fall;
}

void stop_at_base(const Op*, Hart* hart, i64 budget, u64 base) {
  hart->pc = base;
  end_run(hart, Hart::RunEnd::kBudget, budget);
}

void stop_at_breakpoint(const Op* op, Hart* hart, i64 budget, u64 base) {
  hart->pc = base;
  end_run(hart, Hart::RunEnd::kStop, budget + header_of(op).length);
}

bool stops_at_breakpoint(Hart& hart, u64 pc, u64 position) {
  StopSet* stops = hart.platform().stops;
  if (stops == nullptr || !hart.platform().code.breaks_at(VirtAddr{pc})) return false;
  if (stops->passes_breakpoint(Position{position})) return false;
  if (stops->filter != nullptr) {
    hart.pc = pc;
    hart.position = Position{position};
    if (!stops->filter->counts(hart.index(), VirtAddr{pc})) return false;
  }
  stops->hit = StopHit{StopHit::Kind::kBreakpoint, hart.index(), VirtAddr{pc}, 0, false, 0};
  return true;
}

void trap_illegal(const Op* op, Hart* hart, i64 budget, u64 base) {
  make_exact(op, hart, budget, base);
  may_go_on(op, hart, budget, Hart::illegal());
}

void make_exact(const Op* op, Hart* hart, i64 budget, u64 base) {
  const u8* offsets = header_of(op).offsets;
  hart->pc = base + 2 * u64{offsets[op->operands.index]};
  hart->next_pc = base + 2 * u64{offsets[op->operands.index + 1]};
  const i64 left = budget + header_of(op).length - made_before(op);
  hart->position = Position{hart->run.slice_end - static_cast<u64>(left)};
}

bool may_go_on(const Op* op, Hart* hart, i64 budget, Trap trap) {
  if (!trap && !hart->leave) return true;
  const i64 left = budget + header_of(op).length - made_before(op);
  if (trap.cause == Cause::kDebugStop) {
    end_run(hart, Hart::RunEnd::kStop, left);
  } else if (trap) {
    hart->run.trap = trap;
    end_run(hart, Hart::RunEnd::kTrap, left - 1);
  } else {
    hart->pc = hart->next_pc;
    end_run(hart, Hart::RunEnd::kLeave, left - 1);
  }
  return false;
}

}  // namespace retrov::engine
