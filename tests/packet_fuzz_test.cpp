// Packets as gdb sends them, mutated: valid frames that mostly reach a handler, and then mean nothing. Covers
// gdbstub/packets and all that its rows lead to.
//
// RETROV_FUZZ_PACKETS says how many; with the sanitizers: RETROV_FUZZ_PACKETS=10000000 build/asan/test-packet_fuzz
#include <cstdlib>
#include <random>
#include <set>

#include "tests/catch.hpp"
#include "tests/support/stub_fixture.hpp"

using namespace retrov;

namespace {

/// From sessions of gdb 13.1, one or two of each shape.
constexpr std::string_view kRecorded[] = {
    "qSupported:multiprocess+;swbreak+;hwbreak+;qRelocInsn+;fork-events+;vfork-events+;exe"
    "c-events+;vContSupported+;QThreadEvents+;no-resumed+;memory-tagging+;xmlRegisters=i386",
    "vMustReplyEmpty", "QStartNoAckMode", "Hgp0.0", "Hgp1.1", "qXfer:features:read:target.xml:0,1000",
    "qXfer:features:read:target.xml:1000,1000", "qTStatus", "?", "qXfer:threads:read::0,1000", "qAttached:1", "Hc-1",
    "qOffsets", "qSymbol::", "m0,2", "m80011080,40", "vCont?", "vCont;s:p1.1;c:p1.-1", "D;1", "qRcmd,7768656e",
    "qRcmd,676f746f20626567696e", "vCont;c:p1.-1", "Z0,8000021a,2", "Z0,800002f4,2", "z0,8000021a,2", "z0,800002f4,2",
    "vCont;s:p1.1", "vCont;s:p1.2", "X80001064,0:", "X800010b8,0:", "g", "pf56", "p142", "Tp1.1", "Tp1.2",
    "vCont;r8000022e,80000238:p1.1;c:p1.-1", "vCont;r80000238,80000240:p1.1;c:p1.-1",
    "Z0,800001ea,2;X9,26000a162022011327", "Z0,8000021a,2;X9,26000b162022481327", "Hcp1.0", "Hcp1.1", "bc",
    "Z0,8000020e,2;cmds:1,X21,26000b162026000a1620220022003402000e6d69782825642c202564295c6e0027", "vCont;c:p1.1",
    "Z0,8000022e,2;X9,26000a162022141327X9,26000a1620221e1327", "bs", "Pa=0500000000000000", "Pa=0100000000000000",
    "vKill;1", "!", "vRun;",
};

/// What other clients send, or gdb on other days.
constexpr std::string_view kOthers[] = {
    "c", "s", "C05", "S05", "bs", "bc", "k", "x80000000,10", "M80000000,2:0102", "X80000000,2:zz", "Z1,80000010,4",
    "Z2,80000100,8", "Z3,80000100,4", "Z4,80000100,1", "z1,80000010,4", "z2,80000100,8", "z3,80000100,4",
    "z4,80000100,1", "Z2,80000100,8;X3,220127", "vCont;C05:p1.1;c", "vCont;t:p1.-1", "vCont;r80000000,80000010:p1.2",
    "qC", "qfThreadInfo", "qsThreadInfo", "qThreadExtraInfo,p1.2", "qSearch:memory:80000000;100;abc",
    "qCRC:80000000,100", "G0011", "P20=1000008000000000", "qqemu.Supported", "qqemu.PhyMemMode", "Qqemu.PhyMemMode:1",
    "vAttach;1", "qXfer:features:read:other.xml:0,100", "qXfer:threads:read:x:0,100", "Hg2", "T2", "p20",
};

class Mutator {
 public:
  explicit Mutator(u64 seed) : random_(seed) {
    seeds_.assign(std::begin(kRecorded), std::end(kRecorded));
    seeds_.insert(seeds_.end(), std::begin(kOthers), std::end(kOthers));
  }

  std::string next() {
    std::string packet(seeds_[random_() % seeds_.size()]);
    for (u64 n = random_() % 4; n > 0; --n) mutate(packet);
    return packet;
  }

 private:
  void mutate(std::string& packet) {
    constexpr std::string_view kLetters = "0123456789abcdef,;:.-pXxr*}#$ \x01\xff";
    const std::size_t at = packet.empty() ? 0 : random_() % packet.size();
    const char letter = kLetters[random_() % kLetters.size()];
    switch (random_() % 7) {
      case 0:
        if (!packet.empty()) packet[at] = letter;
        break;
      case 1:
        packet.insert(at, 1, letter);
        break;
      case 2:
        if (!packet.empty()) packet.erase(at, 1 + random_() % 4);
        break;
      case 3:  // The beginning of this one and the end of another.
        packet = packet.substr(0, at) + std::string(tail(seeds_[random_() % seeds_.size()]));
        break;
      case 4:
        packet.insert(at, packet.substr(at, random_() % 40));
        break;
      case 5:
        packet.insert(at, "ffffffffffffffff");
        break;
      default:
        if (!packet.empty()) packet[at] = static_cast<char>(random_());
    }
  }
  std::string_view tail(std::string_view text) { return text.substr(random_() % (text.size() + 1)); }

  std::mt19937_64 random_;
  std::vector<std::string_view> seeds_;
};

unsigned long packets_wanted() {
  const char* text = std::getenv("RETROV_FUZZ_PACKETS");
  return text == nullptr ? 100'000 : std::strtoul(text, nullptr, 10);
}

}  // namespace

TEST_CASE("packet_fuzz: mutated packets of gdb's are answered, whatever they say", "[packet_fuzz]") {
  Mutator mutator(11);
  StubFixture f;
  FrameDecoder decoder;
  std::set<const PacketHandler*> reached;
  const unsigned long count = packets_wanted();
  unsigned long handled = 0, frames = 0;
  for (unsigned long i = 0; i < count; ++i) {
    const std::string packet = mutator.next();
    f.debugger.is_past = i % 2 == 0;
    f.debugger.settings.break_check = i % 8 == 0;
    for (const Frame& frame : decoder.feed(encode_frame(escape_binary(packet)))) {
      ++frames;
      if (frame.kind != Frame::Kind::kPacket || !frame.checksum_ok || frame.payload != packet) {
        INFO(packet);
        FAIL("a valid frame is not taken as it is");
      }
      const PacketHandler* row = find_packet_handler(frame.payload);
      if (row != nullptr) ++handled, reached.insert(row);
      const std::string answer = f.ask(frame.payload);
      if (answer.size() > kPacketSize) FAIL("an answer that no packet can carry");
    }
    // Conditions that were set meanwhile are asked, too.
    if (StopRules* rules = f.debugger.stops.rules) {
      struct Hart final : HartView {
        std::optional<u64> read_register(RegisterId) const override { return 3; }
        std::size_t read_memory(VirtAddr, std::span<u8>) const override { return 0; }
      } hart;
      for (const VirtAddr at : f.debugger.stops.breakpoints) {
        if (rules->counts(hart, at)) rules->handle(hart, at);
      }
    }
    f.client.sent.clear();
    f.client.logged.clear();
    f.debugger.calls.clear();
    if (i % 1000 == 999) f.stub.begin_session(f.client);
  }
  CHECK(frames == count);
  CHECK(handled >= count / 2);
  for (const PacketHandler& row : packet_handlers()) {
    INFO(row.prefix);
    CHECK(reached.contains(&row));
  }
  f.stub.begin_session(f.client);
  CHECK(f.ask("?").substr(0, 3) == "T05");
}
