#include "core/csr.hpp"
#include "core/insn.hpp"
#include "tests/difftest/arena.hpp"
#include "tests/difftest/code_maker.hpp"
#include "tests/difftest/csr_roles.hpp"

namespace retrov::difftest {
namespace {

/// Fetches that fail: the runner leads the program back to its code. ECALL from S is how the handler calls the runner.
/// An illegal instruction may be the handler's SRET.
constexpr u64 kHandledAlone = 1 << 1 | 1 << 12 | 1 << 9 | 1 << 2;

/// The privileges that a program moves between. Code is in user pages or in the supervisor's.
u64 choose_privileges(Random& random) {
  static constexpr u64 kChoices[] = {4, 2, 1, 6, 6, 5, 2, 1};
  return random.from(kChoices);
}

u64 one_of(Random& random, u64 privileges) {
  for (;;) {
    const u64 bit = random.below(3);
    if ((privileges >> bit & 1) != 0) return bit == 2 ? 3 : bit;
  }
}

struct Start {
  u64 privileges = 0;
  bool user = false;
  bool has_tables = false;
};

u64 pmp_address(Random& random, u16 number) {
  if (number == 0x3bf) return (u64{1} << 54) - 1;
  const u64 at = (DT_ARENA + interesting_offset(random)) >> 2;
  switch (random.below(4)) {
    case 0:
      return at;
    case 1:
      return at | ((u64{1} << random.below(10)) - 1);
    case 2:
      return at & ~u64{1};
    default:
      return random.one_in(4) ? random.bits() >> 10 : at;
  }
}

u64 status(Random& random, u64 mode) {
  u64 value = mode << 11 | u64{2} << 32;  // UXL: 64 bits
  if (!random.one_in(10)) value |= random.of(1, 2, 3) << 13;
  if (random.one_in(2)) value |= mstatus::kMpie;
  if (random.one_in(2)) value |= mstatus::kSie;
  if (random.one_in(2)) value |= mstatus::kSpie;
  if (random.one_in(2)) value |= mstatus::kSum;
  if (random.one_in(3)) value |= mstatus::kMxr;
  if (random.one_in(8)) value |= mstatus::kTvm;
  if (random.one_in(8)) value |= mstatus::kTw;
  if (random.one_in(8)) value |= mstatus::kTsr;
  if (random.one_in(2)) value |= mstatus::kSpp;
  return value;
}

/// What a CSR starts with. Values that a register refuses would leave there what another program has put.
u64 csr_value(Random& random, const Program& program, const Start& start, u16 number, u64 vectors) {
  const u64 free = integer_value(random);
  switch (number) {
    case 0x105:
      return program.window + DT_HANDLER_PAGE * kPageBytes + random.below(2);
    case 0x10a:
      return random.one_in(4) ? 0 : random.bits() & random.of(0xc1, 0xd1);
    case 0x180: {
      if (!start.has_tables) return 0;
      SatpChoice choice{};
      while (choice.mode < 8 || choice.mode > 10) choice = choose_satp(random, program.window);
      return u64{choice.mode} << 60 | (random.one_in(2) ? random.bits() % 65536 << 44 : 0) | choice.page_number;
    }
    case 0x302:
      return random.one_in(2) ? 0 : random.bits() & role_of(number).mask & ~kHandledAlone;
    case 0x305:
      return vectors | random.below(2);
    case 0x304:
      return random.one_in(2) ? 0 : free & role_of(number).mask;
    case 0x340:
      return DT_FRAME;
    case 0x341:
      return program.entry;
    case 0x100:
    case 0x300:
      return status(random, program.modes[0]);
    case 0x14d:
    case 0x30a:
    case 0x3a0:
    case 0x3a2:
      return chosen_value(random, program, number);
    default:
      break;
  }
  if (number >= 0x3b0 && number <= 0x3bf) return pmp_address(random, number);
  return free & role_of(number).mask;
}

}  // namespace

Program generate(u64 seed, u64 vectors) {
  Random random(seed);
  Program program;
  program.seed = seed;
  program.locks = random.one_in(100);
  program.limit = 16 + random.below(DT_TRAPS - 16 + 1);
  Start start;
  start.privileges = choose_privileges(random);
  const bool machine = (start.privileges & 4) != 0;
  start.user = (start.privileges & 1) != 0;
  start.has_tables = machine ? !random.one_in(3) : !random.one_in(6);
  if (start.has_tables && !machine && random.one_in(3)) program.window = kHighWindow;

  // Across the end of a page, often.
  const u64 begin = random.one_in(2) ? kPageBytes - 2 * random.below(250) : 2 * random.below(2000);
  const u64 end = begin + 500 + random.below(700);
  program.entry = program.window + begin;
  for (u64& mode : program.modes) mode = one_of(random, start.privileges);
  CodeMaker(random, program, start.user, begin, end).make();
  const Slot last = program.code.back();
  program.end = program.window + last.at + insn_length_bytes(last.raw);
  for (u32 i = 0; i < 8; ++i)
    program.code.push_back({static_cast<u32>(program.end - program.window + 4 * i), 0x00100073});
  for (u64& place : program.resume) place = program.window + random.from(program.code).at;
  make_memory(random, program, start.user);

  for (u64& value : program.x) value = integer_value(random);
  for (const u32 number : kPointers) program.x[number] = pointer_value(random, program.window);
  for (u64& value : program.f) value = float_value(random);
  for (const u16 number : loaded_csrs()) program.csrs.push_back(csr_value(random, program, start, number, vectors));
  return program;
}

}  // namespace retrov::difftest
