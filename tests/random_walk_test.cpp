// Random walks: wherever one goes in a session, and whatever one does there, each stop is in the state of a straight
// run and where a slow search finds it (tests/support/random_walk.hpp). Covers replay/session*, replay/timeline,
// replay/backward_search and what they stand on.
//
// RETROV_WALK_OPS says how much is done in all, RETROV_WALK_SEED where to begin; tests/deep/random_walks.py does more.
#include "tests/support/random_walk.hpp"

#include <cstdlib>
#include <iostream>

#include "tests/catch.hpp"
#include "tests/support/walk_session.hpp"

using namespace retrov;
using namespace retrov::test;

namespace {

constexpr std::size_t kOpsOfWalk = 120;

u64 from_environment(const char* name, u64 otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::stoull(text) : otherwise;
}

/// What fails, as short as it gets, for whoever looks into it.
std::string explained(u64 seed, const std::vector<WalkOp>& ops) {
  const std::vector<WalkOp> few = shortened(seed, ops);
  const WalkResult result = take_walk(seed, few);
  std::string text = "seed " + std::to_string(seed) + ": " + walk_setup(seed).text();
  for (const std::string& line : result.log) text += "\n  " + line;
  return text + "\n  " + result.failure.value_or("no failure when it is done again");
}

}  // namespace

TEST_CASE("random_walk: each stop of a walk is that of a straight run", "[random_walk]") {
  const u64 first = from_environment("RETROV_WALK_SEED", 1);
  const u64 most = from_environment("RETROV_WALK_OPS", 3000);
  std::vector<std::size_t> kinds(walk_kinds().size());
  u64 done = 0, failed = 0;
  for (u64 seed = first; done < most; ++seed) {
    if (most > 10'000) std::cout << "seed " << seed << std::endl;
    const std::vector<WalkOp> ops = random_ops(seed, kOpsOfWalk);
    const WalkResult result = take_walk(seed, ops);
    done += std::max<std::size_t>(result.done, 1);
    for (std::size_t i = 0; i < kinds.size(); ++i) kinds[i] += result.kinds[i];
    if (!result.failure) continue;
    UNSCOPED_INFO(explained(seed, ops));
    FAIL_CHECK(*result.failure);
    if (++failed == 5) break;
  }
  // Each kind does something now and then.
  for (std::size_t i = 0; failed == 0 && i < kinds.size(); ++i) {
    INFO(walk_kinds()[i]);
    CHECK(kinds[i] > 0);
  }
}
