#include "replay/block_store.hpp"

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

}  // namespace

TEST_CASE("block_store: blocks beyond the budget come back from a file without a name", "[block_store]") {
  const TemporaryFolder folder;
  const TemporaryPlace place(folder.file("."));
  BlockStore store(3 * 4096);
  for (u8 i = 1; i <= 20; ++i) CHECK(store.put(0, i, page_of(i)));
  CHECK(store.count() == 20);
  CHECK(store.spilled_bytes() == 17 * 4096);
  CHECK(std::filesystem::is_empty(folder.file(".")));
  for (u8 i = 20; i >= 1; --i) {
    const auto page = store.find(0, i);
    REQUIRE(page != nullptr);
    CHECK(*page == *page_of(i));
  }
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
  CHECK(store.put(0, 1, page_of(1)));
  CHECK(store.put(0, 2, page_of(2)));
  CHECK(store.spilled_bytes() == 0);
  CHECK(*store.find(0, 2) == *page_of(2));
}
