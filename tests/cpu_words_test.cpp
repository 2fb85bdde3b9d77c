#include "cli/cpu_words.hpp"

#include "core/check.hpp"
#include "tests/catch.hpp"

namespace retrov {
namespace {

using enum Extension;

template <class Parse>
std::string refusal(Parse parse, const char* text) {
  try {
    static_cast<void>(parse(text));
  } catch (const Error& error) {
    CHECK(error.exit_code() == Exit::kUsage);
    return error.what();
  }
  return "";
}

bool contains(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("cpu_words: -cpu is a processor and switches", "[cpu_words]") {
  CHECK(parse_cpu("rv64") == default_extensions());
  CHECK(parse_cpu("max") == default_extensions());
  CHECK(parse_cpu("rva22s64") == *cpu_extensions("rva22s64"));
  CHECK(parse_cpu("rv64,zbb=off") == without_extension(default_extensions(), kZbb));
  CHECK(parse_cpu("rv64,Zbb=off,zbb=on") == default_extensions());
  CHECK(parse_cpu("rva22s64,sstc=true").has(kSstc));
  CHECK_FALSE(parse_cpu("rv64,f=false").has_any({kF, kD, kZcd}));
  CHECK_FALSE(parse_cpu("rv64,b=off").has_any({kZba, kZbb, kZbs}));
  const ExtensionSet without_g = parse_cpu("rv64,g=off");
  CHECK_FALSE(without_g.has_any({kM, kA, kF, kD, kZifencei}));
  CHECK(without_g.has_all({kI, kZicsr}));
}

TEST_CASE("cpu_words: what -cpu does not know it refuses, with what there is", "[cpu_words]") {
  const std::string unknown = refusal(parse_cpu, "rv64,zfoo=off");
  CHECK(contains(unknown, "'zfoo'"));
  CHECK(contains(unknown, " zbb "));
  CHECK(contains(refusal(parse_cpu, "rv32"), "rva22s64"));
  CHECK(contains(refusal(parse_cpu, "rv64,zbb"), "zbb=off"));
  CHECK(contains(refusal(parse_cpu, "rv64,"), "zbb=off"));
  CHECK(contains(refusal(parse_cpu, "rv64,zbb=maybe"), "'maybe'"));
  CHECK(contains(refusal(parse_cpu, "rv64,i=off"), "cannot be switched off"));
  CHECK(contains(refusal(parse_cpu, "rv64,zca=off"), "part of c"));
}

TEST_CASE("cpu_words: --isa is what the compiler is told", "[cpu_words]") {
  const ExtensionSet gc = parse_isa("rv64gc");
  CHECK(isa_string(gc, WithModes::kYes) == "rv64imafdc_zicsr_zifencei_zmmul_zaamo_zalrsc_zca_zcd_sv39_sv48_sv57");
  CHECK(parse_isa("RV64IMAFDCZicsr_Zifencei") == gc);
  CHECK(parse_isa("rv64i2p1_m2p0_a2p1_f2p2_d2p2_c2p0_zicsr2p0_zifencei2p0_zmmul1p0_zaamo1p0_zca1p0_zcd1p0") == gc);
  CHECK(parse_isa("rv64gc_zba_zbb_zbs") == parse_isa("rv64gcb"));
  CHECK(parse_isa("rv64gc_za64rs1p0_zic64b_sv57").has_all({kZa64rs, kZic64b}));
  CHECK_FALSE(parse_isa("rv64i").has_any({kM, kA, kF, kC, kZicntr, kSstc, kSvadu, kZifencei}));
}

TEST_CASE("cpu_words: what --isa does not know it refuses, with what there is", "[cpu_words]") {
  CHECK(contains(refusal(parse_isa, "rv32i"), "rv64i"));
  CHECK(contains(refusal(parse_isa, "rv64e"), "rv64i"));
  const std::string unknown = refusal(parse_isa, "rv64gcv_zba");
  CHECK(contains(unknown, "'v'"));
  CHECK(contains(unknown, " zbb "));
  CHECK(contains(refusal(parse_isa, "rv64gc_zvfh1p0"), "'zvfh'"));
  CHECK(contains(refusal(parse_isa, "rv64ima_zca"), "part of c"));
}

}  // namespace retrov
