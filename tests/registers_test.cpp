#include "core/registers.hpp"

#include <set>

#include "core/csr.hpp"
#include "tests/catch.hpp"

namespace retrov {
namespace {

TEST_CASE("registers: the list ascends by the numbers that gdb and QEMU use", "[registers]") {
  const std::vector<RegisterInfo>& list = register_list();
  REQUIRE(list.size() == 66 + csr_rows().size());
  for (std::size_t i = 0; i < 66; ++i) CHECK(u16(list[i].id) == i);
  for (std::size_t i = 1; i < list.size(); ++i) CHECK(list[i - 1].id < list[i].id);
  CHECK(list[10].name == "a0");
  CHECK(list[32].name == "pc");
  CHECK(list[33].name == "ft0");
  CHECK(list[64].name == "ft11");
  CHECK(list[65].group == RegisterGroup::kVirtual);
  CHECK(list[66].name == "fflags");
  CHECK(u16(list[66].id) == 67);
}

TEST_CASE("registers: each is found by its name, and no name twice", "[registers]") {
  std::set<std::string> names;
  for (const RegisterInfo& info : register_list()) {
    CAPTURE(info.name);
    CHECK(names.insert(info.name).second);
    CHECK(find_register(info.name) == info.id);
  }
}

TEST_CASE("registers: plain numbers and fp are names, too", "[registers]") {
  CHECK(find_register("x0") == integer_register(0));
  CHECK(find_register("x31") == integer_register(31));
  CHECK(find_register("f10") == float_register(10));
  CHECK(find_register("fp") == integer_register(8));
  CHECK(find_register("mstatus") == csr_register(0x300));
  for (const char* name : {"x32", "x", "x01", "f-1", "f32", "x1a", "y3", "", "dcsr", "X1"}) {
    CAPTURE(name);
    CHECK_FALSE(find_register(name).has_value());
  }
}

}  // namespace
}  // namespace retrov
