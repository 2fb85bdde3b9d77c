// Cache-block instructions: core/cache_block and core/isa/rv_zicbo.
#include "tests/catch.hpp"
#include "tests/support/isa_hart.hpp"

namespace retrov {
namespace {

constexpr u64 kData = kTestRam + 0x2000;
constexpr u64 kRoot = kTestRam + 0x10000;
constexpr u64 kV = 1, kR = 2, kW = 4, kX = 8, kA = 64, kD = 128;
constexpr u16 kMenvcfg = 0x30a, kSenvcfg = 0x10a;
constexpr const char* kAll[] = {"cbo.inval", "cbo.clean", "cbo.flush", "cbo.zero"};
constexpr u64 kEverything = menvcfg::kCbie | menvcfg::kCbcfe | menvcfg::kCbze;

u64 gate_of(std::string_view name) {
  return name == "cbo.inval" ? menvcfg::kCbie : name == "cbo.zero" ? menvcfg::kCbze : menvcfg::kCbcfe;
}

struct Fixture : IsaHart {
  Fixture() { open_pmp(); }
  Cause run(const char* name, u64 address) {
    hart.x[1] = address;
    trap = step(name, {0, 0, 1});
    return trap.cause;
  }
  void fill() {
    for (u64 at = kData; at < kData + 256; at += 8) put(at, ~u64{0});
  }
  /// S-mode under one gigapage of Sv39 with these bits.
  void page_bits(u64 bits) {
    put(kRoot + 16, (kTestRam >> 12 << 10) | bits);
    hart.csr.satp = u64{8} << 60 | kRoot >> 12;
    hart.csr.menvcfg |= kEverything;
    hart.flush_translations();
    set_privilege(Priv::kSupervisor);
  }
  [[nodiscard]] u64 page_marks() const { return get(kRoot + 16) & (kA | kD); }
  Trap trap;
};

}  // namespace

TEST_CASE("cache_block: cbo.zero zeroes the block that its address lies in", "[cache_block]") {
  Fixture f;
  for (unsigned i = 0; i < 2; ++i) {  // Once slowly, once through the cache of translations.
    f.fill();
    REQUIRE(f.run("cbo.zero", kData + 64 + 37) == Cause::kNone);
    for (u64 at = kData; at < kData + 256; at += 8) {
      INFO(at - kData);
      CHECK(f.get(at) == (at - kData >= 64 && at - kData < 128 ? 0 : ~u64{0}));
    }
  }
}

TEST_CASE("cache_block: managing a block changes nothing in memory", "[cache_block]") {
  Fixture f;
  f.fill();
  for (const char* name : {"cbo.inval", "cbo.clean", "cbo.flush"}) {
    REQUIRE(f.run(name, kData + 1) == Cause::kNone);
    CHECK(f.get(kData) == ~u64{0});
  }
}

TEST_CASE("cache_block: menvcfg and senvcfg say who may", "[cache_block]") {
  for (const char* name : kAll) {
    INFO(name);
    Fixture f;
    CHECK(f.run(name, kData) == Cause::kNone);
    f.set_privilege(Priv::kSupervisor);
    CHECK(f.run(name, kData) == Cause::kIllegalInstruction);
    f.hart.csr.menvcfg |= gate_of(name);
    CHECK(f.run(name, kData) == Cause::kNone);
    f.set_privilege(Priv::kUser);
    CHECK(f.run(name, kData) == Cause::kIllegalInstruction);
    f.hart.csr.senvcfg |= gate_of(name);
    CHECK(f.run(name, kData) == Cause::kNone);
    f.hart.csr.menvcfg &= ~gate_of(name);
    CHECK(f.run(name, kData) == Cause::kIllegalInstruction);
  }
}

TEST_CASE("cache_block: the fields are there with their extensions, and CBIE keeps its value for 2", "[cache_block]") {
  Fixture f;
  for (const u16 number : {kMenvcfg, kSenvcfg}) {
    CHECK((*f.keep(number, kEverything) & kEverything) == kEverything);
    CHECK((*f.keep(number, 2u << 4) & kEverything) == menvcfg::kCbie);
    CHECK((*f.keep(number, 1u << 4) & kEverything) == 1u << 4);
    CHECK((*f.keep(number, 2u << 4) & kEverything) == 1u << 4);
  }
  f.platform.extensions = without_extension(default_extensions(), Extension::kZicbom);
  CHECK((*f.keep(kSenvcfg, kEverything) & kEverything) == (1u << 4 | menvcfg::kCbze));
  f.platform.extensions = without_extension(default_extensions(), Extension::kZicboz);
  CHECK((*f.keep(kSenvcfg, 0) & kEverything) == menvcfg::kCbze);
}

TEST_CASE("cache_block: faults are those of a store, with the address that was given", "[cache_block]") {
  for (const char* name : kAll) {
    INFO(name);
    Fixture f;
    CHECK(f.run(name, 0x9000'0023) == Cause::kStoreAccessFault);
    CHECK(f.trap.value == 0x9000'0023);
    f.page_bits(0);
    CHECK(f.run(name, kData + 5) == Cause::kStorePageFault);
    CHECK(f.trap.value == kData + 5);
    f.page_bits(kV | kX | kA | kD);
    CHECK(f.run(name, kData) == Cause::kStorePageFault);
  }
}

TEST_CASE("cache_block: a page that may be read may be managed, but not zeroed", "[cache_block]") {
  Fixture f;
  f.page_bits(kV | kR | kA);
  for (const char* name : {"cbo.inval", "cbo.clean", "cbo.flush"}) CHECK(f.run(name, kData) == Cause::kNone);
  CHECK(f.run("cbo.zero", kData) == Cause::kStorePageFault);
}

TEST_CASE("cache_block: managing sets A, zeroing also D; without ADUE they fault", "[cache_block]") {
  for (const char* name : kAll) {
    INFO(name);
    Fixture f;
    const bool writes = std::string_view(name) == "cbo.zero";
    f.page_bits(kV | kR | kW);
    CHECK(f.run(name, kData) == Cause::kNone);
    CHECK(f.page_marks() == (writes ? kA | kD : kA));
    f.page_bits(kV | kR | kW);
    f.hart.csr.menvcfg &= ~menvcfg::kAdue;
    CHECK(f.run(name, kData) == Cause::kStorePageFault);
    CHECK(f.page_marks() == 0);
    f.page_bits(kV | kR | kW | kA);
    CHECK(f.run(name, kData) == (writes ? Cause::kStorePageFault : Cause::kNone));
  }
}

TEST_CASE("cache_block: PMP must permit the whole block", "[cache_block]") {
  for (const char* name : kAll) {
    INFO(name);
    Fixture f;
    f.hart.csr.menvcfg |= kEverything;
    f.protect(0, 0x10, (kData + 60) >> 2);  // NA4, no rights: the last word of the block
    f.set_privilege(Priv::kSupervisor);
    CHECK(f.run(name, kData) == Cause::kStoreAccessFault);
    CHECK(f.run(name, kData + 64) == Cause::kNone);
    f.protect(0, 0x11, (kData + 60) >> 2);  // Readable.
    CHECK(f.run(name, kData) == Cause::kStoreAccessFault);  // Covers a part only.
    f.protect(0, 0x19, kData >> 2 | 7);  // NAPOT, 64 bytes, read only
    CHECK(f.run(name, kData) == (std::string_view(name) == "cbo.zero" ? Cause::kStoreAccessFault : Cause::kNone));
  }
}

TEST_CASE("cache_block: zeroing is a write, for watches and for what is decoded", "[cache_block]") {
  Fixture f;
  f.fill();
  StopSet stops;
  stops.watches = {{VirtAddr{kData + 40}, 4, WatchKind::kWrite, 0, false}};
  f.platform.stops = &stops;
  CHECK(f.run("cbo.zero", kData + 3) == Cause::kDebugStop);
  REQUIRE(stops.hit.has_value());
  CHECK(stops.hit->address == VirtAddr{kData + 40});
  CHECK(f.get(kData) == ~u64{0});
  CHECK(f.run("cbo.flush", kData + 3) == Cause::kNone);
  f.platform.stops = nullptr;
  f.memory.commit();
  REQUIRE(f.run("cbo.zero", kData) == Cause::kNone);
  CHECK(f.memory.dirty_pages().size() == 1);
}

TEST_CASE("cache_block: prefetches fetch nothing and fault nowhere", "[cache_block]") {
  Fixture f;
  f.set_privilege(Priv::kUser);
  f.hart.x[1] = 0x9000'0000;
  for (const u32 raw : {0x0000e013u, 0x0010e013u, 0x0030e013u}) {
    const std::string_view name = find_insn(raw)->name;
    CHECK(name.starts_with("prefetch."));
    CHECK_FALSE(f.step(raw));
    CHECK(find_insn(raw, without_extension(default_extensions(), Extension::kZicbop))->name == "ori");
  }
  CHECK(find_insn(0x0020e013)->name == "ori");
  CHECK(find_insn(0x0000e093)->name == "ori");
  CHECK(decode_operands(Format::kPrefetch, 0xfe00e013).imm == -32);
}

}  // namespace retrov
