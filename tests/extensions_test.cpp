#include "core/extensions.hpp"

#include <set>

#include "tests/catch.hpp"

namespace retrov {

using enum Extension;

TEST_CASE("extensions: rows are found by name in any case, and names are unique", "[extensions]") {
  std::set<std::string_view> names;
  for (const ExtensionRow& row : extension_rows()) {
    INFO(row.name);
    CHECK(names.insert(row.name).second);
    CHECK(find_extension(row.name) == &row);
  }
  REQUIRE(find_extension("ZbB") != nullptr);
  CHECK(find_extension("ZbB")->id == kZbb);
  for (const char* unknown : {"", "z", "zb", "zbbb", "v", "h"}) CHECK(find_extension(unknown) == nullptr);
}

TEST_CASE("extensions: every processor's set is closed, and so is the least one", "[extensions]") {
  for (const char* cpu : {"rv64", "max", "rva22s64"}) {
    INFO(cpu);
    REQUIRE(cpu_extensions(cpu).has_value());
    CHECK(is_closed(*cpu_extensions(cpu)));
    CHECK(cpu_extensions(cpu)->has_all(base_extensions()));
  }
  CHECK_FALSE(cpu_extensions("sifive-u54").has_value());
  CHECK(is_closed(base_extensions()));
  CHECK_FALSE(is_closed({}));
  CHECK_FALSE(is_closed({kI, kZicsr, kSv39, kD}));
}

TEST_CASE("extensions: the default updates A and D, the profile announces both ways", "[extensions]") {
  CHECK(default_extensions().has(kSvadu));
  CHECK_FALSE(default_extensions().has(kSvade));
  CHECK(cpu_extensions("rva22s64")->has_all({kSvadu, kSvade}));
}

TEST_CASE("extensions: switching on brings what is needed, switching off takes what needs it", "[extensions]") {
  const ExtensionSet with_d = with_extension(base_extensions(), kD);
  CHECK(with_d.has_all({kF, kD}));
  CHECK_FALSE(with_d.has_any({kZfh, kC, kZcd}));
  const ExtensionSet with_c = with_extension(with_d, kC);
  CHECK(with_c.has_all({kC, kZca, kZcd}));
  const ExtensionSet full = with_extension(with_extension(with_c, kZfh), kZcb);
  CHECK(full.has_all({kZfhmin, kZfh, kZcb}));
  const ExtensionSet without_f = without_extension(full, kF);
  CHECK_FALSE(without_f.has_any({kF, kD, kZfh, kZfhmin, kZcd}));
  CHECK(without_f.has_all({kC, kZca, kZcb}));
  CHECK(is_closed(without_f));
  CHECK_FALSE(without_extension(full, kC).has_any({kC, kZca, kZcb, kZcd}));
}

TEST_CASE("extensions: every extension can be switched off and on again by itself", "[extensions]") {
  const ExtensionSet all = with_extension(default_extensions(), kSvade);
  for (const ExtensionRow& row : extension_rows()) {
    if (row.may_change != Switch::kFree) continue;
    INFO(row.name);
    const ExtensionSet without = without_extension(all, row.id);
    CHECK_FALSE(without.has(row.id));
    CHECK(is_closed(without));
    CHECK(with_extension(without, row.id).has(row.id));
  }
}

TEST_CASE("extensions: a set is written as the device tree and a trace have it", "[extensions]") {
  const ExtensionSet small = with_extension(with_extension(base_extensions(), kC), kZbb);
  CHECK(isa_string(small, WithModes::kNo) == "rv64ic_zicsr_zca_zbb");
  CHECK(isa_string(small, WithModes::kYes) == "rv64ic_zicsr_zca_zbb_sv39");
  CHECK(isa_names(small) == std::vector<std::string_view>{"i", "c", "zicsr", "zca", "zbb"});
  CHECK(isa_string(default_extensions(), WithModes::kNo).starts_with("rv64imafdc_"));
  CHECK(mmu_type(small) == "riscv,sv39");
  CHECK(mmu_type(with_extension(small, kSv48)) == "riscv,sv48");
  CHECK(mmu_type(with_extension(small, kSv57)) == "riscv,sv57");
}

TEST_CASE("extensions: what was written is read again, and nothing else", "[extensions]") {
  for (const ExtensionSet set : {default_extensions(), base_extensions(), *cpu_extensions("rva22s64")}) {
    CHECK(parse_isa_string(isa_string(set, WithModes::kYes)) == set);
  }
  for (const char* text : {"", "rv32i", "rv64", "rv64i", "rv64i_zicsr", "rv64i_zicsr_zfoo_sv39", "rv64i_zicsr__sv39",
                           "rv64id_zicsr_sv39", "rv64i_zicsr_sv39_"}) {
    INFO(text);
    CHECK_FALSE(parse_isa_string(text).has_value());
  }
}

TEST_CASE("extensions: misa has the letters, S and U", "[extensions]") {
  CHECK(misa_of(default_extensions()) == 0x800000000014112d);
  CHECK(misa_of(base_extensions()) == 0x8000000000140100);
}

}  // namespace retrov
