#include "devices/test_finisher.hpp"

#include "devices/fdt.hpp"

namespace retrov {

namespace {

constexpr u32 kFail = 0x3333, kPass = 0x5555, kReset = 0x7777;

}  // namespace

std::optional<u64> TestFinisher::peek(u64, unsigned size_bytes, Ticks) const {
  return size_bytes == 2 || size_bytes == 4 ? std::optional<u64>(0) : std::nullopt;
}

bool TestFinisher::write(u64 offset, unsigned size_bytes, u64 value, Ticks) {
  if (size_bytes != 2 && size_bytes != 4) return false;
  if (offset != 0) return true;
  const u32 word = size_bytes == 2 ? value & 0xffff : static_cast<u32>(value);
  const u32 code = word >> 16;
  switch (word & 0xffff) {
    case kPass:
      power_.power_off(0, "test finisher: pass");
      break;
    case kFail:
      power_.power_off(code == 0 ? 1 : status_of_guest_code(code),
                       "test finisher: fail with code " + std::to_string(code));
      break;
    case kReset:
      power_.reset();
      break;
    default:
      break;  // Other values mean nothing to the hardware.
  }
  return true;
}

void TestFinisher::describe(FdtNode& soc) const {
  FdtNode node = soc.child("test@100000");
  node.texts("compatible", {"sifive,test1", "sifive,test0", "syscon"});
  node.reg(kTestFinisherRegion.base, kTestFinisherRegion.size_bytes);
  node.cell("phandle", kTestFinisherPhandle);
}

void TestFinisher::describe_uses(FdtNode& root) {
  const auto describe_use = [&](const std::string& name, u32 value) {
    FdtNode node = root.child(name);
    node.text("compatible", "syscon-" + name);
    node.cell("regmap", kTestFinisherPhandle);
    node.cell("offset", 0);
    node.cell("value", value);
  };
  describe_use("poweroff", kPass);
  describe_use("reboot", kReset);
}

}  // namespace retrov
