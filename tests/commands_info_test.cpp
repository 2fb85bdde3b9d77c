// `info mem`, `info tlb` and `info csr` (replay/commands_info), on page tables that the test writes into a copy.
#include <cstring>
#include <sstream>

#include "core/check.hpp"
#include "replay/commands.hpp"
#include "replay/session.hpp"
#include "tests/catch.hpp"
#include "tests/support/echo_prompt.hpp"
#include "tests/support/guest_bench.hpp"

using namespace retrov;
using namespace retrov::test;

namespace {

constexpr u64 kRoot = 0x80100000, kMiddle = 0x80101000, kLast = 0x80102000;
constexpr u64 kV = 1, kR = 2, kW = 4, kX = 8, kU = 16, kG = 32, kA = 64, kD = 128;
constexpr u64 entry(u64 physical, u64 bits) { return physical >> 12 << 10 | bits; }

struct Bench : EchoPrompt {
  Bench() {
    session->seek(Position{1000});
    session->set_scratch(Scratch::kOn);
  }
  void put(u64 address, u64 value) {
    std::array<u8, 8> bytes;
    std::memcpy(bytes.data(), &value, sizeof value);
    session->write_memory(0, AddressSpace::kPhysical, address, bytes);
  }
  void map() {
    put(kRoot + 8, entry(kMiddle, kV));
    put(kRoot + 8 * 256, entry(0x80000000, kV | kR | kX | kG | kA));
    put(kMiddle, entry(kLast, kV));
    put(kMiddle + 8, entry(0x80000000, kV | kR | kW | kA | kD));
    for (u64 i = 0; i < 4; ++i) put(kLast + 8 * i, entry(0x80002000 + (i << 12), kV | kR | kW | kA | kD));
    put(kLast + 8 * 6, entry(0x80009000, kV | kR | kU));
    session->write_register(0, *find_register("satp"), u64{8} << 60 | kRoot >> 12);
  }
};

}  // namespace

TEST_CASE("commands_info: mem is what QEMU prints, pages that lie together as one", "[commands_info]") {
  Bench bench;
  CHECK(bench.run("info mem") == "No translation or protection\n");
  bench.map();
  CHECK(bench.run("info mem") ==
        "vaddr            paddr            size             attr\n"
        "---------------- ---------------- ---------------- -------\n"
        "0000000040000000 0000000080002000 0000000000004000 rw---ad\n"
        "0000000040006000 0000000080009000 0000000000001000 r--u---\n"
        "0000000040200000 0000000080000000 0000000000200000 rw---ad\n"
        "ffffffc000000000 0000000080000000 0000000040000000 r-x-ga-\n");
}

TEST_CASE("commands_info: tlb is the leaves by size, or the walk to one address", "[commands_info]") {
  Bench bench;
  CHECK(bench.run("info tlb") == "No translation or protection\n");
  bench.map();
  CHECK(bench.run("info tlb") ==
        "0000000040000000: 0000000080002000 rw---ad  4 x 4K\n"
        "0000000040006000: 0000000080009000 r--u---  1 x 4K\n"
        "0000000040200000: 0000000080000000 rw---ad  1 x 2M\n"
        "ffffffc000000000: 0000000080000000 r-x-ga-  1 x 1G\n");
  CHECK(bench.run("info tlb 0x40001234") ==
        "entry at 0000000080100008: 0000000020040401\n"
        "entry at 0000000080101000: 0000000020040801\n"
        "entry at 0000000080102008: 0000000020000cc7  leaf rw---ad  0x40001234 is 0x80003234\n");
  CHECK(bench.run("info tlb 0x40005000") ==
        "entry at 0000000080100008: 0000000020040401\n"
        "entry at 0000000080101000: 0000000020040801\n"
        "entry at 0000000080102028: 0000000000000000\n"
        "0x40005000 is not mapped\n");
}

TEST_CASE("commands_info: tables that name themselves are said to have no end", "[commands_info]") {
  Bench bench;
  bench.map();
  for (u64 i = 0; i < 512; ++i) bench.put(kRoot + 8 * i, entry(kRoot, kV));
  bench.put(kRoot, entry(0x80000000, kV | kR));
  bench.session->write_register(0, *find_register("satp"), u64{10} << 60 | kRoot >> 12);
  CHECK_THAT(bench.run("info mem"), has_substring("... and more: these page tables have no end\n"));
}

TEST_CASE("commands_info: CSRs are all of them, or those that are named", "[commands_info]") {
  Bench bench;
  const std::string all = bench.run("info csr");
  CHECK_THAT(all, has_substring("mtvec") && has_substring("satp"));
  CHECK(all.find("sp  ") == std::string::npos);
  CHECK(bench.run("info csr satp") == "satp          0x0000000000000000\n");
  CHECK_THROWS_WITH(bench.run("info csr a0"), "there is no CSR 'a0'");
  CHECK_THROWS_WITH(bench.run("info mem now"), "usage: info mem");
  CHECK_THAT(bench.run("info"), has_substring("info tlb [ADDRESS]"));
}

TEST_CASE("commands_info: xp reads physical memory whatever the address space is", "[commands_info]") {
  Bench bench;
  bench.map();
  CHECK(bench.run("xp /2xg 0x80100008") == "0x80100008:  0x0000000020040401  0x0000000000000000\n");
  CHECK(bench.run("xp/1xw 0x80102008") == "0x80102008:  0x20000cc7\n");
  CHECK(bench.run("xp/2ob 0x80102008") == "0x80102008:  0307  014\n");
  bench.put(0x80103000, 0x410a0a);
  CHECK(bench.run("xp/3cb 0x80103000") == "0x80103000:  '\\x0a'  '\\x0a'  'A'\n");
  CHECK(bench.context.space == AddressSpace::kVirtual);
  CHECK_THROWS_WITH(bench.run("xp 0x40000000"), has_substring("0x40000000"));
  CHECK(bench.context.space == AddressSpace::kVirtual);
}
