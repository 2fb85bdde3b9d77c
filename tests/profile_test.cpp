// A machine announces what it has in four places, and what is switched off in none: the device tree's riscv,isa,
// riscv,isa-base and riscv,isa-extensions, gdb's target.xml, and misa. Covers devices/device_tree, gdbstub/target_xml,
// gdbstub/machine_view and core/extensions together; that what is off is illegal is decode_test's and machine_test's.
#include <cstring>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "cli/cpu_words.hpp"
#include "core/check.hpp"
#include "core/csr.hpp"
#include "gdbstub/machine_view.hpp"
#include "gdbstub/target_xml.hpp"
#include "replay/session.hpp"
#include "tests/catch.hpp"
#include "tests/support/guest_bench.hpp"
#include "tests/support/rule_bench.hpp"

namespace retrov {
namespace {

using namespace test;
using enum Extension;
using Names = std::set<std::string>;

BoardConfig board_with(ExtensionSet extensions, unsigned harts = 1) {
  BoardConfig board;
  board.machine.ram_bytes = 1u << 20;
  board.machine.harts = harts;
  board.machine.extensions = extensions;
  return board;
}

/// The properties of the nodes whose name begins with "cpu@", one map per node. Reads the structure block as the device
/// tree's specification has it (5.4), with nothing of ours.
std::vector<std::map<std::string, std::string>> cpu_properties(const std::vector<u8>& blob) {
  const auto word = [&blob](std::size_t at) {
    return u32{blob.at(at)} << 24 | u32{blob.at(at + 1)} << 16 | u32{blob.at(at + 2)} << 8 | blob.at(at + 3);
  };
  const auto text = [&blob](std::size_t at) { return std::string(reinterpret_cast<const char*>(&blob.at(at))); };
  std::vector<std::map<std::string, std::string>> result;
  bool in_cpu = false;
  for (std::size_t at = word(8);;) {
    const u32 token = word(at);
    at += 4;
    if (token == 1) {
      const std::string name = text(at);
      in_cpu = name.starts_with("cpu@");
      if (in_cpu) result.emplace_back();
      at = (at + name.size() + 4) & ~std::size_t{3};
    } else if (token == 3) {
      const u32 bytes = word(at);
      if (in_cpu) {
        const auto* value = reinterpret_cast<const char*>(blob.data()) + at + 8;
        result.back()[text(word(12) + word(at + 4))] = std::string(value, bytes);
      }
      at = (at + 8 + bytes + 3) & ~std::size_t{3};
    } else if (token == 2) {
      in_cpu = false;
    } else if (token == 9) {
      return result;
    }
  }
}

Names split(const std::string& text, char separator) {
  Names names;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(separator, at), text.size());
    names.insert(text.substr(at, end - at));
    at = end + 1;
  }
  return names;
}

/// "rv64imac_zba": letters by themselves, then names.
Names names_in_isa(const std::string& isa) {
  REQUIRE(isa.starts_with("rv64"));
  Names names = split(isa.substr(std::min(isa.find('_'), isa.size())), '_');
  names.erase("");
  for (std::size_t i = 4; i < isa.size() && isa[i] != '_'; ++i) names.insert(std::string(1, isa[i]));
  return names;
}

Names registers_in_xml(const std::string& xml) {
  Names names;
  const std::regex reg("<reg name=\"([^\"]+)\"");
  for (std::sregex_iterator it(xml.begin(), xml.end(), reg), end; it != end; ++it) names.insert((*it)[1].str());
  return names;
}

struct Announced {
  Names extensions;
  Names registers;
  u64 misa = 0;
};

