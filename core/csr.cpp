#include "core/csr.hpp"

#include <array>
#include <vector>

#include "core/check.hpp"
#include "core/hart.hpp"

namespace retrov {
namespace {

// --- plain registers -------------------------------------------------------------------------------------------------

template <u64 Csrs::*kField>
u64 get(const Hart& hart, u16) {
  return hart.csr.*kField;
}

template <u64 Csrs::*kField, u64 kKept = ~u64{0}>
void set(Hart& hart, const CsrWrite& write) {
  hart.csr.*kField = write.value & kKept;
}

/// xepc: bit 0 is 0, and bit 1 as well where instructions are aligned to four bytes (3.1.14).
template <u64 Csrs::*kField>
void set_epc(Hart& hart, const CsrWrite& write) {
  hart.csr.*kField = write.value & (hart.has(Extension::kC) ? ~u64{1} : ~u64{3});
}

template <u64 kValue>
u64 constant(const Hart&, u16) {
  return kValue;
}

u64 get_misa(const Hart& hart, u16) { return misa_of(hart.platform().extensions); }
u64 get_mhartid(const Hart& hart, u16) { return hart.index(); }

/// Only modes 0 and 1 exist; another one leaves the register as it was, as on QEMU.
template <u64 Csrs::*kField>
void set_tvec(Hart& hart, const CsrWrite& write) {
  if ((write.value & 3) < 2) hart.csr.*kField = write.value;
}

// --- floating point --------------------------------------------------------------------------------------------------

bool fp_gate(const Hart& hart, u16) { return hart.fp_enabled(); }

u64 get_fflags(const Hart& hart, u16) { return hart.csr.fflags; }
u64 get_frm(const Hart& hart, u16) { return hart.csr.frm; }
u64 get_fcsr(const Hart& hart, u16) { return u64{hart.csr.frm} << 5 | hart.csr.fflags; }

void set_fflags(Hart& hart, const CsrWrite& write) {
  hart.csr.fflags = static_cast<u8>(write.value & 0x1f);
  hart.fp_dirty();
}
void set_frm(Hart& hart, const CsrWrite& write) {
  hart.csr.frm = static_cast<u8>(write.value & 7);
  hart.fp_dirty();
}
void set_fcsr(Hart& hart, const CsrWrite& write) {
  hart.csr.fflags = static_cast<u8>(write.value & 0x1f);
  hart.csr.frm = static_cast<u8>(write.value >> 5 & 7);
  hart.fp_dirty();
}

// --- counters --------------------------------------------------------------------------------------------------------

constexpr u64 kCycleBit = 1u << 0;
constexpr u64 kInstretBit = 1u << 2;

/// mcounteren and scounteren (3.1.11): what is not passed down is illegal below.
bool counter_gate(const Hart& hart, u16 number) {
  const u64 bit = u64{1} << (number & 31);
  if (hart.priv != Priv::kMachine && (hart.csr.mcounteren & bit) == 0) return false;
  return hart.priv != Priv::kUser || (hart.csr.scounteren & bit) != 0;
}

u64 count_of(const Hart& hart, u64 bit) { return bit == kCycleBit ? hart.position.steps : hart.retired_now(); }
u64 Csrs::*offset_of(u64 bit) { return bit == kCycleBit ? &Csrs::mcycle_offset : &Csrs::minstret_offset; }

template <u64 kBit>
u64 get_counter(const Hart& hart, u16) {
  const u64 offset = hart.csr.*offset_of(kBit);
  return (hart.csr.mcountinhibit & kBit) != 0 ? offset : count_of(hart, kBit) + offset;
}

/// The instruction behind the write reads `value`: a write wins over the increment of the instruction that writes
/// (3.1.10). A debugger's write is made behind the step that it costs (Machine::apply).
void put_counter(Hart& hart, u64 bit, u64 value, CsrWriter writer) {
  const u64 own = writer == CsrWriter::kInstruction ? 1 : 0;
  const bool inhibited = (hart.csr.mcountinhibit & bit) != 0;
  hart.csr.*offset_of(bit) = inhibited ? value : value - (count_of(hart, bit) + own);
}

template <u64 kBit>
void set_counter(Hart& hart, const CsrWrite& write) {
  put_counter(hart, kBit, write.value, write.writer);
}

/// A counter goes on from where it stands: freezing or releasing it counts as writing its own value to it.
void set_mcountinhibit(Hart& hart, const CsrWrite& write) {
  const u64 cycle = get_counter<kCycleBit>(hart, 0);
  const u64 instret = get_counter<kInstretBit>(hart, 0);
  const u64 next = write.value & (kCycleBit | kInstretBit);
  const u64 changed = hart.csr.mcountinhibit ^ next;
  hart.csr.mcountinhibit = next;
  if ((changed & kCycleBit) != 0) put_counter(hart, kCycleBit, cycle, write.writer);
  if ((changed & kInstretBit) != 0) put_counter(hart, kInstretBit, instret, write.writer);
  hart.leave = true;
}

u64 get_time(const Hart& hart, u16) { return hart.platform().time.mtime(hart.now()); }

// --- status ----------------------------------------------------------------------------------------------------------

constexpr u64 kSstatusWritable = mstatus::kSie | mstatus::kSpie | mstatus::kSpp | mstatus::kFs | mstatus::kSum |
                                 mstatus::kMxr;
constexpr u64 kSstatusVisible = kSstatusWritable | mstatus::kUbe | mstatus::kVs | mstatus::kXs | mstatus::kUxl |
                                mstatus::kSd;
constexpr u64 kMstatusWritable = kSstatusWritable | mstatus::kMie | mstatus::kMpie | mstatus::kMpp | mstatus::kMprv |
                                 mstatus::kTvm | mstatus::kTw | mstatus::kTsr;

/// Returns the bits that changed. MPP has no mode 2 and then stays as it was; UXL and SXL stay 64 bit, memory stays
/// little-endian, and there is no vector state.
u64 put_status(Hart& hart, u64 value, u64 writable) {
  const u64 old = hart.csr.mstatus;
  if ((value & mstatus::kMpp) == u64{2} << 11) writable &= ~mstatus::kMpp;
  if (!hart.has(Extension::kF)) writable &= ~mstatus::kFs;
  u64 next = (old & ~(writable | mstatus::kSd)) | (value & writable);
  if ((next & mstatus::kFs) == mstatus::kFs) next |= mstatus::kSd;
  hart.csr.mstatus = next;
  const u64 changed = old ^ next;
  if ((changed & (mstatus::kMprv | mstatus::kMpp | mstatus::kSum)) != 0) hart.select_context();
  if ((changed & mstatus::kMxr) != 0) hart.flush_translations();
  return changed;
}

void set_mstatus(Hart& hart, const CsrWrite& write) {
  put_status(hart, write.value, kMstatusWritable);
  hart.leave = true;
}

u64 get_sstatus(const Hart& hart, u16) { return hart.csr.mstatus & kSstatusVisible; }

/// Guests do this all the time to guard critical sections, so the block goes on unless something else must happen. SUM
/// only selects another translation context, which every access looks up.
void set_sstatus(Hart& hart, const CsrWrite& write) {
  const u64 changed = put_status(hart, write.value, kSstatusWritable);
  const bool unmasked = (changed & hart.csr.mstatus & mstatus::kSie) != 0 && hart.wakes();
  const bool fp_off = (changed & mstatus::kFs) != 0 && !hart.fp_enabled();
  if (unmasked || fp_off || (changed & mstatus::kMxr) != 0) hart.leave = true;
}

// --- interrupts ------------------------------------------------------------------------------------------------------

constexpr u64 kDelegableTraps = 0xb3ff;  // All causes but ecall from M-mode and the reserved ones.

bool has_stimecmp(const Hart& hart) { return (hart.csr.menvcfg & menvcfg::kStce) != 0; }

u64 get_mip(const Hart& hart, u16) { return hart.mip(); }
u64 get_sip(const Hart& hart, u16) { return hart.mip() & hart.csr.mideleg; }
u64 get_sie(const Hart& hart, u16) { return hart.csr.mie & hart.csr.mideleg; }

void put_bits(Hart& hart, u64& field, u64 value, u64 writable) {
  field = (field & ~writable) | (value & writable);
  hart.leave = true;
}

/// With Sstc, STIP is the comparison with stimecmp and no longer software's.
void set_mip(Hart& hart, const CsrWrite& write) {
  const u64 writable = irq::kSsip | irq::kSeip | (has_stimecmp(hart) ? 0 : irq::kStip);
  put_bits(hart, hart.csr.mip, write.value, writable);
}
void set_sip(Hart& hart, const CsrWrite& write) {
  put_bits(hart, hart.csr.mip, write.value, irq::kSsip & hart.csr.mideleg);
}
void set_mie(Hart& hart, const CsrWrite& write) {
  put_bits(hart, hart.csr.mie, write.value, irq::kSupervisor | irq::kMachine);
}
void set_sie(Hart& hart, const CsrWrite& write) { put_bits(hart, hart.csr.mie, write.value, hart.csr.mideleg); }
void set_mideleg(Hart& hart, const CsrWrite& write) {
  put_bits(hart, hart.csr.mideleg, write.value, irq::kSupervisor);
}
/// What menvcfg and senvcfg have in common. The fields of absent extensions are read-only 0. CBIE has no value 2 and
/// then stays as it was.
u64 common_envcfg(const Hart& hart, u64 value) {
  u64 writable = menvcfg::kFiom;
  if (hart.has(Extension::kZicbom)) writable |= menvcfg::kCbie | menvcfg::kCbcfe;
  if (hart.has(Extension::kZicboz)) writable |= menvcfg::kCbze;
  if ((value & menvcfg::kCbie) == 2u << 4) writable &= ~menvcfg::kCbie;
  return writable;
}

void set_menvcfg(Hart& hart, const CsrWrite& write) {
  u64 writable = common_envcfg(hart, write.value);
  if (hart.has(Extension::kSvadu)) writable |= menvcfg::kAdue;
  if (hart.has(Extension::kSvpbmt)) writable |= menvcfg::kPbmte;
  if (hart.has(Extension::kSstc)) writable |= menvcfg::kStce;
  const u64 old = hart.csr.menvcfg;
  put_bits(hart, hart.csr.menvcfg, write.value, writable);
  if (((old ^ hart.csr.menvcfg) & menvcfg::kPbmte) != 0) hart.flush_translations();
}

void set_senvcfg(Hart& hart, const CsrWrite& write) {
  const u64 writable = common_envcfg(hart, write.value);
  hart.csr.senvcfg = (hart.csr.senvcfg & ~writable) | (write.value & writable);
}

void set_stimecmp(Hart& hart, const CsrWrite& write) {
  hart.csr.stimecmp = write.value;
  hart.leave = true;
}

/// Sstc, chapter 2: below M-mode both menvcfg.STCE and mcounteren.TM must be set.
bool stimecmp_gate(const Hart& hart, u16) {
  if (hart.priv == Priv::kMachine) return true;
  return has_stimecmp(hart) && (hart.csr.mcounteren & kCounterTime) != 0;
}

// --- translation and protection --------------------------------------------------------------------------------------

bool satp_gate(const Hart& hart, u16) {
  return hart.priv != Priv::kSupervisor || (hart.csr.mstatus & mstatus::kTvm) == 0;
}

/// A mode that does not exist makes the whole write void (4.1.11). The same value again changes no translation.
void set_satp(Hart& hart, const CsrWrite& write) {
  const u64 mode = write.value >> 60;
  const bool exists = mode == 0 || mode == 8 || (mode == 9 && hart.has(Extension::kSv48)) ||
                      (mode == 10 && hart.has(Extension::kSv57));
  if (!exists || write.value == hart.csr.satp) return;
  hart.csr.satp = write.value;
  hart.platform().touched.note_satp(write.value);
  hart.flush_translations();
  hart.leave = true;
}

constexpr u8 kPmpLocked = 0x80;
constexpr u8 kPmpTor = 1;
constexpr unsigned pmp_match(u8 config) { return config >> 3 & 3; }

void pmp_changed(Hart& hart) {
  hart.flush_translations();
  hart.leave = true;
}

u64 get_pmpcfg(const Hart& hart, u16 number) {
  const unsigned first = (number & 15u) * 4;
  u64 value = 0;
  for (unsigned i = 0; i < 8; ++i) value |= u64{hart.csr.pmpcfg[first + i]} << (8 * i);
  return value;
}

/// Locked entries stay (3.7.1). W without R is reserved: it is stored without W.
void set_pmpcfg(Hart& hart, const CsrWrite& write) {
  const unsigned first = (write.number & 15u) * 4;
  for (unsigned i = 0; i < 8; ++i) {
    u8& config = hart.csr.pmpcfg[first + i];
    if ((config & kPmpLocked) != 0) continue;
    const unsigned value = write.value >> (8 * i) & 0x9f;
    config = static_cast<u8>((value & 1) != 0 ? value : value & ~2u);
  }
  pmp_changed(hart);
}

u64 get_pmpaddr(const Hart& hart, u16 number) { return hart.csr.pmpaddr[number & 15u]; }

/// The base of a locked top-of-range entry is locked, too. Addresses have 56 bits.
void set_pmpaddr(Hart& hart, const CsrWrite& write) {
  const unsigned index = write.number & 15u;
  if ((hart.csr.pmpcfg[index] & kPmpLocked) != 0) return;
  if (index + 1 < hart.csr.pmpcfg.size()) {
    const u8 above = hart.csr.pmpcfg[index + 1];
    if ((above & kPmpLocked) != 0 && pmp_match(above) == kPmpTor) return;
  }
  hart.csr.pmpaddr[index] = write.value & ((u64{1} << 54) - 1);
  pmp_changed(hart);
}

// --- the table -------------------------------------------------------------------------------------------------------

/// One register, or `count` of them whose names end in a number that starts at `name_index`.
struct Spec {
  u16 number;
  const char* name;
  decltype(CsrRow::read) read;
  decltype(CsrRow::write) write = nullptr;
  decltype(CsrRow::gate) gate = nullptr;
  u16 count = 1;
  unsigned name_index = 0;
  ExtensionSet needs = {};
};

constexpr u64 kLow32 = 0xffffffff;

constexpr Spec kSpecs[] = {
    {0x001, "fflags", get_fflags, set_fflags, fp_gate, 1, 0, {Extension::kF}},
    {0x002, "frm", get_frm, set_frm, fp_gate, 1, 0, {Extension::kF}},
    {0x003, "fcsr", get_fcsr, set_fcsr, fp_gate, 1, 0, {Extension::kF}},
    {0x100, "sstatus", get_sstatus, set_sstatus},
    {0x104, "sie", get_sie, set_sie},
    {0x105, "stvec", get<&Csrs::stvec>, set_tvec<&Csrs::stvec>},
    {0x106, "scounteren", get<&Csrs::scounteren>, set<&Csrs::scounteren, kLow32>},
    {0x10a, "senvcfg", get<&Csrs::senvcfg>, set_senvcfg},
    {0x140, "sscratch", get<&Csrs::sscratch>, set<&Csrs::sscratch>},
    {0x141, "sepc", get<&Csrs::sepc>, set_epc<&Csrs::sepc>},
    {0x142, "scause", get<&Csrs::scause>, set<&Csrs::scause>},
    {0x143, "stval", get<&Csrs::stval>, set<&Csrs::stval>},
    {0x144, "sip", get_sip, set_sip},
    {0x14d, "stimecmp", get<&Csrs::stimecmp>, set_stimecmp, stimecmp_gate, 1, 0, {Extension::kSstc}},
    {0x180, "satp", get<&Csrs::satp>, set_satp, satp_gate},
    {0x300, "mstatus", get<&Csrs::mstatus>, set_mstatus},
    {0x301, "misa", get_misa},
    {0x302, "medeleg", get<&Csrs::medeleg>, set<&Csrs::medeleg, kDelegableTraps>},
    {0x303, "mideleg", get<&Csrs::mideleg>, set_mideleg},
    {0x304, "mie", get<&Csrs::mie>, set_mie},
    {0x305, "mtvec", get<&Csrs::mtvec>, set_tvec<&Csrs::mtvec>},
    {0x306, "mcounteren", get<&Csrs::mcounteren>, set<&Csrs::mcounteren, kLow32>},
    {0x30a, "menvcfg", get<&Csrs::menvcfg>, set_menvcfg},
    {0x320, "mcountinhibit", get<&Csrs::mcountinhibit>, set_mcountinhibit},
    {0x323, "mhpmevent", constant<0>, nullptr, nullptr, 29, 3},
    {0x340, "mscratch", get<&Csrs::mscratch>, set<&Csrs::mscratch>},
    {0x341, "mepc", get<&Csrs::mepc>, set_epc<&Csrs::mepc>},
    {0x342, "mcause", get<&Csrs::mcause>, set<&Csrs::mcause>},
    {0x343, "mtval", get<&Csrs::mtval>, set<&Csrs::mtval>},
    {0x344, "mip", get_mip, set_mip},
    {0x3a0, "pmpcfg0", get_pmpcfg, set_pmpcfg},
    {0x3a2, "pmpcfg2", get_pmpcfg, set_pmpcfg},
    {0x3b0, "pmpaddr", get_pmpaddr, set_pmpaddr, nullptr, 16, 0},
    // No triggers: the debugger is outside the machine. Zero says so (debug specification, 5.7.1).
    {0x7a0, "tselect", constant<0>},
    {0x7a1, "tdata1", constant<0>},
    {0x7a2, "tdata2", constant<0>},
    {0x7a3, "tdata3", constant<0>},
    {0xb00, "mcycle", get_counter<kCycleBit>, set_counter<kCycleBit>},
    {0xb02, "minstret", get_counter<kInstretBit>, set_counter<kInstretBit>},
    {0xb03, "mhpmcounter", constant<0>, nullptr, nullptr, 29, 3},
    {0xc00, "cycle", get_counter<kCycleBit>, nullptr, counter_gate, 1, 0, {Extension::kZicntr}},
    {0xc01, "time", get_time, nullptr, counter_gate, 1, 0, {Extension::kZicntr}},
    {0xc02, "instret", get_counter<kInstretBit>, nullptr, counter_gate, 1, 0, {Extension::kZicntr}},
    {0xc03, "hpmcounter", constant<0>, nullptr, counter_gate, 29, 3, {Extension::kZihpm}},
    {0xf11, "mvendorid", constant<kMvendorid>},
    {0xf12, "marchid", constant<kMarchid>},
    {0xf13, "mimpid", constant<kMimpid>},
    {0xf14, "mhartid", get_mhartid},
    {0xf15, "mconfigptr", constant<0>},
};

struct Table {
  std::vector<CsrRow> rows;
  std::array<u8, 4096> places{};  ///< By number: index in `rows` plus one.

