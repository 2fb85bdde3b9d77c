#include "core/hart.hpp"

#include <algorithm>

#include "core/check.hpp"
#include "core/csr.hpp"
#include "core/hart_state.hpp"

namespace retrov {

Hart::Hart(unsigned index, Platform& platform)
    : index_(index),
      platform_(platform),
      contexts_(std::make_unique<std::array<Context, kContexts>>()),
      fetch_tlbs_(std::make_unique<std::array<FetchTlb, 3>>()) {
  select_context();
}

void Hart::reset(u64 reset_pc) {
  x = {};
  f.fill(float_box(*this));
  pc = next_pc = reset_pc;
  priv = Priv::kMachine;
  waiting = turn_over = leave = false;
  csr = {};
  csr.menvcfg = reset_menvcfg(platform_.extensions);
  reservation = {};
  stepping.open_irqs.clear();
  flush_translations();
  select_context();
}

void Hart::select_context() {
  const Priv data = data_privilege();
  unsigned set = 3;
  if (data == Priv::kUser) set = 0;
  if (data == Priv::kSupervisor) set = (csr.mstatus & mstatus::kSum) != 0 ? 2 : 1;
  context = &(*contexts_)[set];
  fetch_tlb = &(*fetch_tlbs_)[priv == Priv::kMachine ? 2 : static_cast<unsigned>(priv)];
}

void Hart::flush_translations() {
  for (Context& set : *contexts_) set.read.flush();
  flush_write_translations();
  flush_fetch_translations();
  pmp_window_ = {};
}

void Hart::flush_write_translations() {
  for (Context& set : *contexts_) set.write.flush();
}

void Hart::flush_fetch_translations() {
  for (FetchTlb& tlb : *fetch_tlbs_) tlb.flush();
}

void Hart::limit_translations(unsigned entries) {
  for (Context& set : *contexts_) {
    set.read.limit(entries);
    set.write.limit(entries);
  }
  for (FetchTlb& tlb : *fetch_tlbs_) tlb.limit(entries);
}

void Hart::write_state(StateWriter& out) const { out(const_cast<Hart&>(*this)); }
void Hart::read_state(StateReader& in) {
  in(*this);
  if (!is_valid_state()) throw Error(Exit::kBadTrace, "no state of a hart");
}

/// What no hart can get into, and the code that runs it therefore does not look out for.
bool Hart::is_valid_state() const {
  constexpr u64 kReservedPrivilege = 2;
  constexpr u8 kPmpReserved = 0x60;
  constexpr unsigned kPmpAddressBits = 54;
  const auto is_privilege = [](u64 value) { return value <= 3 && value != kReservedPrivilege; };
  const auto config = [](u8 value) { return (value & kPmpReserved) == 0; };
  const auto address = [](u64 value) { return value >> kPmpAddressBits == 0; };
  return is_privilege(static_cast<u64>(priv)) && is_privilege((csr.mstatus & mstatus::kMpp) >> 11) &&
         (pc & 1) == 0 && (csr.mepc & 1) == 0 && (csr.sepc & 1) == 0 && csr.frm <= 7 && csr.fflags < 32 &&
         std::all_of(csr.pmpcfg.begin(), csr.pmpcfg.end(), config) &&
         std::all_of(csr.pmpaddr.begin(), csr.pmpaddr.end(), address) && stepping.open_irqs.size() <= kMaxOpenIrqs;
}
void Hart::print_state(StatePrinter& out) const { out(cereal::make_nvp("hart", const_cast<Hart&>(*this))); }

}  // namespace retrov
