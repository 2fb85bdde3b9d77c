// Packets for the stub on a machine that is a fake, separated by newlines; the first byte of each says what the fake is
// meanwhile.
#include "tests/fuzz/targets.hpp"
#include "tests/support/stub_fixture.hpp"

namespace retrov::fuzz {

namespace {

/// Of a hart on which conditions are evaluated.
class AnyHart final : public HartView {
 public:
  std::optional<u64> read_register(RegisterId) const override { return 3; }
  std::size_t read_memory(VirtAddr, std::span<u8>) const override { return 0; }
};

void reach_stops(StubFixture& f) {
  StopRules* rules = f.debugger.stops.rules;
  if (rules == nullptr) return;
  const AnyHart hart;
  for (const VirtAddr at : f.debugger.stops.breakpoints) {
    if (rules->counts(hart, at)) rules->handle(hart, at);
  }
}

}  // namespace

void packets(std::span<const u8> input) {
  StubFixture f;
  std::string_view rest(reinterpret_cast<const char*>(input.data()), input.size());
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view packet = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (packet.empty()) continue;
    f.debugger.is_past = (packet[0] & 1) != 0;
    f.debugger.settings.break_check = (packet[0] & 2) != 0;
    packet.remove_prefix(1);
    RV_CHECK(f.ask(packet.substr(0, kPacketSize)).size() <= kPacketSize);
    reach_stops(f);
  }
  f.stub.begin_session(f.client);
  RV_CHECK(f.ask("?").starts_with("T05"));
}

}  // namespace retrov::fuzz
