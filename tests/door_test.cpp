#include "core/door.hpp"

#include <limits>

#include "core/varint.hpp"
#include "tests/catch.hpp"

using namespace retrov;

namespace {

std::vector<u8> bytes_of(const Event& event) {
  std::vector<u8> bytes;
  StateWriter out(bytes);
  write_event(out, event);
  return bytes;
}

Event event_of(const std::vector<u8>& bytes) {
  StateReader in(bytes);
  Event event = read_event(in);
  CHECK(in.left_bytes() == 0);
  return event;
}

Event one_of_each() {
  Seed seed;
  seed.bytes[31] = 9;
  DebuggerWrite memory{DebuggerWrite::Space::kPhysicalMemory, 1, 0x80000000, {1, 2, 3}};
  DebuggerWrite pc{DebuggerWrite::Space::kRegister, 0, 32, {0, 1, 2, 3, 4, 5, 6, 7}};
  return {{1234567890123},
          {{{2, ConsoleBytes{{'l', 's', '\n'}}},
            {3, RtcStart{1'700'000'000'000'000'000}},
            {kMachineItself, seed},
            {kMachineItself, memory},
            {kMachineItself, pc},
            {kMachineItself, SchedMask{5}},
            {kMachineItself, SystemReset{}}},
           {777}}};
}

}  // namespace

TEST_CASE("door: an event with every kind of input is read back as it was written", "[door]") {
  const Event event = one_of_each();
  const Event again = event_of(bytes_of(event));
  CHECK(again.at == event.at);
  CHECK(again.batch.wake == event.batch.wake);
  REQUIRE(again.batch.inputs.size() == 7);
  CHECK(again.batch.inputs[0].device == 2);
  CHECK(std::get<ConsoleBytes>(again.batch.inputs[0].what).bytes == std::vector<u8>{'l', 's', '\n'});
  CHECK(std::get<RtcStart>(again.batch.inputs[1].what).unix_ns == 1'700'000'000'000'000'000);
  CHECK(std::get<Seed>(again.batch.inputs[2].what).bytes[31] == 9);
  CHECK(std::get<DebuggerWrite>(again.batch.inputs[3].what).bytes == std::vector<u8>{1, 2, 3});
  CHECK(std::get<DebuggerWrite>(again.batch.inputs[4].what).space == DebuggerWrite::Space::kRegister);
  CHECK(std::get<SchedMask>(again.batch.inputs[5].what).harts == 5);
  CHECK(std::holds_alternative<SystemReset>(again.batch.inputs[6].what));
  CHECK(bytes_of(again) == bytes_of(event));
}

TEST_CASE("door: every kind of input has a name of its own", "[door]") {
  CHECK(std::string(input_name(ConsoleBytes{})) == "console");
  CHECK(std::string(input_name(RtcStart{})) == "rtc-start");
  CHECK(std::string(input_name(Seed{})) == "seed");
  CHECK(std::string(input_name(DebuggerWrite{})) == "debugger-write");
  CHECK(std::string(input_name(SchedMask{})) == "sched-mask");
  CHECK(std::string(input_name(SystemReset{})) == "system-reset");
}

TEST_CASE("door: an event that is cut off anywhere is refused", "[door]") {
  const std::vector<u8> bytes = bytes_of(one_of_each());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const std::vector<u8> cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    StateReader in(cut);
    CHECK_THROWS_AS(read_event(in), Error);
  }
}

TEST_CASE("door: hostile events are refused with a sentence", "[door]") {
  const auto refused = [](const std::vector<u8>& bytes, const char* why) {
    StateReader in(bytes);
    CHECK_THROWS_WITH(read_event(in), why);
  };
  refused({0, 0, 0}, "event without inputs");
  refused({0, 0, 0xff, 0xff, 0xff, 0xff, 0x0f}, "serialised data ends too early");
  refused({0, 0, 1, 2, 99}, "input of an unknown kind");
  refused({0, 0, 1, 2, 4, 1, 0, 0, 0, 0, 0, 0, 0}, "input 'sched-mask' for the wrong device");
  refused({0, 0, 1, kMachineItself, 0, 0, 0, 0, 0, 0, 0, 0, 0}, "input 'console' for the wrong device");
  // Console bytes that claim to be 2^56.
  refused({0, 0, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 1}, "serialised data ends too early");
  std::vector<u8> write = {0, 0, 1, kMachineItself, 3, 7};
  write.resize(write.size() + 1 + 8 + 8);
  refused(write, "debugger write of an unknown form");
  write[5] = 1;  // A register takes eight bytes, and here are none.
  refused(write, "debugger write of an unknown form");
}

TEST_CASE("door: numbers have one form", "[door]") {
  for (const u64 value :
       {u64{0}, u64{1}, u64{127}, u64{128}, u64{16383}, u64{16384}, u64{1} << 63, std::numeric_limits<u64>::max()}) {
    std::vector<u8> bytes;
    StateWriter out(bytes);
    write_varint(out, value);
    StateReader in(bytes);
    CHECK(read_varint(in) == value);
    CHECK(in.left_bytes() == 0);
  }
  const std::vector<std::vector<u8>> wrong = {
      {},
      {0x80},
      {0x80, 0x00},
      {0xff, 0x80, 0x00},
      {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02},
      {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x81, 0x00},
  };
  for (const std::vector<u8>& bytes : wrong) {
    StateReader in(bytes);
    CHECK_THROWS_AS(read_varint(in), Error);
  }
}