Announced announced(ExtensionSet set) {
  const BoardConfig board = board_with(set);
  const auto cpus = cpu_properties(make_device_tree(board, "", PhysAddr{}, 0));
  REQUIRE(cpus.size() == 1);
  std::map<std::string, std::string> cpu = cpus[0];
  Announced result;
  CHECK(cpu["riscv,isa-base"] == std::string("rv64i\0", 6));
  result.extensions = split(cpu["riscv,isa-extensions"], '\0');
  CHECK(names_in_isa(cpu["riscv,isa"].c_str()) == result.extensions);
  CHECK(cpu["mmu-type"] == mmu_type(set) + '\0');
  CHECK(cpu.count("riscv,cbom-block-size") == (set.has(kZicbom) ? 1 : 0));
  CHECK(cpu.count("riscv,cbop-block-size") == (set.has(kZicbop) ? 1 : 0));
  CHECK(cpu.count("riscv,cboz-block-size") == (set.has(kZicboz) ? 1 : 0));
  Screen screen;
  auto history = std::make_unique<History>(board);
  history->finish({Outcome::Kind::kStopped, 0, {}});
  const auto session = Session::replay(std::move(history), EngineKind::kFast, screen);
  result.registers = registers_in_xml(target_xml(DebuggerView(*session).registers()));
  result.misa = session->machine().read_register(0, csr_register(0x301)).value();
  return result;
}

/// What the names of the set's extensions are, without the address modes, which have mmu-type.
Names names_of(ExtensionSet set) {
  Names names;
  for (const ExtensionRow& row : extension_rows()) {
    if (set.has(row.id) && row.id < kSv39) names.insert(std::string(row.name));
  }
  return names;
}

/// The registers that are there with an extension alone.
Names registers_of(Extension id) {
  Names names;
  if (id == kF) {
    for (const RegisterInfo& info : register_list()) {
      if (info.group == RegisterGroup::kFloat) names.insert(info.name);
    }
    names.insert({"fflags", "frm", "fcsr"});
  }
  if (id == kSstc) names.insert("stimecmp");
  if (id == kZicntr) names.insert({"cycle", "time", "instret"});
  if (id == kZihpm) {
    for (unsigned i = 3; i < 32; ++i) names.insert("hpmcounter" + std::to_string(i));
  }
  return names;
}

void check_announced(ExtensionSet set) {
  INFO(isa_string(set, WithModes::kYes));
  const Announced result = announced(set);
  CHECK(result.extensions == names_of(set));
  Names expected;
  for (const RegisterInfo& info : register_list()) expected.insert(info.name);
  u64 misa = u64{2} << 62 | 1u << 18 | 1u << 20;
  for (const ExtensionRow& row : extension_rows()) {
    if (set.has(row.id)) {
      if (row.name.size() == 1) misa |= u64{1} << (row.name[0] - 'a');
    } else {
      for (const std::string& name : registers_of(row.id)) expected.erase(name);
    }
  }
  CHECK(result.registers == expected);
  CHECK(result.misa == misa);
}

