#include "devices/uart.hpp"

#include "tests/catch.hpp"
#include "tests/support/device_bench.hpp"

using namespace retrov;
using namespace retrov::test;

namespace {

enum : u64 { kData, kIer, kIirFcr, kLcr, kMcr, kLsr, kMsr, kScr };

struct Fixture {
  Bench bench;
  Uart uart{bench.output, bench.asks_position()};
  u64 read(u64 offset) { return uart.read(offset, 1, Ticks{}).value(); }
  void write(u64 offset, u64 value) { REQUIRE(uart.write(offset, 1, value, Ticks{})); }
  void type(const std::string& text) { uart.accept(typed(text), Ticks{}); }
};

}  // namespace

TEST_CASE("uart: what is written to THR is said at the position of the step", "[uart]") {
  Fixture f;
  for (const char c : std::string("hi\n")) f.write(kData, static_cast<u8>(c));
  CHECK(f.bench.output.text == "hi\n");
  CHECK(f.bench.output.last_at == f.bench.position);
  CHECK((f.read(kLsr) & 0x60) == 0x60);
}

TEST_CASE("uart: typed bytes are read in order, and LSR says whether there are any", "[uart]") {
  Fixture f;
  CHECK((f.read(kLsr) & 1) == 0);
  CHECK(f.read(kData) == 0);
  f.type("ab");
  CHECK((f.read(kLsr) & 1) == 1);
  CHECK(f.read(kData) == 'a');
  CHECK(f.read(kData) == 'b');
  CHECK((f.read(kLsr) & 1) == 0);
}

TEST_CASE("uart: a paste of 100 KB arrives whole, through resets of the FIFO", "[uart]") {
  Fixture f;
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += static_cast<char>('a' + i % 26);
  f.write(kIirFcr, 0xc7);
  f.type(text);
  CHECK(f.uart.room_bytes() == Uart::kBacklogBytes - text.size());
  f.write(kIirFcr, 0xc7);
  std::string arrived;
  while ((f.read(kLsr) & 1) != 0) arrived += static_cast<char>(f.read(kData));
  CHECK(arrived == text);
  CHECK(f.uart.room_bytes() == Uart::kBacklogBytes);
}

TEST_CASE("uart: the backlog takes a mebibyte and no more", "[uart]") {
  Fixture f;
  f.type(std::string(Uart::kBacklogBytes + 5, 'x'));
  CHECK(f.uart.room_bytes() == 0);
  f.type("y");
  CHECK(f.read(kData) == 'x');
  CHECK(f.uart.room_bytes() == 1);
}

TEST_CASE("uart: received data interrupts while it is enabled and there", "[uart]") {
  Fixture f;
  f.type("a");
  CHECK_FALSE(f.uart.irq_level());
  f.write(kIer, 1);
  CHECK(f.uart.irq_level());
  CHECK(f.read(kIirFcr) == 0x04);
  CHECK(f.read(kData) == 'a');
  CHECK_FALSE(f.uart.irq_level());
  CHECK(f.read(kIirFcr) == 0x01);
}

TEST_CASE("uart: below the trigger level of the FIFO it is a timeout", "[uart]") {
  Fixture f;
  f.write(kIer, 1);
  f.write(kIirFcr, 0x81);  // FIFO on, trigger at 8.
  f.type("1234567");
  CHECK(f.read(kIirFcr) == 0xcc);
  f.type("8");
  CHECK(f.read(kIirFcr) == 0xc4);
  CHECK(f.uart.irq_level());
}

TEST_CASE("uart: an empty transmitter interrupts when enabled, until IIR is read", "[uart]") {
  Fixture f;
  f.write(kIer, 2);
  CHECK(f.uart.irq_level());
  CHECK(f.uart.peek(kIirFcr, 1, Ticks{}) == 0x02u);
  CHECK(f.read(kIirFcr) == 0x02);
  CHECK(f.read(kIirFcr) == 0x01);
  CHECK_FALSE(f.uart.irq_level());
  f.write(kIer, 0);
  f.write(kIer, 2);  // Linux tests that it comes back.
  CHECK(f.read(kIirFcr) == 0x02);
  f.write(kData, 'x');
  CHECK(f.read(kIirFcr) == 0x02);
}

