// Several places in one trace, each with a machine of its own.
#include "cli/cursor.hpp"

#include <thread>

#include "tests/catch.hpp"
#include "tests/support/guest_bench.hpp"
#include "tests/support/trace_samples.hpp"

using namespace retrov;
using namespace retrov::test;

namespace {

/// A recorded guest, told to a trace.
OpenTrace trace_of(const Recorded& recorded, const std::string& path) {
  {
    TraceWriter writer(path, recorded.history->board());
    recorded.history->retell(writer);
    writer.on_finish(recorded.history->end(), recorded.history->outcome());
  }
  const TraceReader reader(path);
  return {path, reader.identity().id, reader.note(), reader.read_branches(), reader.last_branch()};
}

}  // namespace

TEST_CASE("cursor: several walk through one trace at the same time and see the same", "[cursor]") {
  const TemporaryFolder folder;
  const Recorded recorded = record_guest("echo", 2, 7);
  const OpenTrace trace = trace_of(recorded, folder.file("x.rvt"));
  const Options options;
  const Symbols symbols;
  Signals signals;
  std::vector<std::unique_ptr<Cursor>> cursors;
  for (int i = 0; i < 3; ++i) {
    cursors.push_back(std::make_unique<Cursor>(options, trace, ConsoleWiring::kNone, -1, symbols, signals));
  }
  std::vector<unsigned> wrong(cursors.size());
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < cursors.size(); ++i) {
    threads.emplace_back([&, i] {
      Session& session = cursors[i]->session();
      test::Random random(i + 1);
      std::vector<Position> places;
      for (const auto& [at, hash] : recorded.hashes) places.push_back(at);
      for (int n = 0; n < 60; ++n) {
        const Position at = places[random.below(places.size())];
        session.seek(at);
        if (session.hash() != recorded.hashes.at(at)) ++wrong[i];
      }
      // What one writes is nobody else's.
      const Position middle = places[places.size() / 2];
      session.seek(middle);
      session.set_scratch(Scratch::kOn);
      session.write_register(0, integer_register(10), i);
      for (int n = 0; n < 100; ++n) session.step(0, Direction::kForward);
      if (session.hash() == recorded.hashes.at(middle)) ++wrong[i];
      session.seek(middle);
      if (session.hash() != recorded.hashes.at(middle)) ++wrong[i];
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == std::vector<unsigned>(cursors.size()));
}