std::string refusal(ExtensionSet (*parse)(std::string_view), const std::string& text) {
  try {
    static_cast<void>(parse(text));
  } catch (const Error& error) {
    CHECK(error.exit_code() == Exit::kUsage);
    return error.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("profile: the processors announce all that they have", "[profile]") {
  for (const char* cpu : {"rv64", "max", "rva22s64"}) check_announced(parse_cpu(cpu));
  check_announced(parse_isa("rv64i"));
  check_announced(parse_isa("rv64gc_zba_zbb_zbs"));
}

TEST_CASE("profile: an extension that is off is announced nowhere, nor is what needs it", "[profile]") {
  for (const ExtensionRow& row : extension_rows()) {
    if (row.may_change != Switch::kFree) continue;
    INFO(row.name);
    const ExtensionSet set = parse_cpu("rv64," + std::string(row.name) + "=off");
    CHECK_FALSE(set.has(row.id));
    check_announced(set);
  }
}

TEST_CASE("profile: an extension by itself is announced with what it needs, as -march spells it", "[profile]") {
  for (const ExtensionRow& row : extension_rows()) {
    if (row.may_change == Switch::kPart) continue;
    INFO(row.name);
    const ExtensionSet set = parse_isa("rv64i_" + std::string(row.name));
    CHECK(set.has_all(row.needs));
    CHECK(set.has(row.id));
    check_announced(set);
  }
}

TEST_CASE("profile: every hart announces the same", "[profile]") {
  const auto cpus = cpu_properties(make_device_tree(board_with(parse_cpu("rva22s64"), 8), "", PhysAddr{}, 0));
  REQUIRE(cpus.size() == 8);
  for (const char* property : {"riscv,isa", "riscv,isa-base", "riscv,isa-extensions", "mmu-type"}) {
    for (const auto& cpu : cpus) CHECK(cpu.at(property) == cpus[0].at(property));
  }
}

TEST_CASE("profile: RVA22 is there by name, with both ways to set A and D", "[profile]") {
  // The profile's mandatory extensions (RISC-V Profiles, RVA22U64 and RVA22S64), and Svadu.
  const Names mandatory = {"i",        "m",        "a",        "f",        "d",           "c",        "zicsr",
                           "zicntr",   "zihpm",    "ziccif",   "ziccrse",  "ziccamoa",    "zicclsm",  "za64rs",
                           "zihintpause", "zba",   "zbb",      "zbs",      "zic64b",      "zicbom",   "zicbop",
                           "zicboz",   "zfhmin",   "zkt",      "zifencei", "svade",       "ssccptr",  "sstvecd",
                           "sstvala",  "sscounterenw", "svpbmt", "svinval", "ssu64xl",    "svadu"};
  const Names announced_names = announced(parse_cpu("rva22s64")).extensions;
  for (const std::string& name : mandatory) {
    INFO(name);
    CHECK(announced_names.count(name) == 1);
  }
  const Names default_names = announced(parse_cpu("rv64")).extensions;
  CHECK(default_names.count("svadu") == 1);
  CHECK(default_names.count("svade") == 0);
}

TEST_CASE("profile: with F alone the floating-point registers are singles, from reset on", "[profile]") {
  for (const EngineKind engine : kEngines) {
    RuleBench bench(engine, parse_cpu("rv64,d=off"));
    bench.set(csr::kMstatus, mstatus::kFs);
    bench.code({0x00c5f553});  // fadd.s fa0, fa1, fa2
    const auto fa = [&](unsigned n) { return bench.machine().read_register(0, float_register(10 + n)); };
    const auto set_fa = [&](unsigned n, u64 value) { bench.set_register(float_register(10 + n), value); };
    bench.step(Priv::kMachine);
    CHECK(fa(0) == 0);  // A register of 32 zeros is the number 0.
    set_fa(1, 0x3f800000);
    set_fa(2, 0x40000000);
    CHECK(fa(1) == 0x3f800000);
    bench.step(Priv::kMachine);
    CHECK(fa(0) == 0x40400000);
  }
  const auto registers = [](const char* cpu) {
    Screen screen;
    auto history = std::make_unique<History>(board_with(parse_cpu(cpu)));
    history->finish({Outcome::Kind::kStopped, 0, {}});
    const auto session = Session::replay(std::move(history), EngineKind::kFast, screen);
    const DebuggerView view(*session);
    CHECK(register_text(view, 0, float_register(3)).size() == 2 * register_bytes(view.registers(), float_register(3)));
    return target_xml(view.registers());
  };
  const std::string all = registers("rv64"), single = registers("rv64,d=off");
  CHECK_THAT(all, has_substring("<reg name=\"fa0\" bitsize=\"64\" regnum=\"43\" type=\"ieee_double\""));
  CHECK_THAT(single, has_substring("<reg name=\"fa0\" bitsize=\"32\" regnum=\"43\" type=\"ieee_single\""));
  CHECK_THAT(single, !has_substring("ieee_double"));
}

TEST_CASE("profile: an unknown extension is refused with all that are known", "[profile]") {
  for (const std::string& sentence : {refusal(parse_cpu, "rv64,zfoo=off"), refusal(parse_cpu, "rv64,zfoo=on"),
                                      refusal(parse_isa, "rv64gc_zfoo"), refusal(parse_isa, "rv64imafdcv")}) {
    INFO(sentence);
    CHECK((sentence.find("'zfoo'") != std::string::npos || sentence.find("'v'") != std::string::npos));
    const Names said = split(sentence, ' ');
    for (const ExtensionRow& row : extension_rows()) CHECK(said.count(std::string(row.name)) == 1);
  }
}

}  // namespace retrov