TEST_CASE("uart: an interrupt is asked for when something happens, not by a cause left standing", "[uart]") {
  Fixture f;
  f.write(kIer, 3);
  CHECK(f.uart.irq_level());
  CHECK(f.uart.take_irq_request());
  CHECK_FALSE(f.uart.take_irq_request());
  f.read(kLsr);
  CHECK(f.uart.irq_level());  // As xv6 leaves it: IIR is never read.
  CHECK_FALSE(f.uart.take_irq_request());
  f.type("ab");
  CHECK(f.uart.take_irq_request());
  f.read(kData);  // There is more.
  CHECK(f.uart.take_irq_request());
  f.write(kData, 'x');
  CHECK(f.uart.take_irq_request());
  f.write(kScr, 1);
  f.write(kLcr, 0x83);
  f.write(kData, 1);
  CHECK_FALSE(f.uart.take_irq_request());
}

TEST_CASE("uart: reading IIR for received data leaves the transmitter's interrupt", "[uart]") {
  Fixture f;
  f.type("a");
  f.write(kIer, 3);
  CHECK(f.read(kIirFcr) == 0x04);
  CHECK(f.read(kData) == 'a');
  CHECK(f.read(kIirFcr) == 0x02);
}

TEST_CASE("uart: the divisor latch hides data and IER", "[uart]") {
  Fixture f;
  f.write(kIer, 5);
  f.write(kLcr, 0x83);
  f.write(kData, 0x34);
  f.write(kIer, 0x12);
  CHECK(f.read(kData) == 0x34);
  CHECK(f.read(kIer) == 0x12);
  f.write(kLcr, 0x03);
  CHECK(f.read(kIer) == 5);
  CHECK(f.bench.output.text.empty());
}

TEST_CASE("uart: Linux's probes find a 16550A", "[uart]") {
  Fixture f;
  f.write(kIer, 0);
  CHECK(f.read(kIer) == 0);
  f.write(kIer, 0x0f);
  CHECK((f.read(kIer) & 0x0f) == 0x0f);
  f.write(kIer, 0xf0);
  CHECK(f.read(kIer) == 0);
  f.write(kMcr, 0x10 | 0x0a);
  CHECK((f.read(kMsr) & 0xf0) == 0x90);
  f.write(kMcr, 0);
  CHECK((f.read(kMsr) & 0xf0) == 0xb0);
  f.write(kIirFcr, 0x01);
  CHECK(f.read(kIirFcr) >> 6 == 3);
  f.write(kScr, 0xa5);
  CHECK(f.read(kScr) == 0xa5);
}

TEST_CASE("uart: loopback keeps 16 bytes, reports the overrun and says nothing outside", "[uart]") {
  Fixture f;
  f.type("typed");
  f.write(kIirFcr, 0x01);
  f.write(kMcr, 0x10);
  CHECK((f.read(kLsr) & 1) == 0);
  for (int i = 0; i < 20; ++i) f.write(kData, static_cast<u64>(i));
  CHECK((f.uart.peek(kLsr, 1, Ticks{}).value() & 3) == 3);
  CHECK((f.read(kLsr) & 2) == 2);
  CHECK((f.read(kLsr) & 2) == 0);
  for (u64 i = 0; i < 16; ++i) CHECK(f.read(kData) == i);
  CHECK((f.read(kLsr) & 1) == 0);
  CHECK(f.bench.output.text.empty());
  f.write(kMcr, 0);
  CHECK(f.read(kData) == 't');
}

TEST_CASE("uart: a snapshot with more bytes than fit is refused", "[uart]") {
  Fixture f;
  std::vector<u8> state = save(f.uart).state;
  // The last field is the backlog: its length, 0, in eight bytes.
  state[state.size() - 8 + 3] = 0x7f;
  StateReader reader(state);
  CHECK_THROWS_AS(f.uart.read_state(reader), Error);
}

TEST_CASE("uart: registers past the eighth fault", "[uart]") {
  Fixture f;
  CHECK_FALSE(f.uart.read(8, 1, Ticks{}).has_value());
  CHECK_FALSE(f.uart.write(8, 1, 0, Ticks{}));
}
