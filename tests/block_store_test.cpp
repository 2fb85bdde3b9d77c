#include "replay/block_store.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "core/check.hpp"
#include "tests/catch.hpp"
#include "tests/support/trace_samples.hpp"

using namespace retrov;

namespace {

/// Sets TMPDIR and puts back what it was.
class TemporaryPlace {
 public:
  explicit TemporaryPlace(const std::string& path) {
    if (const char* now = std::getenv("TMPDIR")) before_ = now;
    ::setenv("TMPDIR", path.c_str(), 1);
  }
  ~TemporaryPlace() {
    if (before_.empty()) {
      ::unsetenv("TMPDIR");
    } else {
      ::setenv("TMPDIR", before_.c_str(), 1);
    }
  }

 private:
  std::string before_;
};

/// More than wait in memory.
constexpr u64 kMany = 3 * BlockStore::kMostWaiting + 17;

/// Different for each, and never zeros.
std::shared_ptr<const PageBytes> block_of(u64 number) {
  auto bytes = std::make_shared<PageBytes>();
  for (std::size_t i = 0; i < bytes->size(); ++i) (*bytes)[i] = static_cast<u8>(1 + (number + i) % 251);
  return bytes;
}

/// Every other block stands in it.
class OddHome final : public BlockHome {
 public:
  std::optional<u64> place_of(u8, u64 index) override {
    ++asked;
    return index % 2 == 1 ? std::optional(index) : std::nullopt;
  }
  [[nodiscard]] i64 read(u64 offset, std::span<u8> out) const override {
    if (fails) return -EIO;
    ++reads;
    std::copy_n(block_of(offset)->begin(), out.size(), out.begin());
    return static_cast<i64>(out.size());
  }
  [[nodiscard]] const char* name() const override { return "the home"; }

  u64 asked = 0;
  mutable u64 reads = 0;
  bool fails = false;
};

}  // namespace

TEST_CASE("block_store: blocks beyond the budget come back from a file without a name", "[block_store]") {
  const TemporaryFolder folder;
  const TemporaryPlace place(folder.file("."));
  BlockStore store(3 * kBlockBytes);
  for (u64 i = 0; i < kMany; ++i) REQUIRE(store.put(0, i, block_of(i)));
  CHECK(store.count() == kMany);
  CHECK(store.spilled_bytes() >= (kMany - 3 - BlockStore::kMostWaiting) * kBlockBytes);
  CHECK(store.spilled_bytes() <= (kMany - 3) * kBlockBytes);
  CHECK(std::filesystem::is_empty(folder.file(".")));
  for (u64 i = kMany; i-- > 0;) {
    const auto page = store.find(0, i);
    REQUIRE(page != nullptr);
    REQUIRE(*page == *block_of(i));
  }
}

TEST_CASE("block_store: what stands elsewhere anyway is read from there and costs no file", "[block_store]") {
  const auto home = std::make_shared<OddHome>();
  BlockStore store(0);
  store.set_home(home);
  for (u64 i = 0; i < kMany; ++i) {
    auto room = store.fresh();
    *room = *block_of(i);
    REQUIRE(store.put(0, i, std::move(room)));
  }
  CHECK(home->asked == (kMany - kMany % (BlockStore::kMostWaiting / 2)) - BlockStore::kMostWaiting / 2);
  CHECK(store.spilled_bytes() == home->asked / 2 * kBlockBytes);
  for (u64 i = 0; i < kMany; ++i) REQUIRE(*store.find(0, i) == *block_of(i));
  CHECK(home->reads == home->asked / 2);
  // Its owner may be gone.
  store.set_home(nullptr);
  CHECK(*store.find(0, 1) == *block_of(1));
  home->fails = true;
  CHECK_THROWS_WITH(store.find(0, 1), "cannot read captured disk blocks back from the home: Input/output error");
}

TEST_CASE("block_store: who goes through the blocks may put others", "[block_store]") {
  BlockStore store;
  for (u64 i = 3; i-- > 0;) CHECK(store.put(1, i, i == 1 ? nullptr : block_of(i)));
  CHECK(store.put(0, 7, block_of(7)));
  std::vector<std::pair<u8, u64>> seen;
  store.for_each([&](u8 disk, u64 index, const std::shared_ptr<const PageBytes>& bytes) {
    CHECK((bytes == nullptr) == (disk == 1 && index == 1));
    seen.emplace_back(disk, index);
    CHECK(store.put(2, seen.size(), block_of(1)));
  });
  CHECK(seen == std::vector<std::pair<u8, u64>>{{0, 7}, {1, 0}, {1, 1}, {1, 2}});
}

TEST_CASE("block_store: a block stays what it was first", "[block_store]") {
  BlockStore store;
  CHECK(store.put(1, 5, page_of(7)));
  CHECK_FALSE(store.put(1, 5, page_of(8)));
  CHECK(*store.find(1, 5) == *page_of(7));
  CHECK(store.find(0, 5) == nullptr);
  CHECK(store.find(1, 4) == nullptr);
  CHECK(store.spilled_bytes() == 0);
}

TEST_CASE("block_store: zeros cost neither memory nor file", "[block_store]") {
  BlockStore store(0);
  for (u64 i = 0; i < 100; ++i) CHECK(store.put(0, i, page_of(0)));
  CHECK(store.spilled_bytes() == 0);
  CHECK(*store.find(0, 99) == *page_of(0));
}

TEST_CASE("block_store: where no file can be made blocks stay in memory", "[block_store]") {
  const TemporaryPlace place("/nonexistent/folder");
  BlockStore store(0);
  for (u64 i = 0; i < kMany; ++i) REQUIRE(store.put(0, i, block_of(i)));
  CHECK(store.spilled_bytes() == 0);
  for (u64 i = 0; i < kMany; ++i) REQUIRE(*store.find(0, i) == *block_of(i));
}
