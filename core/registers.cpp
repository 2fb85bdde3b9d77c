#include "core/registers.hpp"

#include <array>

#include "core/csr.hpp"

namespace retrov {
namespace {

constexpr std::array<std::string_view, 32> kIntegerNames = {
    "zero", "ra", "sp", "gp", "tp",  "t0",  "t1", "t2", "s0", "s1", "a0", "a1", "a2", "a3", "a4", "a5",
    "a6",   "a7", "s2", "s3", "s4",  "s5",  "s6", "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6"};
constexpr std::array<std::string_view, 32> kFloatNames = {
    "ft0", "ft1", "ft2", "ft3", "ft4", "ft5", "ft6", "ft7", "fs0", "fs1", "fa0",
    "fa1", "fa2", "fa3", "fa4", "fa5", "fa6", "fa7", "fs2", "fs3", "fs4", "fs5",
    "fs6", "fs7", "fs8", "fs9", "fs10", "fs11", "ft8", "ft9", "ft10", "ft11"};

std::vector<RegisterInfo> make_list() {
  std::vector<RegisterInfo> list;
  for (unsigned i = 0; i < 32; ++i) {
    list.push_back({integer_register(i), std::string(kIntegerNames[i]), RegisterGroup::kGeneral});
  }
  list.push_back({kRegisterPc, "pc", RegisterGroup::kGeneral});
  for (unsigned i = 0; i < 32; ++i) {
    list.push_back({float_register(i), std::string(kFloatNames[i]), RegisterGroup::kFloat});
  }
  list.push_back({kRegisterPriv, "priv", RegisterGroup::kVirtual});
  for (const CsrRow& row : csr_rows()) list.push_back({csr_register(row.number), row.name, RegisterGroup::kCsr});
  return list;
}

/// "x10" or "f3": a letter and 0 to 31 without leading zeros.
std::optional<unsigned> numbered(std::string_view name, char letter) {
  if (name.size() < 2 || name.size() > 3 || name[0] != letter) return std::nullopt;
  if (name.size() == 3 && name[1] == '0') return std::nullopt;
  unsigned number = 0;
  for (char c : name.substr(1)) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + static_cast<unsigned>(c - '0');
  }
  if (number > 31) return std::nullopt;
  return number;
}

}  // namespace

const std::vector<RegisterInfo>& register_list() {
  static const std::vector<RegisterInfo> list = make_list();
  return list;
}

std::optional<RegisterId> find_register(std::string_view name) {
  if (const auto number = numbered(name, 'x')) return integer_register(*number);
  if (const auto number = numbered(name, 'f')) return float_register(*number);
  if (name == "fp") return integer_register(8);
  for (const RegisterInfo& info : register_list()) {
    if (info.name == name) return info.id;
  }
  return std::nullopt;
}

}  // namespace retrov
