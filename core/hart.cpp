#include "core/hart.hpp"

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
void Hart::read_state(StateReader& in) { in(*this); }
void Hart::print_state(StatePrinter& out) const { out(cereal::make_nvp("hart", const_cast<Hart&>(*this))); }

}  // namespace retrov
