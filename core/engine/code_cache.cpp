#include "core/engine/code_cache.hpp"

#include <algorithm>
#include <cstring>

#include "core/check.hpp"
#include "core/insn.hpp"

namespace retrov {

namespace engine {

/// The end of a block that no jump ends; counts no step. Operand rd: where it ends, in halfwords.
void fall(const Op* op, Hart* hart, i64 budget, u64 base) {
  RV_TAIL enter_fall(op, hart, budget, base + 2 * u64{op->operands.rd});
}

void fall_far(const Op* op, Hart* hart, i64 budget, u64 base) {
  RV_TAIL enter_anywhere(op, hart, budget, base + 2 * u64{op->operands.rd});
}

/// jal out of the page.
void jump_far(const Op* op, Hart* hart, i64 budget, u64 base) {
  hart->x[op->operands.rd] = base + 2 * u64{op->operands.rs1};
  RV_TAIL enter_anywhere(op, hart, budget, base + static_cast<u64>(i64{op->operands.imm}));
}

/// The end of a truncated block.
void cut(const Op* op, Hart* hart, i64 budget, u64 base) {
  RV_TAIL stop_at_base(op, hart, budget, base + 2 * u64{op->operands.rd});
}

void break_here(const Op* op, Hart* hart, i64 budget, u64 base) {
  if (stops_at_breakpoint(*hart, base, hart->run.slice_end - static_cast<u64>(budget + header_of(op).length))) {
    RV_TAIL stop_at_breakpoint(op, hart, budget, base);
  }
  RV_TAIL go(op + 1, hart, budget, base);
}

}  // namespace engine

namespace {

constexpr std::size_t kArenaBytes = 64u << 20;
constexpr std::size_t kBlockBytesAtMost = 2048;
static_assert(sizeof(BlockHeader) + (kMaxBlockInstructions + 3) * (sizeof(Op) + 1) + 16 <= kBlockBytesAtMost);

struct StubBlock {
  BlockHeader header;
  Op op;
};

u64 granules(u64 first_byte, u64 last_byte) {
  const u64 first = first_byte / 64, last = last_byte / 64;
  return (~u64{0} << first) & (~u64{0} >> (63 - last));
}

/// Out of the page: an in-page link would dodge the translation.
bool is_far(u64 page_offset, i64 displacement) {
  const i64 target = static_cast<i64>(page_offset) + displacement;
  return target < 0 || target >= static_cast<i64>(kPageBytes);
}

}  // namespace

/// A block being decoded. Offsets are in halfwords from its start.
struct CodeCache::Draft {
  std::array<Op, kMaxBlockInstructions + 2> ops;
  std::array<u8, kMaxBlockInstructions + 3> offsets;
  unsigned op_count = 0;
  u32 page_offset = 0;
  u32 end = 0;  ///< Page offset behind the last instruction.
  u16 lead = 0;
  i32 length = 0;
  Links links{};

