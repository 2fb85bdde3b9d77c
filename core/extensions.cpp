#include "core/extensions.hpp"

#include <algorithm>
#include <array>

#include "core/check.hpp"

namespace retrov {
namespace {

using enum Extension;
constexpr Switch kFree = Switch::kFree, kAlways = Switch::kAlways, kPart = Switch::kPart;

constexpr std::size_t kRowCount = static_cast<std::size_t>(Extension::kCount);

// The default processor has everything, except that it does not announce Svade: as QEMU's, it updates A and D from
// reset on (docs/machine.md, "Choices"). rva22s64 is the profile's mandatory part, with Svadu for those who ask.
constexpr std::array<ExtensionRow, kRowCount> kRows = {{
    // id, name, needs, switch, rv64, rva22s64
    {kI, "i", {}, kAlways, true, true},
    {kM, "m", {}, kFree, true, true},
    {kA, "a", {}, kFree, true, true},
    {kF, "f", {}, kFree, true, true},
    {kD, "d", {kF}, kFree, true, true},
    {kC, "c", {}, kFree, true, true},
    // Blocks of caches have 64 bytes.
    {kZic64b, "zic64b", {}, kFree, true, true},
    {kZicbom, "zicbom", {}, kFree, true, true},
    {kZicbop, "zicbop", {}, kFree, true, true},
    {kZicboz, "zicboz", {}, kFree, true, true},
    // What main memory supports: atomics, fetching, misaligned accesses, progress of LR/SC loops.
    {kZiccamoa, "ziccamoa", {kA}, kFree, true, true},
    {kZiccif, "ziccif", {}, kFree, true, true},
    {kZicclsm, "zicclsm", {}, kFree, true, true},
    {kZiccrse, "ziccrse", {kA}, kFree, true, true},
    {kZicntr, "zicntr", {}, kFree, true, true},
    {kZicond, "zicond", {}, kFree, true, false},
    {kZicsr, "zicsr", {}, kAlways, true, true},
    {kZifencei, "zifencei", {}, kFree, true, true},
    {kZihintpause, "zihintpause", {}, kFree, true, true},
    {kZihpm, "zihpm", {}, kFree, true, true},
    {kZmmul, "zmmul", {kM}, kPart},
    {kZa64rs, "za64rs", {kA}, kFree, true, true},
    {kZaamo, "zaamo", {kA}, kPart},
    {kZacas, "zacas", {kA}, kFree, true, false},
    {kZalrsc, "zalrsc", {kA}, kPart},
    {kZawrs, "zawrs", {kA}, kFree, true, false},
    {kZfa, "zfa", {kF}, kFree, true, false},
    {kZfh, "zfh", {kF, kZfhmin}, kFree, true, false},
    {kZfhmin, "zfhmin", {kF}, kFree, true, true},
    {kZca, "zca", {kC}, kPart},
    {kZcb, "zcb", {kC}, kFree, true, false},
    {kZcd, "zcd", {kC, kD}, kPart},
    {kZba, "zba", {}, kFree, true, true},
    {kZbb, "zbb", {}, kFree, true, true},
    {kZbc, "zbc", {}, kFree, true, false},
    {kZbs, "zbs", {}, kFree, true, true},
    {kZkt, "zkt", {}, kFree, true, true},
    {kSsccptr, "ssccptr", {}, kFree, true, true},
    {kSscounterenw, "sscounterenw", {}, kFree, true, true},
    {kSstc, "sstc", {}, kFree, true, false},
    {kSstvala, "sstvala", {}, kFree, true, true},
    {kSstvecd, "sstvecd", {}, kFree, true, true},
    {kSsu64xl, "ssu64xl", {}, kFree, true, true},
    {kSvade, "svade", {}, kFree, false, true},
    {kSvadu, "svadu", {}, kFree, true, true},
    {kSvinval, "svinval", {}, kFree, true, true},
    {kSvnapot, "svnapot", {}, kFree, true, false},
    {kSvpbmt, "svpbmt", {}, kFree, true, true},
    {kSv39, "sv39", {}, kAlways, true, true},
    {kSv48, "sv48", {}, kFree, true, false},
    {kSv57, "sv57", {kSv48}, kFree, true, false},
}};

constexpr bool ascending() {
  for (std::size_t i = 0; i < kRows.size(); ++i) {
    if (static_cast<std::size_t>(kRows[i].id) != i) return false;
  }
  return true;
}
static_assert(ascending());

constexpr const ExtensionRow& row_of(Extension id) { return kRows[static_cast<std::size_t>(id)]; }

bool is_mode(Extension id) { return id >= kSv39; }

/// What follows from the members: what they need, and their parts.
ExtensionSet closure(ExtensionSet set) {
  ExtensionSet before;
  do {
    before = set;
    for (const ExtensionRow& row : kRows) {
      const bool follows = row.may_change == kAlways || (row.may_change == kPart && set.has_all(row.needs));
      if (follows) set.add(row.id);
      if (!set.has(row.id)) continue;
      for (const ExtensionRow& other : kRows) {
        if (row.needs.has(other.id)) set.add(other.id);
      }
    }
  } while (before != set);
  return set;
}

template <class Keep>
ExtensionSet rows_where(Keep keep) {
  ExtensionSet set;
  for (const ExtensionRow& row : kRows) {
    if (row.may_change != kPart && keep(row)) set.add(row.id);
  }
  return closure(set);
}

}  // namespace

std::span<const ExtensionRow> extension_rows() { return kRows; }

const ExtensionRow* find_extension(std::string_view name) {
  const auto same = [name](std::string_view other) {
    return std::equal(name.begin(), name.end(), other.begin(), other.end(),
                      [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; });
  };
  const auto row = std::find_if(kRows.begin(), kRows.end(), [&](const ExtensionRow& each) { return same(each.name); });
  return row == kRows.end() ? nullptr : &*row;
}

std::string extension_names() {
  std::string names;
  for (const ExtensionRow& row : kRows) names += (names.empty() ? "" : " ") + std::string(row.name);
  return names;
}

std::optional<ExtensionSet> cpu_extensions(std::string_view cpu) {
  if (cpu == "rv64" || cpu == "max") return rows_where([](const ExtensionRow& row) { return row.in_rv64; });
  if (cpu == "rva22s64") return rows_where([](const ExtensionRow& row) { return row.in_rva22s64; });
  return std::nullopt;
}

ExtensionSet base_extensions() { return closure({}); }

ExtensionSet default_extensions() { return *cpu_extensions("rv64"); }

ExtensionSet with_extension(ExtensionSet set, Extension id) {
  set.add(id);
  return closure(set);
}

ExtensionSet without_extension(ExtensionSet set, Extension id) {
  RV_CHECK(row_of(id).may_change == kFree);
  set.remove(id);
  for (ExtensionSet before; before != set;) {
    before = set;
    for (const ExtensionRow& row : kRows) {
      if (!set.has_all(row.needs)) set.remove(row.id);
    }
  }
  return set;
}

bool is_closed(ExtensionSet set) { return closure(set) == set; }

std::string isa_string(ExtensionSet set, WithModes modes) {
  std::string text = "rv64";
  for (const ExtensionRow& row : kRows) {
    if (!set.has(row.id) || (is_mode(row.id) && modes == WithModes::kNo)) continue;
    if (row.name.size() > 1) text += '_';
    text += row.name;
  }
  return text;
}

std::optional<ExtensionSet> parse_isa_string(std::string_view text) {
  if (!text.starts_with("rv64")) return std::nullopt;
  text.remove_prefix(4);
  ExtensionSet set;
  while (!text.empty()) {
    std::size_t length = 1;
    if (text[0] == '_') {
      text.remove_prefix(1);
      length = std::min(text.find('_'), text.size());
    }
    const ExtensionRow* row = find_extension(text.substr(0, length));
    if (row == nullptr) return std::nullopt;
    set.add(row->id);
    text.remove_prefix(length);
  }
  if (!is_closed(set)) return std::nullopt;
  return set;
}

std::vector<std::string_view> isa_names(ExtensionSet set) {
  std::vector<std::string_view> names;
  for (const ExtensionRow& row : kRows) {
    if (set.has(row.id) && !is_mode(row.id)) names.push_back(row.name);
  }
  return names;
}

std::string mmu_type(ExtensionSet set) {
  return std::string("riscv,") + (set.has(kSv57) ? "sv57" : set.has(kSv48) ? "sv48" : "sv39");
}

u64 misa_of(ExtensionSet set) {
  constexpr u64 kXlen64 = u64{2} << 62;
  u64 value = kXlen64 | u64{1} << ('S' - 'A') | u64{1} << ('U' - 'A');
  for (const ExtensionRow& row : kRows) {
    if (row.name.size() == 1 && set.has(row.id)) value |= u64{1} << (row.name[0] - 'a');
  }
  return value;
}

}  // namespace retrov
