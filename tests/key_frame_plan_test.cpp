#include "replay/key_frame_plan.hpp"

#include "tests/catch.hpp"

using namespace retrov;

namespace {

constexpr u64 kSecond = 1'000'000'000;

}  // namespace

TEST_CASE("key_frame_plan: they are a quarter of a second apart at least, if they cost nothing", "[key_frame_plan]") {
  KeyFramePlan plan({KeyFramePolicy::kAuto}, Position{}, 0);
  CHECK_FALSE(plan.due(Position{1000}, kSecond / 5));
  CHECK(plan.due(Position{2000}, kSecond / 4));
  plan.taken(Position{2000}, kSecond / 4, 0);
  CHECK_FALSE(plan.due(Position{3000}, kSecond / 4 + 1));
  CHECK(plan.due(Position{4000}, kSecond / 2));
}

TEST_CASE("key_frame_plan: they cost a hundredth of the time", "[key_frame_plan]") {
  KeyFramePlan plan({KeyFramePolicy::kAuto}, Position{}, 0);
  plan.toll()->cpu_ns = kSecond / 100;
  u64 taken = 0;
  for (u64 now_ns = 0; now_ns < 100 * kSecond; now_ns += kSecond / 50) {
    if (!plan.due(Position{now_ns}, now_ns)) continue;
    plan.taken(Position{now_ns}, now_ns, kSecond / 100);
    ++taken;
  }
  // 50 are a hundredth of the time; 10 were ahead.
  CHECK(taken >= 59);
  CHECK(taken <= 60);
  plan.toll()->in_hand = true;
  CHECK_FALSE(plan.due(Position{kEndOfTime}, 900 * kSecond));
}

TEST_CASE("key_frame_plan: they are at most 200 MB of ten billion steps", "[key_frame_plan]") {
  KeyFramePlan plan({KeyFramePolicy::kAuto}, Position{}, 0);
  u64 bytes = 0;
  u64 taken = 0;
  constexpr u64 kEach = u64{3} << 20;
  plan.toll()->stored_bytes = kEach;
  for (u64 step = 0; step <= 10'000'000'000; step += 20'000'000) {
    const u64 now_ns = step * 5;
    if (!plan.due(Position{step}, now_ns)) continue;
    plan.taken(Position{step}, now_ns, 0);
    bytes += kEach;
    ++taken;
  }
  CHECK(bytes <= 200'000'000);
  CHECK(taken > 40);
}

TEST_CASE("key_frame_plan: every so many steps, or never", "[key_frame_plan]") {
  KeyFramePlan every({KeyFramePolicy::kEvery, 1000}, Position{}, 0);
  CHECK(every.next(Position{}) == Position{1000});
  CHECK_FALSE(every.due(Position{999}, 0));
  CHECK(every.due(Position{1000}, 0));
  every.taken(Position{1000}, 0, 0);
  CHECK_FALSE(every.due(Position{1500}, 0));
  CHECK(every.next(Position{1000}) == Position{2000});
  CHECK_FALSE(every.due_at_end(kSecond));
  KeyFramePlan off({KeyFramePolicy::kOff}, Position{}, 0);
  CHECK_FALSE(off.due(Position{1000}, kSecond));
  CHECK(off.next(Position{}) == kEndOfTime);
}

TEST_CASE("key_frame_plan: one lies at the end of what took long", "[key_frame_plan]") {
  KeyFramePlan plan({KeyFramePolicy::kAuto}, Position{}, 0);
  CHECK_FALSE(plan.due_at_end(kSecond / 5));
  CHECK(plan.due_at_end(kSecond));
}
