// The hash of the state covers every byte of it: core/state and core/machine_state on a board with everything.
#include <algorithm>
#include <set>

#include "core/check.hpp"
#include "tests/catch.hpp"
#include "tests/support/device_bench.hpp"

using namespace retrov;
using namespace retrov::test;

namespace {

struct Board {
  RecordingOutput output;
  PatternDisk disk;
  std::unique_ptr<Machine> machine;

  Board() {
    BoardConfig config;
    config.machine.harts = 2;
    config.machine.ram_bytes = u64{4} << 20;
    config.machine.reset_pc = kRamBase;
    // Counts in memory, and further on as x2 grows: addi x1, x1, 1; add x2, x2, x3; sd x1, 0(x2); j -12.
    config.machine.initial_memory.push_back(
        {kRamBase, {0x93, 0x80, 0x10, 0, 0x33, 0x01, 0x31, 0, 0x23, 0x30, 0x11, 0, 0x6f, 0xf0, 0x5f, 0xff}});
    config.disks.push_back({0, 64 * kBlockBytes, false, true, "zero"});
    config.flash.push_back({1, false, "vars", {flash_at(1), std::vector<u8>(5000, 0xff)}});
    config.tohost = PhysAddr{kRamBase.value + 0x3000};
    const std::array<DiskBase*, 1> bases = {&disk};
    machine = build_board(config, EngineKind::kFast, output, bases);
    Batch batch;
    const auto set = [&](u64 number, u64 value) {
      DebuggerWrite write{DebuggerWrite::Space::kRegister, 0, number, std::vector<u8>(8)};
      for (unsigned i = 0; i < 8; ++i) write.bytes[i] = static_cast<u8>(value >> (8 * i));
      batch.inputs.push_back({kMachineItself, write});
    };
    set(2, kRamBase.value + 0x10000);
    set(3, 0x800);
    batch.inputs.push_back({kUartIndex, typed("abc")});
    machine->apply(batch);
    machine->run_until(Position{2000}, nullptr);
  }
  /// What differs once `changed` has been restored; nothing if it was refused.
  std::optional<std::vector<std::string>> differing_after(const Snapshot& changed,
                                                          const std::vector<ComponentHash>& before) {
    try {
      machine->restore(changed);
    } catch (const Error& error) {
      CHECK(error.exit_code() == Exit::kBadTrace);
      return std::nullopt;
    }
    std::vector<std::string> names;
    const std::vector<ComponentHash> now = machine->component_hashes();
    for (std::size_t i = 0; i < now.size(); ++i) {
      if (now[i].hash != before[i].hash) names.push_back(now[i].name);
    }
    return names;
  }
};

}  // namespace

TEST_CASE("state_hash: a bit of any byte of any component changes the hash of that component", "[state_hash]") {
  Board board;
  const Snapshot whole = board.machine->snapshot();
  const std::vector<ComponentHash> before = board.machine->component_hashes();
  std::size_t refused = 0, bytes = 0;
  for (std::size_t i = 0; i < whole.components.size(); ++i) {
    const std::string& name = before[i].name;
    for (std::size_t at = 0; at < whole.components[i].size(); ++at) {
      Snapshot changed = whole;
      changed.components[i][at] ^= 1;
      const auto names = board.differing_after(changed, before);
      ++bytes;
      if (!names) {
        ++refused;
      } else if (std::find(names->begin(), names->end(), name) == names->end()) {
        // Others may differ as well: an interrupt line that is high is seen by the PLIC.
        FAIL(name << ", byte " << at);
      }
    }
  }
  // What is refused names what is not there; the rest is the state of everything.
  CHECK(bytes > 2000);
  CHECK(refused < bytes / 4);
  board.machine->restore(whole);
  CHECK(board.machine->component_hashes().front().hash == before.front().hash);
}

TEST_CASE("state_hash: what no machine can be is refused before it is used", "[state_hash]") {
  Board board;
  const Snapshot whole = board.machine->snapshot();
  const auto refused = [&](std::size_t component, auto change) {
    Snapshot changed = whole;
    change(changed.components[component]);
    CHECK_THROWS_AS(board.machine->restore(changed), Error);
    board.machine->restore(whole);
  };
  const std::size_t flash1 = 1 + 2 + kFirstFlashIndex + 1;
  refused(0, [](std::vector<u8>& machine) { machine.push_back(0); });
  refused(0, [](std::vector<u8>& machine) { machine.pop_back(); });
  refused(0, [](std::vector<u8>& machine) { machine[7] = 0x80; });  // Position.
  refused(0, [](std::vector<u8>& machine) { machine[24] = 2; });    // Hart in turn, of two.
  refused(0, [](std::vector<u8>& machine) { machine[30] = 1; });    // Steps left in it.
  for (const u8 privilege : {2, 4, 255}) {
    refused(1, [&](std::vector<u8>& hart) { hart[8 * 65] = privilege; });
  }
  refused(2, [](std::vector<u8>& hart) { hart[0] = 1; });  // x0.
  refused(flash1, [](std::vector<u8>& flash) { flash[0] = 10; });
  refused(flash1, [](std::vector<u8>& flash) {
    flash[12] = 1;  // A buffer of one byte.
    flash.insert(flash.begin() + 20, 0);
  });
}

TEST_CASE("state_hash: a bit of any page that was written changes the hash of RAM", "[state_hash]") {
  Board board;
  const Snapshot whole = board.machine->snapshot();
  const std::vector<ComponentHash> before = board.machine->component_hashes();
  std::set<u64> pages;
  whole.trees[0].for_each([&](u64 index, const Page&) { pages.insert(index); });
  REQUIRE(pages.size() > 100);
  pages.insert(1023);  // Zero until now.
  Random random(4);
  for (const u64 page : pages) {
    Snapshot changed = whole;
    PageBytes bytes{};
    if (const Page* old = whole.trees[0].find(page)) bytes = old->bytes;
    bytes[random.below(kPageBytes)] ^= static_cast<u8>(1u << random.below(8));
    changed.trees[0].set(page, bytes);
    CHECK(board.differing_after(changed, before) == std::vector<std::string>{"ram"});
  }
}

TEST_CASE("state_hash: two pages that are exchanged change the hash of RAM", "[state_hash]") {
  Board board;
  const Snapshot whole = board.machine->snapshot();
  const std::vector<ComponentHash> before = board.machine->component_hashes();
  Snapshot changed = whole;
  const Page* first = whole.trees[0].find(0);
  const Page* other = whole.trees[0].find(20);
  REQUIRE(first != nullptr);
  REQUIRE(other != nullptr);
  changed.trees[0].set(20, first->bytes);
  changed.trees[0].set(0, other->bytes);
  CHECK(board.differing_after(changed, before) == std::vector<std::string>{"ram"});
}

TEST_CASE("state_hash: a bit of a page of flash or of a disk changes the hash of its pages", "[state_hash]") {
  Board board;
  const Snapshot whole = board.machine->snapshot();
  const std::vector<ComponentHash> before = board.machine->component_hashes();
  const std::vector<std::string> owners = board.machine->page_owners();
  REQUIRE(owners.size() == whole.trees.size());
  for (std::size_t tree = 1; tree < owners.size(); ++tree) {
    Snapshot changed = whole;
    PageBytes bytes{};
    if (const Page* old = whole.trees[tree].find(1)) bytes = old->bytes;
    bytes[77] ^= 4;
    changed.trees[tree].set(1, bytes);
    const auto names = board.differing_after(changed, before);
    REQUIRE(names);
    REQUIRE(names->size() == 1);
    CHECK(names->front().ends_with(".pages"));
  }
}
