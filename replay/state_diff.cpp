#include "replay/state_diff.hpp"

#include <algorithm>
#include <map>
#include <ostream>
#include <utility>

#include "replay/commands_rows.hpp"
#include "replay/position.hpp"

namespace retrov {

namespace {

using command_rows::hex;
using command_rows::hex_digits;

constexpr std::size_t kMostPages = 100;
constexpr std::size_t kMostFields = 20;

/// A list that may be long: `most` lines and the number of the others.
class Lines {
 public:
  Lines(std::ostream& out, std::size_t most) : out_(out), most_(most) {}
  ~Lines() {
    if (count_ > most_) out_ << "  ... and " << group_digits(count_ - most_) << " more\n";
  }
  Lines(const Lines&) = delete;
  Lines& operator=(const Lines&) = delete;
  void add(const std::string& line) {
    if (++count_ <= most_) out_ << "  " << line << '\n';
  }

 private:
  std::ostream& out_;
  std::size_t most_;
  std::size_t count_ = 0;
};

void diff_registers(const LookedState& a, const LookedState& b, std::ostream& out) {
  const auto text = [](std::optional<u64> value) { return value ? hex(*value) : std::string("-"); };
  for (std::size_t hart = 0; hart < a.registers.size(); ++hart) {
    for (std::size_t i = 0; i < register_list().size(); ++i) {
      const auto from = a.registers[hart][i];
      const auto to = b.registers[hart][i];
      if (from == to) continue;
      std::string name = register_list()[i].name;
      name.resize(std::max<std::size_t>(name.size(), 10), ' ');
      out << "hart " << hart << "  " << name << ' ' << text(from) << " -> " << text(to) << '\n';
    }
  }
}

std::string page_line(u64 address, const Page* a, const Page* b) {
  static constexpr PageBytes kZeros{};
  const PageBytes& from = a != nullptr ? a->bytes : kZeros;
  const PageBytes& to = b != nullptr ? b->bytes : kZeros;
  const auto first = std::mismatch(from.begin(), from.end(), to.begin());
  std::size_t count = 0;
  for (std::size_t i = 0; i < from.size(); ++i) count += from[i] != to[i];
  if (count == 0) return {};
  return hex(address) + "  " + std::to_string(count) + (count == 1 ? " byte" : " bytes") + ", first at " +
         hex(address + static_cast<u64>(first.first - from.begin())) + ": " + hex_digits(*first.first, 2).substr(2) +
         " -> " + hex_digits(*first.second, 2).substr(2);
}

/// Of RAM at `base`, or of what a device keeps in pages.
void diff_pages(const std::string& name, u64 base, const PageTree& a, const PageTree& b, std::ostream& out) {
  std::vector<std::string> pages;
  PageTree::diff(a, b, [&](u64 index, const Page* from, const Page* to) {
    std::string line = page_line(base + index * kPageBytes, from, to);
    if (!line.empty()) pages.push_back(std::move(line));
  });
  if (pages.empty()) return;
  out << name << ": " << group_digits(pages.size()) << (pages.size() == 1 ? " page differs\n" : " pages differ\n");
  Lines lines(out, kMostPages);
  for (const std::string& page : pages) lines.add(page);
}

void diff_fields(const LookedState& a, const LookedState& b, std::ostream& out) {
  std::map<std::string, std::pair<std::string, std::string>> all;
  for (const auto& [path, value] : a.fields) all[path].first = value;
  for (const auto& [path, value] : b.fields) all[path].second = value;
  std::map<std::string, std::vector<std::string>> by_component;
  for (const auto& [path, values] : all) {
    if (values.first == values.second) continue;
    const auto text = [](const std::string& value) { return value.empty() ? std::string("-") : value; };
    by_component[path.substr(0, path.find('.'))].push_back(path.substr(path.find('.') + 1) + "  " +
                                                            text(values.first) + " -> " + text(values.second));
  }
  for (const auto& [component, changes] : by_component) {
    out << component << '\n';
    Lines lines(out, kMostFields);
    for (const std::string& change : changes) lines.add(change);
  }
}

}  // namespace

LookedState look_at_state(const Machine& machine, const Snapshot& snapshot) {
  LookedState result;
  for (unsigned hart = 0; hart < machine.hart_count(); ++hart) {
    auto& values = result.registers.emplace_back();
    for (const RegisterInfo& info : register_list()) values.push_back(machine.read_register(hart, info.id));
  }
  result.fields = state_fields(machine);
  result.snapshot = snapshot;
  return result;
}

void describe_difference(const Machine& machine, const LookedState& from, const LookedState& to, std::ostream& out) {
  diff_registers(from, to, out);
  diff_fields(from, to, out);
  const std::vector<std::string> owners = machine.page_owners();
  for (std::size_t i = 0; i < owners.size(); ++i) {
    const u64 base = i == 0 ? machine.config().ram_base.value : 0;
    diff_pages(i == 0 ? "memory" : owners[i], base, from.snapshot.trees[i], to.snapshot.trees[i], out);
  }
}

}  // namespace retrov
