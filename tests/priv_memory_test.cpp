// What a load, a store, a fetch or an atomic may do, and which of several faults is reported, on both engines
// (privileged manual, 3.1.6.3, 3.7, 4.3; table 3.7): core/mmu, core/pmp, core/access and the engine's caches of their
// answers, which must follow every change of mode, mstatus, PMP and entry.
#include <functional>

#include "core/csr.hpp"
#include "tests/catch.hpp"
#include "tests/support/rule_bench.hpp"

namespace retrov {
namespace {

using namespace test;

constexpr u64 kCode = RuleBench::kCode, kData = RuleBench::kData, kNext = kData + kPageBytes;
constexpr u64 kUserCode = kCode + kPageBytes, kNowhere = 0x40000000, kLast = kData + kPageBytes - 2;
constexpr u32 kLw = 0x0005a503, kLd = 0x0005b503, kSw = 0x00c5a023, kSd = 0x00c5b023, kLh = 0x00059503;  // a0, (a1), a2
constexpr u32 kAmoaddW = 0x00c5a52f, kLrW = 0x1005a52f, kScW = 0x18c5a52f, kAmocasW = 0x28c5a52f;
constexpr u32 kNop = 0x00000013;
constexpr u64 kInstructionFault = 1, kLoadMisaligned = 4, kLoadFault = 5, kStoreMisaligned = 6, kStoreFault = 7;
constexpr u64 kInstructionPage = 12, kLoadPage = 13, kStorePage = 15;

/// One entry of the protection, before the one that allows everything. Bits of the configuration: R, W, X, and NAPOT.
void protect(RuleBench& bench, u64 page, u64 config) {
  bench.set(csr::kPmpaddr0, page >> 2 | 0x1ff);
  bench.set(csr::kPmpcfg0, 0x18 | config);
}

/// The same for one entry of a table.
void protect_entry(RuleBench& bench, u64 entry_at) {
  bench.set(csr::kPmpaddr0, entry_at >> 2);
  bench.set(csr::kPmpcfg0, 0x18);
}

enum class What : u8 { kLoad, kStore, kFetch };
constexpr u64 kPageFault[] = {kLoadPage, kStorePage, kInstructionPage};

/// The manual's rules (4.3.1, 3.1.6.3) for a leaf with both marks.
bool permitted(Priv mode, u64 bits, bool sum, bool mxr, What what) {
  const bool r = (bits & pte::kR) != 0, w = (bits & pte::kW) != 0, x = (bits & pte::kX) != 0;
  if (w && !r) return false;
  if ((bits & pte::kU) == 0) {
    if (mode == Priv::kUser) return false;
  } else if (mode == Priv::kSupervisor && (what == What::kFetch || !sum)) {
    return false;
  }
  switch (what) {
    case What::kLoad: return r || (mxr && x);
    case What::kStore: return w;
    case What::kFetch: break;
  }
  return x;
}

struct View {
  const char* name;
  Priv mode;
  u64 mstatus;
  Priv data;  ///< Whose rules loads and stores follow.
};
constexpr View kViews[] = {
    {"U", Priv::kUser, 0, Priv::kUser},
    {"S", Priv::kSupervisor, 0, Priv::kSupervisor},
    {"M", Priv::kMachine, 0, Priv::kMachine},
    {"M as U", Priv::kMachine, mstatus::kMprv, Priv::kUser},
    {"M as S", Priv::kMachine, mstatus::kMprv | u64{1} << 11, Priv::kSupervisor},
    {"M as M", Priv::kMachine, mstatus::kMprv | mstatus::kMpp, Priv::kMachine},
};

/// A step in Sv39 that must fault, or must not.
struct Case {
  const char* what;
  u32 raw;
  u64 address;                           ///< a1, or the pc of a fetch (raw is put there).
  std::function<void(RuleBench&)> given;
  std::optional<u64> cause;
  u64 value = 0;
};

bool is_fetch(const Case& c) { return (c.raw & 0x7f) == 0x13 || (c.raw & 3) != 3 || c.raw == 0xffffffff; }

void check_steps(std::initializer_list<Case> cases) {
  for (const EngineKind engine : kEngines) {
    for (const Case& c : cases) {
      INFO(c.what << " engine " << static_cast<int>(engine));
      RuleBench bench(engine);
      const u64 pc = is_fetch(c) ? c.address : kCode;
      bench.put(pc, c.raw, 4);
      bench.sv39();
      bench.set_x(10, 0x77);
      bench.set_x(11, c.address);
      bench.set_x(12, 0x55);
      bench.put(kData + kPageBytes - 8, 0x1122334455667788);
      bench.put(kNext, 0x99aabbccddeeff00);
      bench.put(pc, c.raw, 4);
      // Once before, so that whatever may be kept is.
      bench.step(Priv::kSupervisor, pc);
      bench.set_x(10, 0x77);
      const u64 before = bench.memory(kLast - 6), after = bench.memory(kNext);
      c.given(bench);
      const Taken taken = bench.step(Priv::kSupervisor, pc);
      if (c.cause) {
        CHECK(taken == Taken{*c.cause, c.value, pc, Priv::kMachine});
        CHECK(bench.x(10) == 0x77);
        CHECK(bench.memory(kLast - 6) == before);
        CHECK(bench.memory(kNext) == after);
      } else {
        CHECK(taken == Taken{});
      }
    }
  }
}

void drop(RuleBench& bench, u64 page) { bench.set_leaf(page, 0); }

}  // namespace

TEST_CASE("priv_memory: U, R, W and X with SUM, MXR and MPRV permit what the manual says", "[priv_memory]") {
  for (const EngineKind engine : kEngines) {
    RuleBench bench(engine);
    bench.set_leaf(kUserCode, pte::kAll | pte::kU);
    bench.sv39();
    for (u64 bits = 0; bits < 32; bits += 2) {
      bench.set_leaf(kData, pte::kV | pte::kA | pte::kD | bits);
      for (unsigned i = 0; i < 4 * std::size(kViews); ++i) {
        const View& view = kViews[i / 4];
        const bool sum = (i & 1) != 0, mxr = (i & 2) != 0;
        bench.set(csr::kMstatus, view.mstatus | (sum ? mstatus::kSum : 0) | (mxr ? mstatus::kMxr : 0));
        for (const What what : {What::kLoad, What::kStore, What::kFetch}) {
          INFO(view.name << " bits " << bits << " SUM " << sum << " MXR " << mxr << " what " << static_cast<int>(what)
                         << " engine " << static_cast<int>(engine));
          const bool fetch = what == What::kFetch;
          const u64 pc = fetch ? kData : view.mode == Priv::kUser ? kUserCode : kCode;
          bench.put(pc, fetch ? kNop : what == What::kLoad ? kLw : kSw, 4);
          bench.set_x(11, kData + 8);
          const Priv rules = fetch ? view.mode : view.data;
          const bool allowed = rules == Priv::kMachine || permitted(rules, bits, sum, mxr, what);
          const Taken taken = bench.step(view.mode, pc);
          const Taken fault{kPageFault[static_cast<int>(what)], fetch ? pc : kData + 8, pc, Priv::kMachine};
          REQUIRE(taken == (allowed ? Taken{} : fault));
          bench.set(csr::kMstatus, view.mstatus | (sum ? mstatus::kSum : 0) | (mxr ? mstatus::kMxr : 0));
        }
      }
    }
  }
}

TEST_CASE("priv_memory: of several faults the manual's first is reported", "[priv_memory]") {
  const auto closed = [](u64 page) { return [page](RuleBench& b) { protect(b, page, 0); }; };
  const auto closed_with = [](u64 page, u64 bits) {
    return [page, bits](RuleBench& b) {
      protect(b, page, 0);
      b.set_leaf(page, bits);
    };
  };
  const auto beyond = [](u64 bits) {
    return [bits](RuleBench& b) { b.put(RuleBench::leaf_at(kData), pte::entry(kNowhere, bits)); };
  };
  const auto entry_closed = [](RuleBench& b) {
    protect_entry(b, RuleBench::leaf_at(kData));
    drop(b, kData);
  };
  const auto root_closed = [](RuleBench& b) { protect_entry(b, RuleBench::kRoot); };
  check_steps({
      {"load: protection", kLw, kData, closed(kData), kLoadFault, kData},
      {"store: protection", kSw, kData, closed(kData), kStoreFault, kData},
      {"fetch: protection", kNop, kData, closed(kData), kInstructionFault, kData},
      {"load: no page, protection", kLw, kData, closed_with(kData, 0), kLoadPage, kData},
      {"load: no right, protection", kLw, kData, closed_with(kData, pte::kV | pte::kX | pte::kA), kLoadPage, kData},
      {"store: no right, protection", kSw, kData, closed_with(kData, pte::kV | pte::kR | pte::kA), kStorePage, kData},
      {"fetch: no right, protection", kNop, kData, closed_with(kData, pte::kV | pte::kR | pte::kA), kInstructionPage,
       kData},
      {"load: A is missing, protection", kLw, kData,
       [&](RuleBench& b) {
         closed_with(kData, pte::kV | pte::kR | pte::kW)(b);
         b.set(csr::kMenvcfg, 0);
       },
       kLoadPage, kData},
      {"store: D is missing, protection", kSw, kData,
       [&](RuleBench& b) {
         closed_with(kData, pte::kAll & ~pte::kD)(b);
         b.set(csr::kMenvcfg, 0);
       },
       kStorePage, kData},
      {"load: protection of the entry, which is none", kLw, kData, entry_closed, kLoadFault, kData},
      {"store: protection of the entry, which is none", kSw, kData, entry_closed, kStoreFault, kData},
      {"fetch: protection of the entry, which is none", kNop, kData, entry_closed, kInstructionFault, kData},
      {"load: no address, protection of the root's entry", kLw, u64{1} << 40, root_closed, kLoadPage, u64{1} << 40},
      {"load: protection of the root's entry", kLw, 0x123450, root_closed, kLoadFault, 0x123450},
      {"load: behind memory", kLw, kData, beyond(pte::kAll), kLoadFault, kData},
      {"store: behind memory", kSw, kData, beyond(pte::kAll), kStoreFault, kData},
      {"load: behind memory, without right", kLw, kData, beyond(pte::kV | pte::kX | pte::kA), kLoadPage, kData},
      {"store: behind memory, without right", kSw, kData, beyond(pte::kV | pte::kR | pte::kA), kStorePage, kData},
      {"fetch: illegal, and no page", 0xffffffff, kData, [](RuleBench& b) { drop(b, kData); }, kInstructionPage, kData},
  });
}

TEST_CASE("priv_memory: misaligned atomics trap before all else, misaligned loads and stores do not", "[priv_memory]") {
  const auto no_page = [](RuleBench& b) { drop(b, kData); };
  const auto closed = [](RuleBench& b) { protect(b, kData, 0); };
  check_steps({
      {"amo, no page", kAmoaddW, kData + 2, no_page, kStoreMisaligned, kData + 2},
      {"amo, protection", kAmoaddW, kData + 1, closed, kStoreMisaligned, kData + 1},
      {"amocas, no page", kAmocasW, kData + 2, no_page, kStoreMisaligned, kData + 2},
      {"lr, no page", kLrW, kData + 2, no_page, kLoadMisaligned, kData + 2},
      {"sc without reservation, no page", kScW, kData + 2, no_page, kStoreMisaligned, kData + 2},
      {"lh", kLh, kData + 1, [](RuleBench&) {}, std::nullopt},
      {"load, no page", kLw, kData + 2, no_page, kLoadPage, kData + 2},
      {"store, no page", kSw, kData + 3, no_page, kStorePage, kData + 3},
      {"load, protection", kLw, kData + 2, closed, kLoadFault, kData + 2},
      {"no address at all", kLw, ~u64{0} >> 1, [](RuleBench&) {}, kLoadPage, ~u64{0} >> 1},
  });
}

TEST_CASE("priv_memory: an access across pages faults at the first page that refuses, and does nothing",
          "[priv_memory]") {
  const auto without = [](u64 page) { return [page](RuleBench& b) { drop(b, page); }; };
  const auto read_only = [](RuleBench& b) { b.set_leaf(kNext, pte::kV | pte::kR | pte::kA); };
  const auto second_closed = [](RuleBench& b) { protect(b, kNext, 0); };
  const auto first_closed = [](RuleBench& b) {
    protect(b, kData, 0);
    drop(b, kNext);
  };
  const auto neither = [](RuleBench& b) {
    drop(b, kData);
    protect(b, kNext, 0);
  };
  check_steps({
      {"load, all well", kLd, kLast, [](RuleBench&) {}, std::nullopt},
      {"load, second page", kLd, kLast, without(kNext), kLoadPage, kNext},
      {"load, first page", kLd, kLast, without(kData), kLoadPage, kLast},
      {"load, second protected", kLd, kLast, second_closed, kLoadFault, kNext},
      {"load, first protected and no second", kLd, kLast, first_closed, kLoadFault, kLast},
      {"load, no first and second protected", kLd, kLast, neither, kLoadPage, kLast},
      {"store, second page read-only", kSd, kLast, read_only, kStorePage, kNext},
      {"store, second page", kSd, kLast, without(kNext), kStorePage, kNext},
      {"store, second protected", kSd, kLast, second_closed, kStoreFault, kNext},
      {"store, first page", kSd, kLast, without(kData), kStorePage, kLast},
      {"fetch, second half", kNop, kLast, without(kNext), kInstructionPage, kNext},
      {"fetch, second half protected", kNop, kLast, second_closed, kInstructionFault, kNext},
      {"fetch, first half", kNop, kLast, without(kData), kInstructionPage, kLast},
      {"fetch, first protected and no second", kNop, kLast, first_closed, kInstructionFault, kLast},
      {"fetch of two bytes, no second page", 0x0001, kLast, without(kNext), std::nullopt},
  });
}

TEST_CASE("priv_memory: AMO and SC fault as stores, LR as a load", "[priv_memory]") {
  const auto with = [](u64 bits) { return [bits](RuleBench& b) { b.set_leaf(kData, bits); }; };
  const auto readable = with(pte::kV | pte::kR | pte::kA | pte::kD);
  const auto executable = with(pte::kV | pte::kX | pte::kA | pte::kD);
  const auto closed = [](u64 config) { return [config](RuleBench& b) { protect(b, kData, config); }; };
  const auto no_marks = [&](u64 bits) {
    return [bits](RuleBench& b) {
      b.set_leaf(kData, bits);
      b.set(csr::kMenvcfg, 0);
    };
  };
  const auto nowhere = [](RuleBench& b) { b.put(RuleBench::leaf_at(kData), pte::entry(kNowhere, pte::kAll)); };
  /// A reservation at kData, and then what comes.
  const auto reserved = [](std::function<void(RuleBench&)> then) {
    return [then](RuleBench& b) {
      b.put(kCode + 8, kLrW, 4);
      b.step(Priv::kSupervisor, kCode + 8);
      b.set_x(10, 0x77);
      then(b);
    };
  };
  check_steps({
      {"amo, no page", kAmoaddW, kData, with(0), kStorePage, kData},
      {"amo, readable", kAmoaddW, kData, readable, kStorePage, kData},
      {"amo, executable", kAmoaddW, kData, executable, kStorePage, kData},
      {"amo, not dirty", kAmoaddW, kData, no_marks(pte::kAll & ~pte::kD), kStorePage, kData},
      {"amo, not accessed", kAmoaddW, kData, no_marks(pte::kAll & ~pte::kA), kStorePage, kData},
      {"amo, readable by protection", kAmoaddW, kData, closed(1), kStoreFault, kData},
      {"amo, nothing by protection", kAmoaddW, kData, closed(0), kStoreFault, kData},
      {"amo, no memory", kAmoaddW, kData, nowhere, kStoreFault, kData},
      {"amocas that would not write, readable", kAmocasW, kData, readable, kStorePage, kData},
      {"amocas that would not write, no memory", kAmocasW, kData, nowhere, kStoreFault, kData},
      {"lr, no page", kLrW, kData, with(0), kLoadPage, kData},
      {"lr, readable", kLrW, kData, readable, std::nullopt},
      {"lr, executable", kLrW, kData, executable, kLoadPage, kData},
      {"lr, executable with MXR", kLrW, kData,
       [&](RuleBench& b) {
         executable(b);
         b.set(csr::kMstatus, mstatus::kMxr);
       },
       std::nullopt},
      {"lr, not accessed", kLrW, kData, no_marks(pte::kAll & ~pte::kA), kLoadPage, kData},
      {"lr, protection", kLrW, kData, closed(2), kLoadFault, kData},
      {"lr, no memory", kLrW, kData, nowhere, kLoadFault, kData},
      {"sc, no page", kScW, kData, reserved(with(0)), kStorePage, kData},
      {"sc, readable", kScW, kData, reserved(readable), kStorePage, kData},
      {"sc, not dirty", kScW, kData, reserved(no_marks(pte::kAll & ~pte::kD)), kStorePage, kData},
      {"sc, readable by protection", kScW, kData, reserved(closed(1)), kStoreFault, kData},
      {"sc, no memory", kScW, kData, reserved(nowhere), kStoreFault, kData},
      {"sc without reservation makes no access", kScW, kData, with(0), std::nullopt},
  });
}

TEST_CASE("priv_memory: without paging, what no one answers is an access fault of the access's kind",
          "[priv_memory]") {
  for (const EngineKind engine : kEngines) {
    for (const Priv mode : {Priv::kMachine, Priv::kSupervisor}) {
      RuleBench bench(engine);
      for (const u64 address : {u64{0}, kNowhere, RuleBench::kRam + RuleBench::kRamBytes, u64{1} << 56, ~u64{7}}) {
        bench.set_x(11, address);
        const auto step = [&](u32 raw) {
          bench.put(kCode, raw, 4);
          return bench.step(mode);
        };
        INFO(std::hex << address);
        CHECK(step(kLd) == Taken{kLoadFault, address, kCode, Priv::kMachine});
        CHECK(step(kSd) == Taken{kStoreFault, address, kCode, Priv::kMachine});
        CHECK(step(kLrW) == Taken{kLoadFault, address, kCode, Priv::kMachine});
        CHECK(step(kAmoaddW) == Taken{kStoreFault, address, kCode, Priv::kMachine});
        CHECK(bench.step(mode, address) == Taken{kInstructionFault, address, address, Priv::kMachine});
      }
    }
  }
}

}  // namespace retrov
