#include "replay/trace_blocks.hpp"

#include <algorithm>
#include <filesystem>

#include "replay/trace_writer.hpp"
#include "tests/catch.hpp"
#include "tests/support/trace_samples.hpp"

using namespace retrov;

TEST_CASE("trace_blocks: what is beyond the memory for blocks is read back from the trace", "[trace_blocks]") {
  const TemporaryFolder folder;
  const std::string path = folder.file("x.rvt");
  constexpr u64 kMany = 3 * BlockStore::kMostWaiting;
  const auto block_of = [](u64 number) {
    auto bytes = std::make_shared<PageBytes>();
    std::ranges::copy(Dice(number + 1).bytes(kBlockBytes), bytes->begin());
    return bytes;
  };
  History history(sample_board(), 0);
  {
    TraceWriter writer(path, sample_board());
    history.set_listener(&writer);
    for (u64 i = 0; i < kMany; ++i) {
      history.add_block({2 * i}, {0, i, block_of(i)});
      if (i % 100 == 0) history.progress({2 * i + 1});
      if (i % 300 == 0) writer.flush();
    }
    for (u64 i = 0; i < kMany; ++i) REQUIRE(*history.block(0, i) == *block_of(i));
    history.set_listener(nullptr);
  }
  for (u64 i = 0; i < kMany; ++i) REQUIRE(*history.block(0, i) == *block_of(i));
  std::filesystem::resize_file(path, 0);
  CHECK_THROWS_WITH(history.block(0, 0),
                    "cannot read captured disk blocks back from the trace: it is shorter than it was");
  CHECK(*history.block(0, kMany - 1) == *block_of(kMany - 1));
}
