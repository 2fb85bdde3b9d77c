// RAM and its one function for writes: dirty marks, listeners, observers, commit and restore.
#include "core/memory.hpp"

#include <random>

#include "tests/catch.hpp"

using namespace retrov;

namespace {

constexpr PhysAddr kBase{0x80000000};

struct Listener : WriteListener {
  bool code_written(u64 offset, u64) override {
    code.push_back(offset);
    return true;
  }
  bool page_table_written(u64 offset, u64, Writer) override {
    tables.push_back(offset);
    return false;
  }
  void foreign_write(PhysAddr address, u64, Writer) override { foreign.push_back(address.value); }
  void flush_write_translations() override { ++flushes; }
  std::vector<u64> code, tables, foreign;
  unsigned flushes = 0;
};

struct Observer : RamObserver {
  void ram_written(PhysAddr address, u64) override { seen.push_back(address.value); }
  std::vector<u64> seen;
};

void put(Memory& memory, u64 offset, u8 value, Writer who = Writer::kHart) {
  memory.write(PhysAddr{kBase.value + offset}, {&value, 1}, who);
}

}  // namespace

TEST_CASE("memory: contains is exact at both ends and does not overflow", "[memory]") {
  const Memory memory(kBase, 1 << 20);
  CHECK(memory.contains(kBase, 1 << 20));
  CHECK_FALSE(memory.contains(kBase, (1 << 20) + 1));
  CHECK_FALSE(memory.contains(PhysAddr{kBase.value - 1}, 1));
  CHECK_FALSE(memory.contains(PhysAddr{~u64{0}}, 2));
  CHECK_FALSE(memory.contains(kBase, ~u64{0}));
}

TEST_CASE("memory: a write is told to whoever holds a cache over the page, and to nobody else", "[memory]") {
  Memory memory(kBase, 1 << 20);
  Listener listener;
  memory.set_listener(&listener);
  put(memory, 0x1000, 1);
  CHECK(listener.code.empty());
  memory.flag_page(1, Memory::kCode);
  memory.flag_page(2, Memory::kPageTable);
  CHECK(listener.flushes == 2);
  put(memory, 0x1008, 1);
  put(memory, 0x2010, 1);
  CHECK(listener.code == std::vector<u64>{0x1008});
  CHECK(listener.tables == std::vector<u64>{0x2010});
  CHECK(listener.foreign.empty());
  put(memory, 0x3000, 1, Writer::kDevice);
  put(memory, 0x3001, 1, Writer::kDebugger);
  CHECK(listener.foreign == std::vector<u64>{kBase.value + 0x3000, kBase.value + 0x3001});
}

TEST_CASE("memory: an observer hears of harts' writes to its bytes only", "[memory]") {
  Memory memory(kBase, 1 << 20);
  Observer observer;
  memory.observe(PhysAddr{kBase.value + 0x1008}, 8, &observer);
  put(memory, 0x1007, 1);
  put(memory, 0x1010, 1);
  put(memory, 0x1008, 1, Writer::kLoader);
  CHECK(observer.seen.empty());
  put(memory, 0x100f, 1);
  CHECK(observer.seen == std::vector<u64>{kBase.value + 0x100f});
}

TEST_CASE("memory: commit and restore bring back any version, page by page", "[memory]") {
  std::mt19937 random(7);
  Memory memory(kBase, 1 << 20);
  std::vector<std::pair<PageTree, std::vector<u8>>> versions;
  const auto content = [&] { return std::vector<u8>(memory.host(0), memory.host(0) + memory.size_bytes()); };
  for (unsigned round = 0; round < 10; ++round) {
    for (unsigned i = 0; i < 20; ++i) put(memory, random() % (1 << 20), static_cast<u8>(random()));
    const PageTree tree = memory.commit();
    CHECK(memory.dirty_pages().empty());
    versions.emplace_back(tree, content());
  }
  for (unsigned i = 0; i < 30; ++i) {
    put(memory, random() % (1 << 20), 1);  // What no commit has seen must go as well.
    const auto& [tree, expected] = versions[random() % versions.size()];
    memory.restore(tree);
    REQUIRE(content() == expected);
    REQUIRE(memory.commit().hash() == tree.hash());
  }
}

TEST_CASE("memory: restoring retires code of replaced pages only", "[memory]") {
  Memory memory(kBase, 1 << 20);
  Listener listener;
  memory.set_listener(&listener);
  put(memory, 0x1000, 1);
  const PageTree tree = memory.commit();
  memory.flag_page(1, Memory::kCode);
  memory.flag_page(2, Memory::kCode);
  put(memory, 0x2000, 5);
  listener.code.clear();
  memory.restore(tree);
  CHECK(listener.code == std::vector<u64>{0x2000});
}
