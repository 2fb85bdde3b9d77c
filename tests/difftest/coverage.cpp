#include "tests/difftest/coverage.hpp"

#include <algorithm>

#include "core/check.hpp"
#include "core/csr.hpp"
#include "tests/difftest/coverage.hpp"

namespace retrov::difftest {
namespace {

bool always_traps(std::string_view name) { return name == "ecall" || name == "ebreak" || name == "c.ebreak"; }

std::string line(std::string_view name, const Count& count) {
  std::string text(name);
  text.resize(std::max<std::size_t>(text.size(), 16), ' ');
  return text + std::to_string(count.made) + " made, " + std::to_string(count.trapped) + " trapped\n";
}

}  // namespace

Coverage::Coverage() : csrs_(csr_rows().size()) {
  for (const InsnTable& table : insn_tables()) {
    if (table.unless.has(Extension::kC)) continue;
    for (const InsnRow& row : table) rows_.push_back({&row, {}});
  }
  std::sort(rows_.begin(), rows_.end(), [](const RowCount& a, const RowCount& b) { return a.row < b.row; });
}

void Coverage::note(const InsnRow& row, u32 raw, bool trapped) {
  const auto found = std::lower_bound(rows_.begin(), rows_.end(), &row,
                                      [](const RowCount& each, const InsnRow* wanted) { return each.row < wanted; });
  RV_CHECK(found != rows_.end() && found->row == &row);
  ++(trapped ? found->count.trapped : found->count.made);
  if (row.format != Format::kCsr && row.format != Format::kCsrImm) return;
  const CsrRow* csr = find_csr(static_cast<u16>(raw >> 20));
  if (csr == nullptr) return;
  Count& count = csrs_[static_cast<std::size_t>(csr - csr_rows().data())];
  ++(trapped ? count.trapped : count.made);
}

void Coverage::add(const Coverage& other) {
  const auto join = [](Count& to, const Count& from) { to = {to.made + from.made, to.trapped + from.trapped}; };
  for (std::size_t i = 0; i < rows_.size(); ++i) join(rows_[i].count, other.rows_[i].count);
  for (std::size_t i = 0; i < csrs_.size(); ++i) join(csrs_[i], other.csrs_[i]);
}

std::string Coverage::table() const {
  std::string text;
  for (const RowCount& each : rows_) text += line(each.row->name, each.count);
  for (std::size_t i = 0; i < csrs_.size(); ++i) text += line(csr_rows()[i].name, csrs_[i]);
  return text;
}

std::vector<std::string> Coverage::rare(u64 least) const {
  std::vector<std::string> names;
  for (const RowCount& each : rows_) {
    const u64 ran = each.count.made + (always_traps(each.row->name) ? each.count.trapped : 0);
    if (ran < least) names.push_back(std::string(each.row->name) + ": " + std::to_string(ran));
  }
  for (std::size_t i = 0; i < csrs_.size(); ++i) {
    if (csrs_[i].made < least) names.push_back(csr_rows()[i].name + ": " + std::to_string(csrs_[i].made));
  }
  return names;
}

u64 Coverage::total() const {
  u64 sum = 0;
  for (const RowCount& each : rows_) sum += each.count.made + each.count.trapped;
  return sum;
}

}  // namespace retrov::difftest
