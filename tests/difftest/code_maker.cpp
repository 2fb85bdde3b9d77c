#include "tests/difftest/code_maker.hpp"

#include <bit>

#include "core/csr.hpp"
#include "tests/difftest/arena.hpp"
#include "tests/difftest/csr_roles.hpp"

namespace retrov::difftest {
namespace {

/// Rows that go somewhere else: mostly left to idioms, which know where to.
bool leads_away(const InsnRow& row) {
  return row.kind == Kind::kJumpIndirect || row.name == "mret" || row.name == "sret" || row.name == "wfi";
}

/// Writing it is illegal.
bool is_read_only(const CsrRow& row) { return row.number >> 10 == 3; }

bool accesses_memory(const InsnRow& row) {
  return row.kind == Kind::kLoad || row.kind == Kind::kStore || row.format == Format::kAmo ||
         row.format == Format::kLr || row.format == Format::kBlock;
}

bool is_csr(const InsnRow& row) { return row.format == Format::kCsr || row.format == Format::kCsrImm; }

bool has_rounding_mode(const InsnRow& row) {
  switch (row.format) {
    case Format::kFR:
    case Format::kFR4:
    case Format::kFUnary:
    case Format::kFToInt:
    case Format::kIntToF:
      return (row.encoding.mask & 0x7000) == 0;
    default:
      return false;
  }
}

std::vector<const InsnRow*> rows_of_machine() {
  std::vector<const InsnRow*> rows;
  for (const InsnTable& table : insn_tables()) {
    if (table.unless.has(Extension::kC)) continue;
    for (const InsnRow& row : table) rows.push_back(&row);
  }
  return rows;
}

}  // namespace

void CodeMaker::put(u32 raw) {
  program_.code.push_back({static_cast<u32>(at_), raw});
  at_ += insn_length_bytes(raw);
}

/// Restricts what a CSR instruction may do by the role of its register.
u32 CodeMaker::csr_bits(u32 raw) {
  const u16 number = static_cast<u16>(raw >> 20);
  const CsrRole& role = role_of(number);
  const bool free = role.traffic == Traffic::kFree;
  if (!free) raw = (raw & ~0x000ff000u) | 0x2000;  // csrrs rd, csr, x0
  if (role.hidden) raw &= ~0xf80u;
  return raw;
}

std::optional<u32> CodeMaker::bits_of(const InsnRow& row) {
  for (unsigned attempt = 0; attempt < 50; ++attempt) {
    u32 raw = (static_cast<u32>(random_.bits()) & ~row.encoding.mask) | row.encoding.match;
    if (row.encoding.bits == 16) raw &= 0xffff;
    if (is_csr(row)) {
      raw = csr_bits((raw & 0xfffff) | u32{random_.from(csr_rows()).number} << 20);
    } else if (row.encoding.bits == 32) {
      const bool atomic = row.format == Format::kAmo || row.format == Format::kLr;
      const bool writes_rd =
          row.kind == Kind::kAlu || row.kind == Kind::kPcRelative || row.kind == Kind::kLoad || atomic;
      const bool points = row.kind == Kind::kLoad || row.kind == Kind::kStore || atomic || row.format == Format::kBlock;
      if (writes_rd && !random_.one_in(12)) raw |= 0x800;  // x16 and up.
      if (points && !random_.one_in(24)) raw = (raw & ~0xf8000u) | random_.from(kPointers) << 15;
    }
    const Format f = row.format;
    const bool has_rd = f == Format::kFToInt || f == Format::kFToIntNoRm || f == Format::kFCompare || is_csr(row);
    if (has_rd && (raw & 0xf80) != 0 && !random_.one_in(12)) raw |= 0x800;
    if (has_rounding_mode(row) && (raw >> 12 & 7) > 4 && !random_.one_in(8)) raw |= 0x7000;
    if (find_insn(raw) == &row && fits(row, raw)) return raw;
  }
  return std::nullopt;
}

/// Jumps stay in the code and rarely go back.
bool CodeMaker::fits(const InsnRow& row, u32 raw) {
  if (row.kind != Kind::kBranch && row.kind != Kind::kJump) return true;
  const i64 imm = decode_operands(row.format, raw).imm;
  const i64 target = static_cast<i64>(at_) + imm;
  const bool inside = target >= static_cast<i64>(begin_) && target < static_cast<i64>(end_);
  if (!inside) return random_.one_in(200);
  if (imm <= 0) return random_.one_in(24);
  return imm < 40 || random_.one_in(8);
}

void CodeMaker::one_row(const InsnRow& row) {
  if (row.kind == Kind::kBranch || row.kind == Kind::kJump) {
    // Few random displacements fit; these do.
    for (unsigned attempt = 0; attempt < 400; ++attempt) {
      if (const auto raw = bits_of(row)) return put(*raw);
    }
    return;
  }
  const auto raw = bits_of(row);
  if (!raw) return;
  if (accesses_memory(row) && random_.one_in(2)) aim(row, *raw);
  put(*raw);
}

/// The register that the instruction takes its address from points to memory that it may use.
void CodeMaker::aim(const InsnRow& row, u32 raw) {
  const u32 base = decode_operands(row.format, raw).rs1;
  if (base == 0) return;
  const bool atomic = row.format == Format::kAmo || row.format == Format::kLr || row.format == Format::kBlock;
  const u64 offset = random_.below(kSoundPages * kPageBytes / 64) * 64;
  point(base, atomic || random_.one_in(2) ? DT_DATA_PAGE * kPageBytes + offset : interesting_offset(random_));
}

void CodeMaker::any_row() {
  static const std::vector<const InsnRow*> rows = rows_of_machine();
  const InsnRow& row = *random_.from(rows);
  if (row.format == Format::kLr) return reserve();
  if (leads_away(row) && !random_.one_in(6)) return;
  if (row.name == "ecall" && !random_.one_in(2)) return;
  one_row(row);
}

void CodeMaker::point(u32 rd, u64 offset) {
  const i64 distance = static_cast<i64>(offset) - static_cast<i64>(at_);
  const i64 high = (distance + 0x800) >> 12;
  put(static_cast<u32>(high) << 12 | rd << 7 | 0x17);
  add_immediate(rd, rd, static_cast<i32>(distance - high * 4096));
}

void CodeMaker::pointer() {
  const u32 base = random_.from(kPointers);
  point(base, interesting_offset(random_));
}

/// No instruction, or one nearly.
void CodeMaker::nonsense() {
  static const std::vector<const InsnRow*> rows = rows_of_machine();
  const InsnRow& row = *random_.from(rows);
  u32 raw = (static_cast<u32>(random_.bits()) & ~row.encoding.mask) | row.encoding.match;
  const bool narrow = row.encoding.bits == 16;
  switch (random_.below(4)) {
    case 0:
      raw = static_cast<u32>(random_.bits()) | 3;
      break;
    case 1:
      raw = static_cast<u32>(random_.bits()) & 0xffff;
      break;
    default:
      raw ^= 1u << (2 + random_.below(narrow ? 14 : 30));
      break;
  }
  if ((raw & 3) != 3) raw &= 0xffff;
  const InsnRow* found = find_insn(raw);
  // What is an instruction after all is left to those who know what it does.
  if (found == nullptr) put(raw);
}

void CodeMaker::csr_traffic() {
  const CsrRow& row = random_.from(csr_rows());
  const CsrRole& role = role_of(row.number);
  const u32 rd = role.hidden ? 0 : static_cast<u32>(16 + random_.below(16));
  const u32 rs1 = static_cast<u32>(random_.below(32));
  const u32 funct3 = static_cast<u32>(random_.of(1, 2, 3, 5, 6, 7));
  if (is_read_only(row) && !random_.one_in(4)) return csr(2, row.number, rd, 0);
  switch (role.traffic) {
    case Traffic::kFree:
      return csr(funct3, row.number, rd, rs1);
    case Traffic::kRestored:
      return restored_csr(row.number);
    case Traffic::kReadOnly:
      return csr(2, row.number, rd, 0);
    case Traffic::kChosen:
      return chosen(row.number, rd);
    case Traffic::kMasked:
      break;
  }
  const u32 value = masked(role.mask, rs1);
  csr(value == 0 ? 1 : static_cast<u32>(random_.of(1, 2, 3)), row.number, rd, value);
}

/// Many of them, where they are allowed.
void CodeMaker::csr_tour() {
  for (unsigned i = program_.modes[0] == 3 ? 16 : 2; i > 0; --i) csr_traffic();
}

/// A register that holds what rs1 has under the mask.
u32 CodeMaker::masked(u64 mask, u32 rs1) {
  if (mask == 0) return 0;
  const u32 rd = 30;
  if (rs1 == rd) return masked(mask, 29);
  if (mask >> 32 != 0 && mask >> 63 == 0) {
    const u32 above = static_cast<u32>(std::countl_zero(mask));
    put(above << 20 | rs1 << 15 | 1 << 12 | rd << 7 | 0x13);
    put(above << 20 | rd << 15 | 5 << 12 | rd << 7 | 0x13);  // slli, srli
    return rd;
  }
  constant(rd, static_cast<u32>(mask));
  put(rs1 << 20 | rd << 15 | 7 << 12 | rd << 7 | 0x33);
  return rd;
}

/// rd = a sign-extended word.
void CodeMaker::constant(u32 rd, u32 value) {
  const u32 high = (value + 0x800) & 0xfffff000;
  put(high | rd << 7 | 0x37);
  put((value - high) << 20 | rd << 15 | rd << 7 | 0x1b);  // addiw
}

void CodeMaker::chosen(u16 number, u32 rd) {
  const u64 value = chosen_value(random_, program_, number);
  const u32 high = 31, low = 30;
  constant(high, static_cast<u32>(value >> 32));
  constant(low, static_cast<u32>(value));
  shift_left(high, 32);
  put(high << 20 | low << 15 | 4u << 25 | low << 7 | 0x3b);  // add.uw low, low, high
  csr(1, number, rd, low);
}

/// The new value is only looked at. A row of three, so that nothing can come between.
void CodeMaker::restored_csr(u16 number) {
  // satp takes effect on the next fetch, so it is not for these.
  if (number == 0x180) return switch_tables();
  const u64 mask = role_of(number).mask;
  const u32 value =
      mask == ~u64{0} ? static_cast<u32>(random_.below(16)) : masked(mask, static_cast<u32>(random_.below(16)));
  csr(1, number, 16, value);
  csr(2, number, 17, 0);
  csr(1, number, 18, 16);
}

/// To another root that leads to the code as well, or to a mode that does not exist.
void CodeMaker::switch_tables() {
  const u32 value = 19, mode_bits = 20;
  const SatpChoice choice = choose_satp(random_, program_.window);
  put(choice.page_number << 12 | value << 7 | 0x37);
  shift_left(value, 32);
  put(44u << 20 | value << 15 | 5 << 12 | value << 7 | 0x13);  // srli
  add_immediate(mode_bits, 0, static_cast<i32>(choice.mode));
  shift_left(mode_bits, 16);
  add_immediate(mode_bits, mode_bits, static_cast<i32>(random_.below(2048)));
  shift_left(mode_bits, 44);
  put(mode_bits << 20 | value << 15 | value << 7 | 0x33);
  csr(1, 0x180, 18, value);
}

void CodeMaker::reserve() {
  const u32 base = random_.from(kPointers), size = static_cast<u32>(random_.of(2, 3));
  const u32 aligned = 30;
  if (random_.one_in(6)) {
    add_immediate(aligned, base, 0);
    put(0xff000000u | aligned << 15 | 7 << 12 | aligned << 7 | 0x13);  // andi -16
  } else {
    point(aligned, DT_DATA_PAGE * kPageBytes + random_.below(kSoundPages * kPageBytes / 16) * 16);
  }
  const u32 at = random_.one_in(16) ? base : aligned;
  const auto conditional = [&](u32 rd, u32 of_size) {
    const u32 order = below(4), rs2 = below(32);
    put(3u << 27 | order << 25 | rs2 << 20 | at << 15 | of_size << 12 | rd << 7 | 0x2f);
  };
  const u32 order = below(4), rd = 16 + below(8);
  put(2u << 27 | order << 25 | at << 15 | size << 12 | rd << 7 | 0x2f);
  for (u64 i = random_.below(3); i > 0; --i)
    add_immediate(static_cast<u32>(16 + random_.below(14)), 0, static_cast<i32>(i));
  conditional(22, random_.one_in(60) ? 5 - size : size);
  if (random_.one_in(3)) conditional(23, size);  // Without a reservation.
}

/// An entry is changed, and the change made known.
void CodeMaker::change_table() {
  if (has_user_) return;
  const u32 place = 30, value = 31;
  point(place, table_entry(random_));
  put(place << 15 | 3 << 12 | value << 7 | 0x03);
  const u32 bit = static_cast<u32>(random_.below(3) == 0 ? random_.below(11) : random_.of(1, 2, 3, 4, 6, 7));
  if (bit == 10) {  // One of the high bits: N, PBMT, reserved.
    put(random_.of(63, 62, 61, 60, 54) << 20 | value << 15 | 1 << 12 | value << 7 | 0x68000013);  // binvi
  } else {
    put(u32{1} << bit << 20 | value << 15 | 4 << 12 | value << 7 | 0x13);  // xori
  }
  put(value << 20 | place << 15 | 3 << 12 | 0x23);
  if (random_.one_in(4)) {
    put(0x18000073 | (random_.one_in(2) ? place << 15 : 0));  // sfence.w.inval
  }
  u32 invalidate = 0x12000073;
  if (random_.one_in(3)) invalidate |= place << 15;
  if (random_.one_in(3)) invalidate |= value << 20;
  put(invalidate);
  memory_accesses();
}

/// An instruction of its own code, made known by FENCE.I.
void CodeMaker::patch_code() {
  const u32 place = 30, value = 31;
  const u64 here = at_;
  const u32 rd = static_cast<u32>(16 + random_.below(14));
  // addi rd, rd, imm, put together by lui and addi.
  const u32 made = static_cast<u32>(random_.below(2048)) << 20 | rd << 15 | rd << 7 | 0x13;
  const u32 high = (made + 0x800) & 0xfffff000;
  put(high | value << 7 | 0x37);
  add_immediate(value, value, static_cast<i32>(made - high));
  const u64 target = here + 24 + 4 * random_.below(3);
  point(place, target);
  put(value << 20 | place << 15 | 2 << 12 | 0x23);
  put(0x0000100f);
  for (unsigned i = 0; i < 3; ++i) put(0x00000013);
}

void CodeMaker::indirect_jump() {
  const u32 place = 30;
  point(place, at_ + 12 + 2 * random_.below(6));
  switch (random_.below(4)) {
    case 0:
      put(0x8002 | place << 7);
      break;  // c.jr
    case 1:
      put(0x9002 | place << 7);
      break;  // c.jalr
    default: {
      const u32 offset = below(4);
      put(offset << 20 | place << 15 | random_.of(0, 1, 5, 20) << 7 | 0x67);
    }
  }
  for (unsigned i = 0; i < 6; ++i) put(0x0001);
}

/// By MRET or SRET, to what is behind it, or nearly.
void CodeMaker::switch_mode() {
  const u32 place = 30;
  const bool machine = random_.one_in(2);
  const u32 epc = machine ? 0x341 : 0x141, status = machine ? 0x300 : 0x100;
  point(place, at_ + 24 + 2 * random_.below(3));
  csr(1, epc, 0, place);
  const u32 bits = 31;
  // Bits of MPP and MPIE, or of SPP and SPIE, and of what comes with them.
  const u32 mask = machine ? static_cast<u32>(random_.of(0x1800, 0x0800, 0x1000, 0x1880))
                           : static_cast<u32>(random_.of(0x100, 0x120, 0x22));
  put(mask >> 4 << 20 | bits << 7 | 0x13);
  shift_left(bits, 4);
  csr(static_cast<u32>(random_.of(2, 3)), status, 0, bits);
  put(machine ? 0x30200073 : 0x10200073);
}

void CodeMaker::interrupts() {
  const u32 bits = 31;
  add_immediate(bits, 0, static_cast<i32>(random_.of(0x2, 0x20, 0x200, 0x222, 0x202, 0x220)));
  csr(2, static_cast<u32>(random_.of(0x344, 0x144)), 16, bits);
  csr(2, static_cast<u32>(random_.of(0x304, 0x104)), 17, bits);
  switch (random_.below(4)) {
    case 0:
      csr(6, 0x300, 18, 8);
      break;
    case 1:
      csr(6, 0x100, 18, 2);
      break;
    case 2:
      csr(7, 0x304, 0, 2);
      break;
    default:
      break;
  }
}

void CodeMaker::wait() {
  const bool machine = program_.modes[0] == 3;
  csr(6, machine ? 0x304 : 0x104, 0, 2);
  csr(6, machine ? 0x344 : 0x144, 0, 2);
  put(0x10500073);
}

void CodeMaker::rounding() {
  if (random_.one_in(2)) return csr(5, 2, 16, static_cast<u32>(random_.below(random_.one_in(6) ? 8 : 5)));
  const u32 funct3 = static_cast<u32>(random_.of(1, 2, 3, 5, 6, 7)), number = static_cast<u32>(random_.of(1, 2, 3));
  csr(funct3, number, 17, below(32));
}

/// On, and new values.
void CodeMaker::floating() {
  const u32 bits = 31;
  put(0x00006037 | bits << 7);  // lui: FS
  csr(2, random_.of(0x300, 0x100), 0, bits);
  for (u64 i = random_.below(4); i > 0; --i) {
    const u32 base = random_.from(kPointers), offset = below(64), size = static_cast<u32>(random_.of(1, 2, 3));
    put(offset << 20 | base << 15 | size << 12 | below(32) << 7 | 0x07);
  }
}

void CodeMaker::memory_accesses() {
  for (u64 i = random_.below(4); i > 0; --i) {
    const u32 base = random_.from(kPointers), offset = below(64);
    if (random_.one_in(2)) {
      const u32 funct3 = below(7), rd = 16 + below(16);
      put(offset << 20 | base << 15 | funct3 << 12 | rd << 7 | 0x03);
    } else {
      const u32 funct3 = below(4), rs2 = below(32);
      put(offset >> 5 << 25 | rs2 << 20 | base << 15 | funct3 << 12 | (offset & 31) << 7 | 0x23);
    }
  }
}

void CodeMaker::make() {
  struct Weight {
    unsigned share;
    Idiom idiom;
  };
  static constexpr Weight kWeights[] = {
      {100, &CodeMaker::any_row},   {14, &CodeMaker::pointer},
      {6, &CodeMaker::nonsense},    {14, &CodeMaker::csr_tour},
      {4, &CodeMaker::reserve},     {3, &CodeMaker::change_table},
      {2, &CodeMaker::patch_code},  {2, &CodeMaker::indirect_jump},
      {4, &CodeMaker::switch_mode}, {3, &CodeMaker::interrupts},
      {1, &CodeMaker::wait},        {3, &CodeMaker::rounding},
      {3, &CodeMaker::floating},    {6, &CodeMaker::memory_accesses},
  };
  unsigned total = 0;
  for (const Weight& each : kWeights) total += each.share;
  while (at_ < end_) {
    u64 at = random_.below(total);
    const Weight* each = kWeights;
    while (at >= each->share) at -= each++->share;
    (this->*each->idiom)();
  }
}

}  // namespace retrov::difftest
