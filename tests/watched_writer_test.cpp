#include "cli/watched_writer.hpp"

#include "tests/catch.hpp"
#include "tests/support/trace_samples.hpp"

using namespace retrov;

namespace {

/// Fails when it is told to.
class Sink final : public TraceSink {
 public:
  void on_event(const Event& event) override { told.on_event(event); }
  void on_block(Position before, const CapturedBlock& block) override { told.on_block(before, block); }
  void on_block_again(Position, const CapturedBlock&) override { ++again; }
  void on_mark(const HashMark& mark) override { told.on_mark(mark); }
  void on_progress(Position now) override { told.on_progress(now); }
  void on_branch(const BranchPoint& branch) override { told.on_branch(branch); }
  void on_finish(Position end, const Outcome& outcome) override { told.on_finish(end, outcome); }
  void end() override {}
  void flush() override {}
  std::optional<Error> take_error() override { return std::nullopt; }
  [[nodiscard]] bool failed() const override { return has_failed; }
  [[nodiscard]] u64 written_bytes() const override { return 0; }
  [[nodiscard]] const std::string& path() const override { return name; }
  [[nodiscard]] const std::array<u8, 16>& id() const override { return number; }

  ToldLines told;
  unsigned again = 0;
  bool has_failed = false;
  std::string name;
  std::array<u8, 16> number{};
};

}  // namespace

TEST_CASE("watched_writer: all is passed on, and a failure is told once", "[watched_writer]") {
  Sink sink;
  WatchedWriter watched(sink);
  unsigned failures = 0;
  watched.on_failure([&] { ++failures; });
  watched.on_block({1}, {0, 1, page_of(1)});
  watched.on_block_again({2}, {0, 1, page_of(1)});
  watched.on_mark({{3}, {{"machine", 5}}, 6, 7});
  CHECK(failures == 0);
  sink.has_failed = true;
  watched.on_progress({4});
  watched.on_progress({5});
  watched.on_finish({5}, {Outcome::Kind::kPoweredOff, 0, {}});
  CHECK(failures == 1);
  CHECK(sink.again == 1);
  CHECK(sink.told.lines.size() == 5);
}
