// Interrupts through the CLINT between all pairs of harts, and changes of code and page tables that other harts have
// used (docs/machine.md, "Memory"): tests/guests/remote.c checks itself, on 2, 4 and 8 harts, with turns of several
// lengths; both engines pass through the same states. devices/clint, core/engine/code_cache, core/walk_cache.
#include "tests/catch.hpp"
#include "tests/support/many_harts.hpp"

namespace retrov {

using namespace test;

TEST_CASE("remote: harts interrupt each other, and see each other's code and tables", "[remote]") {
  for (const HartSetup& setup : {HartSetup{2, 64}, HartSetup{2, 10'000}, HartSetup{4, 64}, HartSetup{4, 137},
                                 HartSetup{8, 64}, HartSetup{8, 1000}}) {
    INFO(setup.harts << " harts, Q " << setup.turn_steps);
    const BoardConfig board = many_harts_board("remote", setup);
    const auto run = run_to_end(board, EngineKind::kFast);
    CHECK(run->status() == 0);  // Else the number of what went wrong.
    CHECK(run->hashes == run_to_end(board, EngineKind::kReference)->hashes);
  }
}

}  // namespace retrov
