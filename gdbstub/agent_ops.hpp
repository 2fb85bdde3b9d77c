// The bytecodes of agent expressions ("Bytecode Descriptions" in gdb's manual).
#pragma once

#include "core/types.hpp"

namespace retrov::agent_op {

enum Op : u8 {
  kAdd = 0x02, kSub, kMul, kDivSigned, kDivUnsigned, kRemSigned, kRemUnsigned, kLsh, kRshSigned, kRshUnsigned,
  kTrace, kTraceQuick, kLogNot, kBitAnd, kBitOr, kBitXor, kBitNot, kEqual, kLessSigned, kLessUnsigned, kExt,
  kRef8, kRef16, kRef32, kRef64,
  kIfGoto = 0x20, kGoto, kConst8, kConst16, kConst32, kConst64, kReg, kEnd, kDup, kPop, kZeroExt, kSwap,
  kGetv, kSetv, kTracev, kTracenz, kTrace16,
  kPick = 0x32, kRot, kPrintf,
};

}  // namespace retrov::agent_op
