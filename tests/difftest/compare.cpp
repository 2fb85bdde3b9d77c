#include "tests/difftest/compare.hpp"

#include <cstdio>

#include "core/csr.hpp"
#include "core/disasm.hpp"
#include "core/registers.hpp"
#include "tests/difftest/program.hpp"

namespace retrov::difftest {
namespace {

constexpr const char* kTrapFields[DT_TRAP_WORDS] = {"vector", "mcause", "mepc",  "mtval",       "mstatus",
                                                    "scause", "sepc",   "stval", "x registers", "f registers"};

class Comparison {
 public:
  Comparison(const std::vector<u64>& ours, const std::vector<u64>& theirs) : ours_(ours), theirs_(theirs) {}

  std::vector<Difference> run() {
    check(DT_L_STATE, "end", "state (1: begun, 2: ended)");
    const u64 traps = std::min<u64>(std::min(ours_[DT_L_TRAPS / 8], theirs_[DT_L_TRAPS / 8]), DT_TRAPS);
    // Of one that never ended as many traps as the other had.
    const u64 shown = theirs_[DT_L_STATE / 8] == 2 ? traps : std::min<u64>(ours_[DT_L_TRAPS / 8], DT_TRAPS);
    for (u64 trap = 0; trap < shown; ++trap) {
      for (u64 field = 0; field < DT_TRAP_WORDS; ++field) {
        check(DT_L_TRAP + (trap * DT_TRAP_WORDS + field) * 8, std::string("trap ") + kTrapFields[field],
              "trap " + std::to_string(trap) + " " + kTrapFields[field]);
      }
    }
    check(DT_L_TRAPS, "traps", "number of traps");
    for (u64 i = 0; i < 32; ++i) check(DT_L_X + 8 * i, "x", register_list()[i].name);
    for (u64 i = 0; i < 32; ++i) check(DT_L_F + 8 * i, "f", register_list()[kFirstFloat + i].name);
    check(DT_L_F + 256, "fcsr", "fcsr");
    for (std::size_t i = 0; i < compared_csrs().size(); ++i) {
      const std::string name(csr_name(compared_csrs()[i]));
      check(DT_L_CSRS + 8 * i, "csr " + name, name);
    }
    for (u64 i = 0; i < DT_ARENA_PAGES; ++i) check(DT_L_PAGES + 8 * i, "memory", "page " + std::to_string(i));
    // What never ended has nothing else to say.
    return std::move(found_);
  }

 private:
  void check(u64 offset, std::string kind, const std::string& name) {
    const u64 our = ours_[offset / 8], their = theirs_[offset / 8];
    if (our == their) return;
    found_.push_back({std::move(kind), name + ": retrov " + hex_text(our) + ", QEMU " + hex_text(their)});
  }

  const std::vector<u64>& ours_;
  const std::vector<u64>& theirs_;
  std::vector<Difference> found_;
};

}  // namespace

std::string hex_text(u64 value) {
  char text[20];
  std::snprintf(text, sizeof text, "%llx", static_cast<unsigned long long>(value));
  return text;
}

std::optional<Difference> compare(const std::vector<u64>& ours, const std::vector<u64>& theirs) {
  const std::vector<Difference> all = Comparison(ours, theirs).run();
  if (all.empty()) return std::nullopt;
  return all.front();
}

std::string all_differences(const std::vector<u64>& ours, const std::vector<u64>& theirs) {
  std::string text;
  for (const Difference& each : Comparison(ours, theirs).run()) text += "  " + each.text + "\n";
  return text;
}

}  // namespace retrov::difftest