  Table() {
    for (const Spec& spec : kSpecs) {
      for (u16 i = 0; i < spec.count; ++i) {
        const u16 number = static_cast<u16>(spec.number + i);
        std::string name = spec.name;
        if (spec.count > 1) name += std::to_string(spec.name_index + i);
        rows.push_back({number, std::move(name), spec.read, spec.write, spec.gate, spec.needs});
        places[number] = static_cast<u8>(rows.size());
      }
    }
    RV_CHECK(rows.size() < 256);
  }
};

const Table& table() {
  static const Table instance;
  return instance;
}

/// Null if this machine has no such register.
const CsrRow* row_on(const Hart& hart, u16 number) {
  const CsrRow* row = find_csr(number);
  return row != nullptr && hart.platform().extensions.has_all(row->needs) ? row : nullptr;
}

/// Bits 9:8 of the number are the least privilege that may touch it (2.1).
bool may_access(const Hart& hart, const CsrRow& row) {
  if (static_cast<unsigned>(hart.priv) < (row.number >> 8 & 3u)) return false;
  return row.gate == nullptr || row.gate(hart, row.number);
}

}  // namespace

std::span<const CsrRow> csr_rows() { return table().rows; }

const CsrRow* find_csr(u16 number) {
  const Table& all = table();
  const unsigned place = number < all.places.size() ? all.places[number] : 0;
  return place == 0 ? nullptr : &all.rows[place - 1];
}

std::string_view csr_name(u16 number) {
  const CsrRow* row = find_csr(number);
  return row == nullptr ? std::string_view() : std::string_view(row->name);
}

Trap Hart::csr_read(u16 number, u64& out) {
  const CsrRow* row = row_on(*this, number);
  if (row == nullptr || !may_access(*this, *row)) return illegal();
  out = row->read(*this, number);
  return {};
}

Trap Hart::csr_write(u16 number, u64 value) {
  const CsrRow* row = row_on(*this, number);
  const bool read_only = (number >> 10 & 3u) == 3;
  if (row == nullptr || read_only || !may_access(*this, *row)) return illegal();
  if (const Trap stop = stop_at_csr_write(number)) return stop;
  if (row->write != nullptr) row->write(*this, {number, value, CsrWriter::kInstruction});
  return {};
}

std::optional<u64> Hart::csr_peek(u16 number) const {
  const CsrRow* row = row_on(*this, number);
  if (row == nullptr) return std::nullopt;
  return row->read(*this, number);
}

bool Hart::csr_poke(u16 number, u64 value) {
  const CsrRow* row = row_on(*this, number);
  if (row == nullptr || row->write == nullptr) return false;
  row->write(*this, {number, value, CsrWriter::kDebugger});
  return true;
}

}  // namespace retrov