  void add(Handler handler, Operands operands, u32 at) {
    operands.index = static_cast<u8>(op_count);
    ops[op_count] = {handler, operands};
    offsets[op_count] = static_cast<u8>((at - page_offset) / 2);
    ++op_count;
    offsets[op_count] = static_cast<u8>((end - page_offset) / 2);
  }
};

CodeCache::CodeCache(Memory& memory, ExtensionSet extensions)
    : memory_(memory),
      pages_(memory.size_bytes() / kPageBytes),
      arena_(std::make_unique_for_overwrite<std::byte[]>(kArenaBytes)),
      extensions_(extensions) {}

void CodeCache::limit(const CacheSizes& sizes) {
  sizes_ = sizes;
  drop_all();
}

const Op* CodeCache::stub() {
  static constexpr StubBlock kStub{{kStubLength, 0, 0, nullptr}, {engine::stop_at_base, {}}};
  return &kStub.op;
}

const Op* engine::far_stub() {
  static constexpr StubBlock kStub{{kStubLength, 0, 0, nullptr}, {engine::stop_at_base, {}}};
  return &kStub.op;
}

CodePage& CodeCache::page(u64 ram_page) {
  std::unique_ptr<CodePage>& slot = pages_[ram_page];
  if (slot == nullptr) {
    slot = std::make_unique<CodePage>();
    ++page_count_;
    slot->entries.fill(stub());
    slot->page = static_cast<u32>(ram_page);
  }
  return *slot;
}

const Op* CodeCache::block(CodePage& page, u32 page_offset) {
  const Op*& entry = page.entries[page_offset / 2];
  if (entry != stub()) return entry;
  Draft draft;
  draft_block(page, page_offset, draft);
  if (draft.length == 0) return nullptr;
  if (arena_used_ + kBlockBytesAtMost > kArenaBytes || page_count_ > sizes_.code_pages) {
    drop_all();
    return nullptr;
  }
  const Op* first = place(draft, arena_.get() + arena_used_);
  const std::size_t size = sizeof(BlockHeader) + (draft.op_count + 1) * sizeof(Op) + draft.op_count + 1;
  arena_used_ += (size + 15) / 16 * 16;
  page.decoded |= granules(page_offset, draft.end - 1);
  memory_.flag_page(page.page, Memory::kCode);
  entry = first;
  return first;
}

void CodeCache::draft_block(const CodePage& page, u32 page_offset, Draft& draft) const {
  const u8* bytes = memory_.host(u64{page.page} << kPageShift);
  const auto breaks = [this](u32 offset) {
    return std::binary_search(break_offsets_.begin(), break_offsets_.end(), offset);
  };
  draft.page_offset = draft.end = page_offset;
  if (breaks(page_offset)) {
    draft.lead = 1;
    draft.add(engine::break_here, {}, page_offset);
  }
  while (draft.length < static_cast<i32>(sizes_.block_instructions)) {
    const u32 at = draft.end;
    if (at + 2 > kPageBytes || (draft.length != 0 && breaks(at))) break;
    u32 raw = bytes[at] | u32{bytes[at + 1]} << 8;
    if (insn_length_bytes(raw) == 4) {
      if (at + 4 > kPageBytes) break;
      raw |= u32{bytes[at + 2]} << 16 | u32{bytes[at + 3]} << 24;
    }
    draft.end = at + insn_length_bytes(raw);
    ++draft.length;
    const InsnRow* row = find_insn(raw, extensions_);
    if (row == nullptr) {
      draft.add(engine::trap_illegal, {}, at);
      return;
    }
    Operands operands = decode_operands(row->format, raw);
    Handler handler = row->handler;
    const i32 start = static_cast<i32>(at - page_offset);
    const u8 end = static_cast<u8>((draft.end - page_offset) / 2);
    bool ends = true;
    switch (row->kind) {  // What is relative to the pc becomes relative to the block's base.
      case Kind::kBranch:
        draft.links = {is_far(at, operands.imm) ? engine::far_stub() : stub(),
                       draft.end == kPageBytes ? engine::far_stub() : stub()};
        operands.imm += start;
        operands.rd = end;
        break;
      case Kind::kJump:
        if (is_far(at, operands.imm)) handler = engine::jump_far;
        draft.links = {stub(), stub()};
        operands.imm += start;
        operands.rs1 = end;
        break;
      case Kind::kJumpIndirect:
        operands.rs2 = end;
        break;
      case Kind::kPcRelative:
        operands.imm = static_cast<i32>(static_cast<u32>(operands.imm) + static_cast<u32>(start));
        ends = false;
        break;
      default:
        ends = false;
    }
    draft.add(handler, operands, at);
    if (ends) return;
    if (row->ends_block == EndsBlock::kYes) break;
  }
  if (draft.length == 0) return;
  Operands operands;
  operands.rd = static_cast<u8>((draft.end - page_offset) / 2);
  draft.links = {stub(), stub()};
  draft.add(draft.end == kPageBytes ? engine::fall_far : engine::fall, operands, draft.end);
}

const Op* CodeCache::place(const Draft& draft, std::byte* at) const {
  std::byte* ops = at + sizeof(BlockHeader);
  std::byte* offsets = ops + (draft.op_count + 1) * sizeof(Op);
  const BlockHeader header{draft.length, static_cast<u16>(draft.page_offset), draft.lead,
                           reinterpret_cast<const u8*>(offsets)};
  std::memcpy(at, &header, sizeof header);
  std::memcpy(ops, draft.ops.data(), draft.op_count * sizeof(Op));
  std::memcpy(ops + draft.op_count * sizeof(Op), &draft.links, sizeof(Links));
  std::memcpy(offsets, draft.offsets.data(), draft.op_count + 1);
  return reinterpret_cast<const Op*>(ops);
}

const Op* CodeCache::truncated(const Op* first, u32 steps) {
  const BlockHeader& whole = header_of(first);
  Draft draft;
  draft.page_offset = whole.page_offset;
  draft.lead = whole.lead;
  draft.length = static_cast<i32>(steps);
  draft.op_count = whole.lead + steps;
  std::copy_n(first, draft.op_count, draft.ops.begin());
  std::copy_n(whole.offsets, draft.op_count + 1, draft.offsets.begin());
  draft.end = draft.page_offset + 2 * u32{whole.offsets[draft.op_count]};
  Operands operands;
  operands.rd = whole.offsets[draft.op_count];
  draft.add(engine::cut, operands, draft.end);
  return place(draft, scratch_.data());
}

bool CodeCache::written(u64 ram_offset, u64 size_bytes) {
  bool hit = false;
  const u64 end = ram_offset + size_bytes;
  for (u64 at = ram_offset; at < end; at = (at | (kPageBytes - 1)) + 1) {
    CodePage* page = pages_[at >> kPageShift].get();
    if (page == nullptr) continue;
    const u64 last = std::min(end - 1, at | (kPageBytes - 1));
    if ((page->decoded & granules(at % kPageBytes, last % kPageBytes)) == 0) continue;
    drop_page(*page);
    hit = true;
  }
  return hit;
}

/// The CodePage stays where it is, since fetch translations point at it; the blocks' memory stays until the arena is
/// full, since the block that makes the write is still running.
void CodeCache::drop_page(CodePage& page) {
  page.entries.fill(stub());
  page.decoded = 0;
  memory_.unflag_page(page.page, Memory::kCode);
}

void CodeCache::drop_all() {
  for (std::unique_ptr<CodePage>& page : pages_) {
    if (page == nullptr) continue;
    memory_.unflag_page(page->page, Memory::kCode);
    page.reset();
  }
  arena_used_ = 0;
  page_count_ = 0;
  ++generation_;
}

void CodeCache::set_breakpoints(const std::vector<VirtAddr>& breakpoints) {
  if (breakpoints == breakpoints_) return;
  breakpoints_ = breakpoints;
  std::vector<u32> offsets;
  for (const VirtAddr address : breakpoints) offsets.push_back(static_cast<u32>(address.value % kPageBytes));
  std::sort(offsets.begin(), offsets.end());
  offsets.erase(std::unique(offsets.begin(), offsets.end()), offsets.end());
  std::vector<u32> changed;
  std::set_symmetric_difference(offsets.begin(), offsets.end(), break_offsets_.begin(), break_offsets_.end(),
                                std::back_inserter(changed));
  break_offsets_ = std::move(offsets);
  for (std::unique_ptr<CodePage>& page : pages_) {
    if (page == nullptr || page->decoded == 0) continue;
    const bool affected = std::any_of(changed.begin(), changed.end(),
                                      [&](u32 offset) { return (page->decoded & granules(offset, offset)) != 0; });
    if (affected) drop_page(*page);
  }
}

bool CodeCache::breaks_at(VirtAddr pc) const {
  return std::binary_search(breakpoints_.begin(), breakpoints_.end(), pc);
}

}  // namespace retrov
