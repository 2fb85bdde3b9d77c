// Covers gdbstub/target_xml and gdbstub/machine_view.

#include "gdbstub/target_xml.hpp"

#include <regex>

#include "tests/catch.hpp"
#include "tests/support/fake_debugger.hpp"

using namespace retrov;

namespace {

std::string document() {
  const FakeDebugger debugger;
  return target_xml(FakeMachine(debugger).registers());
}

/// The line of a register, and the feature it is in.
std::string line_of(const std::string& xml, const std::string& name) {
  const std::size_t at = xml.find("<reg name=\"" + name + "\"");
  REQUIRE(at != std::string::npos);
  const std::size_t feature = xml.rfind("<feature name=\"", at);
  return xml.substr(feature, xml.find('\n', feature) - feature) + xml.substr(at, xml.find('\n', at) - at);
}

}  // namespace

TEST_CASE("target_xml: the machine is rv64 without an operating system", "[target_xml]") {
  CHECK_THAT(document(), has_substring("<architecture>riscv:rv64</architecture>\n<osabi>none</osabi>\n"));
}

TEST_CASE("target_xml: each register is in gdb's feature for it, with its number, width and type", "[target_xml]") {
  const std::string xml = document();
  CHECK_THAT(line_of(xml, "x5"), has_substring("riscv.cpu"));
  CHECK_THAT(line_of(xml, "pc"), has_substring("bitsize=\"64\" regnum=\"32\" type=\"code_ptr\""));
  CHECK_THAT(line_of(xml, "f31"), has_substring("riscv.fpu"));
  CHECK_THAT(line_of(xml, "f31"), has_substring("regnum=\"64\" type=\"ieee_double\""));
  CHECK_THAT(line_of(xml, "priv"), has_substring("riscv.virtual"));
  CHECK_THAT(line_of(xml, "fcsr"), has_substring("riscv.fpu"));
  CHECK_THAT(line_of(xml, "fcsr"), has_substring("bitsize=\"32\" regnum=\"69\" type=\"fcsr_type\""));
  CHECK_THAT(line_of(xml, "mstatus"), has_substring("riscv.csr"));
  CHECK_THAT(line_of(xml, "mstatus"), has_substring("regnum=\"834\" type=\"mstatus_type\""));
}

TEST_CASE("target_xml: every type that is used is defined in the same feature before it", "[target_xml]") {
  const std::string xml = document();
  const std::regex use("type=\"([a-z]+_type)\"");
  std::size_t uses = 0;
  for (std::sregex_iterator it(xml.begin(), xml.end(), use), end; it != end; ++it, ++uses) {
    const auto at = static_cast<std::size_t>(it->position());
    const std::size_t feature = xml.rfind("<feature", at);
    CHECK(xml.rfind("<flags id=\"" + (*it)[1].str() + "\"", at) > feature);
    CHECK(xml.rfind("<flags id=\"" + (*it)[1].str() + "\"", at) != std::string::npos);
  }
  CHECK(uses == 3);
}

TEST_CASE("target_xml: a group without registers has no feature", "[target_xml]") {
  const std::vector<RegisterInfo> only_pc = {{kRegisterPc, "pc", RegisterGroup::kGeneral}};
  CHECK_THAT(target_xml(only_pc), !has_substring("riscv.fpu"));
  CHECK_THAT(target_xml(only_pc), !has_substring("riscv.csr"));
}

TEST_CASE("target_xml: what g carries ascends by number and ends with fcsr", "[target_xml]") {
  const FakeDebugger debugger;
  const std::vector<RegisterId> ids = general_registers(FakeMachine(debugger).registers());
  CHECK(ids.size() == 69);
  CHECK(std::is_sorted(ids.begin(), ids.end()));
  CHECK(ids.front() == integer_register(0));
  CHECK(ids.back() == csr_register(3));
}

TEST_CASE("target_xml: a thread's text cannot break the document", "[target_xml]") {
  const std::vector<ThreadLine> lines = {{"p1.1", 0, "<a> & \"b\""}};
  CHECK_THAT(threads_xml(lines), has_substring("name=\"hart 0\">&lt;a> &amp; &quot;b&quot;</thread>"));
}
