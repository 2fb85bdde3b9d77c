// The threaded form of code. An op is a handler and its operands, 16 bytes; a block is a header, ops and a table of
// instruction offsets, laid out in one stretch, so that any op finds its header and with it its pc. Ops are threaded
// by tail calls and hold nothing that the guest could see.
//
//   BlockHeader | op 0 | op 1 | … | op n-1 | links | u8 offsets[n + 1]
//
// There is an op per instruction, besides BREAK at the front and FALL at the end, which count no step.
//
// A block charges its whole length to the budget at its entry; whoever leaves it earlier gives the rest back.
#pragma once

#include "core/types.hpp"

namespace retrov {

class Hart;
struct CodePage;

/// The decoded fields of an instruction. A destination x0 is slot 32. What else a format needs (rounding mode, rs3, CSR
/// number, shift amount) is in `imm`; see Format.
struct Operands {
  i32 imm = 0;
  u8 rd = 0, rs1 = 0, rs2 = 0;
  u8 index = 0;  ///< Of the op in its block. Of no interest to instructions.
};

struct Op;
using Handler = void (*)(const Op* op, Hart* hart, i64 budget, u64 base);

struct Op {
  Handler handler;
  Operands operands;
};
static_assert(sizeof(Op) == 16);

/// Behind a block's last op: the first ops of the blocks that follow, or the stub.
struct Links {
  const Op* taken;
  const Op* fall;
};
static_assert(sizeof(Links) == sizeof(Op));

struct BlockHeader {
  i32 length;         ///< Instructions in the block; kStubLength in a stub, so that entering it fails the budget test.
  u16 page_offset;    ///< Of the first instruction, in its page, in bytes.
  u16 lead;           ///< Ops before the first instruction: 1 if the block starts with BREAK, else 0.
  const u8* offsets;  ///< offsets[i]: where op i's instruction starts, in halfwords from the block's start.
};
static_assert(sizeof(BlockHeader) == 16);

inline constexpr i32 kStubLength = 0x7fffffff;
inline constexpr unsigned kMaxBlockInstructions = 64;

inline const BlockHeader& header_of(const Op* op) {
  return reinterpret_cast<const BlockHeader*>(op - op->operands.index)[-1];
}
inline Links& links_of(const Op* op) { return *reinterpret_cast<Links*>(const_cast<Op*>(op + 1)); }

}  // namespace retrov
