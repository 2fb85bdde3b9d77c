// Packets as gdb sends them, mutated: valid frames that mostly reach a handler, and then mean nothing. Covers
// gdbstub/packets and all that its rows lead to.
//
// RETROV_FUZZ_PACKETS says how many, RETROV_FUZZ_SEED which; tests/deep/packet_fuzz.py runs many with the sanitizers.
#include <cstdlib>
#include <fstream>
#include <map>
#include <random>

#include "tests/catch.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/stub_fixture.hpp"

using namespace retrov;

namespace {

/// Of sessions with gdb 13.1 and 16.3 (tests/fuzz/record.py): one packet a line, \xNN for some bytes.
std::vector<std::string> recorded_packets() {
  std::vector<std::string> result;
  for (const char* name : {"gdb-13.1.packets", "gdb-16.3.packets"}) {
    std::ifstream file(test::source_dir() + "/tests/fuzz/" + name);
    for (std::string line; std::getline(file, line);) {
      std::string packet;
      for (std::size_t at = 0; at < line.size(); ++at) {
        const bool escaped = line[at] == '\\';
        packet += escaped ? static_cast<char>(std::stoi(line.substr(at + 2, 2), nullptr, 16)) : line[at];
        if (escaped) at += 3;
      }
      result.push_back(packet);
    }
  }
  return result;
}

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
  explicit Mutator(u64 seed) : random_(seed), seeds_(recorded_packets()) {
    seeds_.insert(seeds_.end(), std::begin(kOthers), std::end(kOthers));
    std::map<const PacketHandler*, std::vector<std::string_view>> by_handler;
    for (const std::string& packet : seeds_) by_handler[find_packet_handler(packet)].push_back(packet);
    for (auto& [row, packets] : by_handler) kinds_.push_back(std::move(packets));
  }

  std::string next() {
    // Each handler as often as any other, however many of the recorded packets are its own.
    const std::vector<std::string_view>& kind = kinds_[random_() % kinds_.size()];
    std::string packet(kind[random_() % kind.size()]);
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
  std::vector<std::string> seeds_;
  std::vector<std::vector<std::string_view>> kinds_;
};

unsigned long from_environment(const char* name, unsigned long otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoul(text, nullptr, 10);
}

}  // namespace

TEST_CASE("packet_fuzz: mutated packets of gdb's are answered, whatever they say", "[packet_fuzz]") {
  Mutator mutator(from_environment("RETROV_FUZZ_SEED", 11));
  StubFixture f;
  FrameDecoder decoder;
  std::map<const PacketHandler*, unsigned long> reached;
  const unsigned long count = from_environment("RETROV_FUZZ_PACKETS", 100'000);
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
      if (row != nullptr) ++handled, ++reached[row];
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
  // For who asks for the report (-s).
  std::string counts;
  for (const PacketHandler& row : packet_handlers()) {
    INFO(row.prefix);
    CHECK(reached.contains(&row));
    counts += " " + std::string(row.prefix) + "=" + std::to_string(reached[&row]);
  }
  UNSCOPED_INFO(handled << " of " << count << " packets reached a handler:" << counts);
  CHECK(reached.size() == packet_handlers().size());
  f.stub.begin_session(f.client);
  CHECK(f.ask("?").substr(0, 3) == "T05");
}
