// The page tree against a plain map: content, hash, sharing, differences.
#include "core/page_tree.hpp"

#include <map>
#include <random>

#include "tests/catch.hpp"

using namespace retrov;

namespace {

PageBytes filled(u8 value) {
  PageBytes bytes;
  bytes.fill(value);
  return bytes;
}

}  // namespace

TEST_CASE("page_tree: holds what was set, and zero pages as nothing", "[page_tree]") {
  PageTree tree;
  CHECK(tree.find(5) == nullptr);
  tree.set(5, filled(7));
  tree.set(1u << 20, filled(9));
  REQUIRE(tree.find(5) != nullptr);
  CHECK(tree.find(5)->bytes == filled(7));
  CHECK(tree.find(1u << 20)->bytes == filled(9));
  CHECK(tree.find(4) == nullptr);
  CHECK(tree.page_count() == 2);
  tree.set(5, filled(0));
  CHECK(tree.find(5) == nullptr);
  CHECK(tree.page_count() == 1);
}

TEST_CASE("page_tree: the hash is a function of the content alone", "[page_tree]") {
  PageTree one, other;
  one.set(1, filled(1));
  one.set(2, filled(2));
  other.set(2, filled(9));
  other.set(3, filled(3));
  other.set(2, filled(2));
  other.set(3, filled(0));
  other.set(1, filled(1));
  CHECK(one.hash() == other.hash());
  PageTree swapped;
  swapped.set(1, filled(2));
  swapped.set(2, filled(1));
  CHECK(swapped.hash() != one.hash());
  CHECK(PageTree().hash() == 0);
}

TEST_CASE("page_tree: a copy keeps its content when the original goes on", "[page_tree]") {
  std::mt19937 random(1);
  PageTree tree;
  std::map<u64, u8> model;
  std::vector<std::pair<PageTree, std::map<u64, u8>>> versions;
  for (unsigned round = 0; round < 40; ++round) {
    for (unsigned i = 0; i < 30; ++i) {
      const u64 index = random() % 2000;
      const u8 value = static_cast<u8>(random() % 4);
      tree.set(index, filled(value));
      model[index] = value;
    }
    versions.emplace_back(tree, model);
  }
  for (const auto& [version, expected] : versions) {
    for (const auto& [index, value] : expected) {
      const Page* page = version.find(index);
      REQUIRE((page == nullptr ? 0 : page->bytes[0]) == value);
    }
  }
}

TEST_CASE("page_tree: a difference names every page that differs and skips what is shared", "[page_tree]") {
  PageTree before;
  for (u64 i = 0; i < 1000; ++i) before.set(i * 3, filled(1));
  PageTree after = before;
  after.set(30, filled(2));
  after.set(31, filled(3));
  after.set(33, filled(0));
  std::map<u64, std::pair<u8, u8>> seen;
  PageTree::diff(before, after, [&](u64 index, const Page* a, const Page* b) {
    seen[index] = {a == nullptr ? u8{0} : a->bytes[0], b == nullptr ? u8{0} : b->bytes[0]};
  });
  const std::map<u64, std::pair<u8, u8>> expected{{30, {1, 2}}, {31, {0, 3}}, {33, {1, 0}}};
  CHECK(seen == expected);
}

TEST_CASE("page_tree: for_each visits each page once, ascending", "[page_tree]") {
  PageTree tree;
  for (const u64 index : {70000u, 3u, 256u}) tree.set(index, filled(static_cast<u8>(index % 200 + 1)));
  std::vector<u64> seen;
  tree.for_each([&](u64 index, const Page&) { seen.push_back(index); });
  CHECK(seen == std::vector<u64>{3, 256, 70000});
}

TEST_CASE("page_tree: a page that is written and stays the same is stored once", "[page_tree]") {
  PageTree tree;
  PageBytes bytes{};
  bytes[17] = 1;
  tree.set(5, bytes);
  const PageTree before = tree;
  tree.set(5, bytes);
  tree.set(6, PageBytes{});
  CHECK(tree.share(5) == before.share(5));
  std::size_t differ = 0;
  PageTree::diff(before, tree, [&](u64, const Page*, const Page*) { ++differ; });
  CHECK(differ == 0);
  bytes[17] = 2;
  tree.set(5, bytes);
  CHECK(tree.share(5) != before.share(5));
  CHECK(tree.find(5)->bytes == bytes);
  tree.set(5, PageBytes{});
  CHECK(tree.find(5) == nullptr);
  CHECK(tree.hash() == 0);
}
