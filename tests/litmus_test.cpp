// What harts see of each other (docs/machine.md, "Turns"): turns one after another are sequential consistency, so
// counts are exact, and of the readings of litmus tests those that it forbids never come; on 2, 4 and 8 harts, with
// turns of several lengths, and with the same states on both engines. core/machine, core/access, core/isa/rv_a.
#include <map>
#include <set>
#include <vector>

#include "tests/catch.hpp"
#include "tests/support/many_harts.hpp"

namespace retrov {
namespace {

using namespace test;

// As in tests/guests/litmus.c.
constexpr unsigned kMaxHarts = 8, kRounds = 48, kTests = 6;
enum Test : unsigned { kStoreBuffering, kMessagePassing, kLoadBuffering, kCoherence, kSwaps, kIriw };

/// What the harts of a test have read, in their order.
using Reading = std::vector<unsigned>;

constexpr HartSetup kSetups[] = {{2, 64}, {2, 73}, {2, 1000}, {4, 64}, {4, 101}, {4, 10'000}, {8, 64}, {8, 333}};

/// What the guest has written down.
struct Notes {
  std::vector<u8> seen = std::vector<u8>(kRounds * kTests * kMaxHarts * 2);

  explicit Notes(const Machine& machine) {
    REQUIRE(machine.read_physical(PhysAddr{symbol("litmus", "seen")}, seen));
  }
  [[nodiscard]] unsigned at(unsigned round, unsigned test, unsigned hart, unsigned which) const {
    return seen.at(((round * kTests + test) * kMaxHarts + hart) * 2 + which);
  }
};

/// What was read in a round by the harts from `first` on that made one test together.
Reading reading_of(const Notes& notes, Test test, unsigned round, unsigned first) {
  const auto at = [&](unsigned hart, unsigned which) { return notes.at(round, test, first + hart, which); };
  switch (test) {
    case kStoreBuffering:
    case kLoadBuffering:
      return {at(0, 0), at(1, 0)};
    case kMessagePassing:
    case kCoherence:
      return {at(1, 0), at(1, 1)};
    case kSwaps:
      // Who found what: 0, or the other's number in the pair and 1.
      return {at(0, 0) == 0 ? 0 : at(0, 0) - first, at(1, 0) == 0 ? 0 : at(1, 0) - first};
    case kIriw:
      break;
  }
  return {at(2, 0), at(2, 1), at(3, 0), at(3, 1)};
}

/// All readings of an order in which the steps of each hart stay in theirs.
std::set<Reading> allowed(Test test) {
  switch (test) {
    case kStoreBuffering:
      return {{0, 1}, {1, 0}, {1, 1}};
    case kMessagePassing:
      return {{0, 0}, {0, 1}, {1, 1}};
    case kLoadBuffering:
      return {{0, 0}, {0, 1}, {1, 0}};
    case kCoherence:
      return {{0, 0}, {0, 1}, {0, 2}, {1, 1}, {1, 2}, {2, 2}};
    case kSwaps:
      return {{0, 1}, {2, 0}};
    case kIriw:
      break;
  }
  std::set<Reading> all;
  for (unsigned bits = 0; bits < 16; ++bits) all.insert({bits & 1, bits >> 1 & 1, bits >> 2 & 1, bits >> 3});
  all.erase({1, 0, 1, 0});  // x came before y for one reader, and y before x for the other.
  return all;
}

}  // namespace

TEST_CASE("litmus: counts are exact and no forbidden reading comes, on either engine", "[litmus]") {
  std::map<Test, std::set<Reading>> came;
  for (const HartSetup& setup : kSetups) {
    INFO(setup.harts << " harts, Q " << setup.turn_steps);
    const BoardConfig board = many_harts_board("litmus", setup);
    const auto run = run_to_end(board, EngineKind::kFast);
    CHECK(run->status() == 0);  // Else the number of the count that is wrong.
    CHECK(run->hashes == run_to_end(board, EngineKind::kReference)->hashes);
    const Notes notes(*run->machine);
    for (const Test test : {kStoreBuffering, kMessagePassing, kLoadBuffering, kCoherence, kSwaps, kIriw}) {
      const unsigned together = test == kIriw ? 4 : 2;
      const std::set<Reading> possible = allowed(test);
      for (unsigned round = 0; round < kRounds; ++round) {
        for (unsigned first = 0; first + together <= setup.harts; first += together) {
          const Reading reading = reading_of(notes, test, round, first);
          CAPTURE(test, round, first, reading);
          CHECK(possible.count(reading) == 1);
          came[test].insert(reading);
        }
      }
    }
  }
  // The tests tell something only if harts get in each other's way: each has several readings.
  for (const auto& [test, readings] : came) {
    CAPTURE(test, readings.size());
    CHECK(readings.size() >= (test == kIriw ? 4 : 2));
  }
  CHECK(came[kMessagePassing].count({0, 1}) == 1);
  CHECK(came[kStoreBuffering].count({1, 1}) == 1);
  CHECK(came[kLoadBuffering].count({0, 0}) == 1);
}

}  // namespace retrov
