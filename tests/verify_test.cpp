// Recording and replaying, compared state by state: replay/verify, replay/recorder, replay/replayer and replay/drive on
// real machines.
#include "replay/verify.hpp"

#include "tests/catch.hpp"
#include "tests/support/guest_bench.hpp"

using namespace retrov;
using namespace retrov::test;

TEST_CASE("verify: guests replay to the last bit, whoever typed when", "[verify]") {
  struct Guest {
    const char* name;
    unsigned harts;
  };
  for (const Guest& guest : {Guest{"echo", 1}, Guest{"echo", 3}, Guest{"two_harts", 2}, Guest{"self_modifying", 1}}) {
    for (u64 seed = 1; seed <= 8; ++seed) {
      CAPTURE(guest.name, guest.harts, seed);
      const Recorded recorded = record_guest(guest.name, guest.harts, seed);
      REQUIRE(recorded.history->outcome().kind == Outcome::Kind::kPoweredOff);
      CHECK(recorded.history->outcome().status == 0);
      Screen screen;
      VerifyOptions options;
      options.output = &screen;
      options.engine = seed % 4 == 0 ? EngineKind::kReference : EngineKind::kFast;
      const Verdict verdict = verify(*recorded.history, options);
      CAPTURE(verdict.divergence ? verdict.divergence->detail : std::string());
      CHECK(verdict.identical());
      CHECK(verdict.marks == recorded.history->marks().size());
      CHECK(verdict.hash == recorded.end_hash);
      CHECK(verdict.reached == recorded.history->end());
      CHECK(screen.text == recorded.text);
    }
  }
}

TEST_CASE("verify: the echo guest was given something to record", "[verify]") {
  const Recorded recorded = record_guest("echo", 1, 1);
  CHECK(recorded.history->events().size() > 20);
  CHECK(recorded.text.size() > 20);
  CHECK(recorded.text.find('q') != std::string::npos);
}
