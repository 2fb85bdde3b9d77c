// Covers gdbstub/packets, gdbstub/packets_session, gdbstub/packets_threads and gdbstub/packets_registers.

#include "gdbstub/packets.hpp"

#include <random>
#include <set>

#include "tests/catch.hpp"
#include "tests/support/stub_fixture.hpp"

using namespace retrov;

namespace {

using Calls = std::vector<std::string>;

std::string monitor(StubFixture& fixture, std::string_view line) { return fixture.ask("qRcmd," + hex_bytes(line)); }

}  // namespace

// --- the table -----------------------------------------------------------------------------------

TEST_CASE("packets: no prefix hides another", "[packets]") {
  std::set<std::string_view> prefixes;
  for (const PacketHandler& row : packet_handlers()) {
    CHECK(prefixes.insert(row.prefix).second);
    CHECK_FALSE(row.prefix.empty());
    CHECK(find_packet_handler(row.prefix) == &row);
  }
  CHECK(prefixes.size() > 40);
  CHECK(find_packet_handler("qCRC:0,1")->prefix == "qCRC:");
  CHECK(find_packet_handler("qC")->prefix == "qC");
  CHECK(find_packet_handler("vCont?")->prefix == "vCont?");
}

TEST_CASE("packets: what is unknown is answered empty", "[packets]") {
  StubFixture f;
  for (const char* packet : {"vMustReplyEmpty", "qTStatus", "qOffsets", "QNonStop:0", "R00", "_", "", "qCfoo",
                             "gfoo", "bsx", "vFile:setfs:0", "qTfV", "QPassSignals:", "Hm0", "b"}) {
    INFO(packet);
    CHECK(f.ask(packet).empty());
  }
}

TEST_CASE("packets: qSupported is made from the table and answers what the client offers", "[packets]") {
  StubFixture f;
  const std::string plain = f.ask("qSupported:xmlRegisters=i386");
  CHECK_THAT(plain, has_substring("PacketSize=20000"));
  CHECK_THAT(plain, has_substring(";ReverseStep+"));
  CHECK_THAT(plain, has_substring(";ReverseContinue+"));
  CHECK_THAT(plain, has_substring(";QStartNoAckMode+"));
  CHECK_THAT(plain, has_substring(";qXfer:features:read+"));
  CHECK_THAT(plain, has_substring(";qXfer:threads:read+"));
  CHECK_THAT(plain, has_substring(";binary-upload+"));
  CHECK_THAT(plain, has_substring(";vContSupported+"));
  CHECK_THAT(plain, !has_substring("multiprocess"));
  CHECK_THAT(plain, !has_substring("NonStop"));
  CHECK_THAT(f.ask("qSupported:multiprocess+;swbreak+;hwbreak+;error-message+"), has_substring(";multiprocess+"));
  CHECK(f.stub.features.swbreak);
  CHECK(f.stub.features.hwbreak);
  CHECK(f.stub.features.error_message);
}

// --- session -------------------------------------------------------------------------------------

TEST_CASE("packets: small questions about the session have their fixed answers", "[packets]") {
  StubFixture f;
  CHECK(f.ask("qAttached") == "1");
  CHECK(f.ask("qAttached:1") == "1");
  CHECK(f.ask("qSymbol::") == "OK");
  CHECK(f.ask("!") == "OK");
  CHECK(f.ask("vCont?") == "vCont;c;C;s;S;t;r");
  CHECK(f.ask("QStartNoAckMode") == "OK");
  CHECK(f.stub.no_ack);
}

TEST_CASE("packets: D detaches, k and vKill kill", "[packets]") {
  StubFixture f;
  CHECK(f.ask("D;1") == "OK");
  CHECK(f.stub.end == SessionEnd::kDetached);
  StubFixture g;
  CHECK(g.ask("k").empty());
  CHECK(g.stub.end == SessionEnd::kKilled);
  StubFixture h;
  CHECK(h.ask("vKill;1") == "OK");
  CHECK(h.stub.end == SessionEnd::kKilled);
}

TEST_CASE("packets: monitor quit ends the session once it has been answered", "[packets]") {
  StubFixture f;
  CHECK(monitor(f, "quit") == "OK");
  CHECK(f.stub.end == SessionEnd::kQuit);
}

TEST_CASE("packets: a client that waits for long is told once a second how far it is", "[packets]") {
  constexpr u64 kSecond = 1'000'000'000;
  StubFixture f;
  const auto at = [&](u64 ns) { return [&f, ns] { f.stub.report_progress(ns); }; };
  const auto all = [&] {
    for (const u64 ns : {5 * kSecond, 6 * kSecond - 1, 6 * kSecond, 6 * kSecond + 5, 7 * kSecond}) at(ns)();
  };
  const std::string line = "retrov: step 100 of 1,000, 10%\n";
  // Nobody waits.
  all();
  CHECK(f.console().empty());
  f.debugger.on_move = all;
  for (const char* packet : {"vCont;c", "s", "vCont;r80000000,80000004:1"}) {
    f.ask(packet);
    CHECK(f.console().empty());
  }
  for (const char* packet : {"bc", "bs"}) {
    f.client.sent.clear();
    f.ask(packet);
    CHECK(f.console() == line + line);
  }
  for (const char* word : {"goto 50", "switch fix"}) {
    monitor(f, word);
    f.client.sent.clear();
    f.ask("vCont;c");
    CHECK(f.console().find("retrov: step ") == 0);
  }
  f.client.sent.clear();
  all();
  CHECK(f.console().empty());
}

TEST_CASE("packets: an extended client kills and runs a recording again", "[packets]") {
  StubFixture f;
  f.debugger.is_past = true;
  CHECK(f.ask("!") == "OK");
  CHECK(f.ask("vKill;1") == "OK");
  CHECK(f.stub.end == SessionEnd::kOpen);
  for (const bool armed : {false, true}) {
    f.debugger.at = Position{100};
    // What was to become of the next move is forgotten.
    if (armed) f.stub.controls.armed_switch = "other";
    CHECK(f.ask("vRun;").substr(0, 4) == "T05t");
    CHECK(f.debugger.at == Position{0});
    CHECK_FALSE(f.stub.controls.armed_switch);
  }
  CHECK(f.ask("vAttach;1").substr(0, 4) == "T05t");
  CHECK(f.ask("vAttach;7").substr(0, 2) == "E.");
}

TEST_CASE("packets: a live guest is switched off and on, and the log says what it is called then", "[packets]") {
  for (const char* packet : {"vRun;", "vRun;61;62", "R00"}) {
    StubFixture f;
    f.ask("!");
    f.stub.controls.armed_goto = Position{50};
    const bool is_old = packet[0] == 'R';
    const std::string answer = f.ask(packet);
    CHECK(answer.substr(0, 4) == (is_old ? "" : "T05t"));
    CHECK(f.stub.no_answer == is_old);
    CHECK(f.debugger.calls.back() == "power_cycle");
    CHECK_FALSE(f.stub.controls.armed_goto);
    CHECK(f.client.sent.empty());
    REQUIRE(f.client.logged.size() == 1);
    CHECK_THAT(f.client.logged[0], has_substring("restart-1; what was before is in main"));
  }
  StubFixture f;
  CHECK(f.ask("R").empty());
  CHECK(f.ask("Rx").empty());
  CHECK_FALSE(f.stub.no_answer);
}

TEST_CASE("packets: monitor output is streamed line by line", "[packets]") {
  StubFixture f;
  CHECK(monitor(f, "two lines") == "OK");
  CHECK(f.monitor_line == "two lines");
  CHECK(f.client.sent == Calls{"O6f6e650a", "O74776f"});
}

TEST_CASE("packets: an unknown monitor command is an error, as text for a gdb that knows no error text", "[packets]") {
  StubFixture f;
  CHECK(monitor(f, "nonsense") == "OK");
  CHECK(f.console() == "no such command\n");
  f.ask("qSupported:error-message+");
  CHECK(monitor(f, "nonsense") == "E.no such command");
  CHECK(f.ask("qRcmd,6") == "E.qRcmd wants pairs of digits");
}

TEST_CASE("packets: an armed goto replaces the next resume of any kind", "[packets]") {
  for (const char* packet : {"vCont;c", "vCont;s:1;c", "c", "s", "bs", "bc", "vCont;r80000000,80000004:1"}) {
    StubFixture f;
    INFO(packet);
    CHECK(monitor(f, "goto 50") == "OK");
    CHECK(f.debugger.calls.empty());
    CHECK(f.ask(packet).substr(0, 10) == "T00thread:");
    CHECK(f.debugger.calls == Calls{"seek 32"});
    CHECK(f.debugger.at == Position{50});
    f.ask("s");
    CHECK(f.debugger.calls.back() == "step 0");
  }
}

TEST_CASE("packets: a move that fails says why and stops where it stands", "[packets]") {
  StubFixture f;
  monitor(f, "goto 5000");
  CHECK_THAT(f.ask("vCont;c"), has_substring("T05thread:1;"));
  CHECK_THAT(f.console(), has_substring("there is no such position"));
  CHECK_FALSE(f.client.moving);
}

TEST_CASE("packets: an armed goto arrives on the thread that is moved alone", "[packets]") {
  StubFixture f;
  f.ask("qSupported:multiprocess+");
  REQUIRE(f.machine.current_hart() == 0);
  f.stub.controls.armed_goto = Position{50};
  CHECK_THAT(f.ask("vCont;s:p1.2"), has_substring("thread:p1.2;"));
  f.stub.controls.armed_switch = "other";
  CHECK_THAT(f.ask("vCont;s:p1.2"), has_substring("thread:p1.2;"));
  f.stub.controls.armed_goto = Position{50};
  CHECK_THAT(f.ask("vCont;s:p1.2;c:p1.-1"), has_substring("thread:p1.1;"));
}

TEST_CASE("packets: an armed goto that is interrupted says so", "[packets]") {
  StubFixture f;
  f.debugger.interrupts_moves = true;
  monitor(f, "goto 50");
  CHECK(f.ask("vCont;c").substr(0, 10) == "T02thread:");
}

TEST_CASE("packets: an armed switch says whether it arrived", "[packets]") {
  for (const bool interrupted : {false, true}) {
    StubFixture f;
    f.debugger.interrupts_moves = interrupted;
    monitor(f, "switch fix");
    CHECK(f.ask("bc").substr(0, 10) == (interrupted ? "T02thread:" : "T00thread:"));
    CHECK(f.debugger.calls == Calls{"switch_to fix"});
  }
}

// --- threads -------------------------------------------------------------------------------------

TEST_CASE("packets: harts are threads, with a process when the client knows processes", "[packets]") {
  StubFixture f;
  CHECK(f.ask("qfThreadInfo") == "m1,2");
  CHECK(f.ask("qsThreadInfo") == "l");
  CHECK(f.ask("qC") == "QC1");
  f.ask("qSupported:multiprocess+");
  CHECK(f.ask("qfThreadInfo") == "mp1.1,p1.2");
  CHECK(f.ask("Hgp1.2") == "OK");
  CHECK(f.ask("qC") == "QCp1.2");
}

TEST_CASE("packets: threads that are not there are errors", "[packets]") {
  StubFixture f;
  for (const char* packet : {"T1", "T2", "Tp1.2", "Tp-1.-1", "Hg0", "Hc-1", "Hgp0.0", "Hcp1"}) {
    INFO(packet);
    CHECK(f.ask(packet) == "OK");
  }
  for (const char* packet : {"T3", "Tp2.1", "T", "Tp1.", "Hgp1.x", "Hgffffffffffffffff", "qThreadExtraInfo,9"}) {
    INFO(packet);
    CHECK(f.ask(packet).substr(0, 1) == "E");
  }
}

TEST_CASE("packets: what a hart does is told by both ways of asking", "[packets]") {
  StubFixture f;
  f.machine.waiting[1] = true;
  CHECK(f.ask("qThreadExtraInfo,2") == hex_bytes(std::string_view("hart 1: S-mode, WFI, asid 3")));
  const std::string threads = f.ask("qXfer:threads:read::0,1000");
  CHECK_THAT(threads, has_substring(R"(<thread id="1" core="0" name="hart 0">S-mode, running, asid 3</thread>)"));
  CHECK_THAT(threads, has_substring(R"(<thread id="2" core="1" name="hart 1">S-mode, WFI, asid 3</thread>)"));
}

TEST_CASE("packets: qXfer gives a document in pieces", "[packets]") {
  StubFixture f;
  std::string whole;
  for (std::string piece = "m"; piece.front() == 'm';) {
    piece = f.ask("qXfer:features:read:target.xml:" + hex_number(whole.size()) + ",40");
    REQUIRE(piece.size() <= 0x41 * 2);
    whole += piece.substr(1);
  }
  CHECK_THAT(whole, has_substring("</target>\n"));
  CHECK(f.ask("qXfer:features:read:target.xml:0,fffff").front() == 'l');
  CHECK(f.ask("qXfer:features:read:target.xml:" + hex_number(whole.size()) + ",10") == "l");
  CHECK(f.ask("qXfer:features:read:target.xml:fffffff,10") == "E01");
  CHECK(f.ask("qXfer:features:read:target.xml:0") == "E01");
  // No such part of a known object, and no such object.
  CHECK(f.ask("qXfer:features:read:other.xml:0,10") == "E00");
  CHECK(f.ask("qXfer:threads:read:other:0,10") == "E00");
  CHECK(f.ask("qXfer:auxv:read::0,10").empty());
  CHECK(f.ask("qXfer:features:write:target.xml:0:").empty());
}

// --- registers -----------------------------------------------------------------------------------

TEST_CASE("packets: g has x, pc, f, priv and the three of fcsr in the order of their numbers", "[packets]") {
  StubFixture f;
  f.debugger.registers[0][1] = 0x1122;
  f.debugger.registers[0][32] = 0x80000000;
  f.debugger.registers[0][65] = 3;
  f.debugger.registers[0][kFirstCsr + 3] = 0x1f;
  const std::string g = f.ask("g");
  CHECK(g.size() == (66 * 8 + 3 * 4) * 2);
  CHECK(g.substr(16, 16) == "2211000000000000");
  CHECK(g.substr(32 * 16, 16) == "0000008000000000");
  CHECK(g.substr(65 * 16, 16) == "0300000000000000");
  CHECK(g.substr(66 * 16 + 16, 8) == "1f000000");
}

TEST_CASE("packets: G writes only what differs", "[packets]") {
  StubFixture f;
  std::string g = f.ask("g");
  CHECK(f.ask("G" + g) == "OK");
  CHECK(f.debugger.calls.empty());
  g[10 * 16] = '7';
  CHECK(f.ask("G" + g) == "OK");
  CHECK(f.debugger.calls == Calls{"write_register 0 a 70"});
  g[0] = '7';
  CHECK(f.ask("G" + g) == "E.x0 is always zero");
  CHECK(f.ask("G123").front() == 'E');
  CHECK(f.ask("G" + g + "00").front() == 'E');
}

TEST_CASE("packets: p reads any register of the selected hart, xx where there is none", "[packets]") {
  StubFixture f;
  f.debugger.registers[1][kFirstCsr + 0x300] = 0xa00000000;
  CHECK(f.ask("p342") == "0000000000000000");
  f.ask("Hg2");
  CHECK(f.ask("p342") == "000000000a000000");
  CHECK(f.ask("p" + hex_number(kFakeUnavailable)) == "xxxxxxxxxxxxxxxx");
  CHECK(f.ask("pffff") == "E.there is no register 65535");
  CHECK(f.ask("p44").size() == 8);
  CHECK(f.ask("p10000").front() == 'E');
  CHECK(f.ask("p").front() == 'E');
}

TEST_CASE("packets: P writes one register and says why it does not", "[packets]") {
  StubFixture f;
  CHECK(f.ask("Pa=0807060504030201") == "OK");
  CHECK(f.debugger.calls == Calls{"write_register 0 a 102030405060708"});
  CHECK(f.ask("P20=0100008000000000") == "OK");
  CHECK(f.debugger.registers[0][32] == 0x80000000);
  CHECK(f.ask("P0=0100000000000000") == "E.x0 is always zero");
  CHECK(f.ask("P" + hex_number(kFakeReadOnly) + "=0100000000000000") == "E.mhartid is read-only");
  CHECK(f.ask("Pa").front() == 'E');
  CHECK(f.ask("Pa=").front() == 'E');
  CHECK(f.ask("Pa=000000000000000000").front() == 'E');
}

TEST_CASE("packets: writes in the past are refused with the way on", "[packets]") {
  StubFixture f;
  f.debugger.is_past = true;
  const std::string text = "E.the past is read-only; `monitor fork` does";
  CHECK(f.ask("Pa=0000000000000000") == text);
  CHECK(f.ask("M80000000,1:00") == text);
  CHECK(f.ask("X80000000,1:0") == text);
  // No gdb shows anything of what M and X answer, those that understand error messages included.
  CHECK(f.client.logged.size() == 2);
  f.ask("qSupported:error-message+");
  CHECK(f.ask("M80000000,1:00") == text);
  CHECK(f.client.logged.size() == 3);
}

// --- memory --------------------------------------------------------------------------------------

TEST_CASE("packets: a new client finds nothing of the one before", "[packets]") {
  StubFixture f;
  f.ask("qSupported:multiprocess+;swbreak+");
  f.ask("QStartNoAckMode");
  f.ask("Z0,80000010,2");
  f.ask("Hgp1.2");
  monitor(f, "phys on");
  monitor(f, "goto 50");
  f.stub.end_session();
  CHECK(f.debugger.stops.breakpoints.empty());
  f.stub.begin_session(f.client);
  CHECK(f.ask("?").substr(0, 12) == "T05thread:1;");
  CHECK_FALSE(f.stub.no_ack);
  CHECK(f.ask("qC") == "QC1");
  CHECK(f.ask("qqemu.PhyMemMode") == "0");
  f.ask("c");
  CHECK(f.debugger.calls.back() == "resume");
  CHECK(f.debugger.stops.breakpoints.empty());
}

// --- anything ------------------------------------------------------------------------------------

TEST_CASE("packets: no packet does more than earn an error", "[packets]") {
  std::mt19937 random(2);
  const std::span<const PacketHandler> rows = packet_handlers();
  const std::vector<std::string> pieces = {
      "0", "1",    "-1",       ",", ";", ":", "=",    "80000000", "ffffffffffffffff",
      "p", "p1.2", "8000fff0", "s", "c", "r", "xx",   "zz",       "10000000000000000",
      "?", "#",    "$",        "}", "*", "2", "8000", "\xff",     "20000"};
  StubFixture f;
  for (int i = 0; i < 200'000; ++i) {
    std::string packet(rows[random() % rows.size()].prefix);
    for (unsigned n = random() % 7; n > 0; --n) packet += pieces[random() % pieces.size()];
    f.debugger.is_past = random() % 2 == 0;
    const std::string answer = f.ask(packet);
    REQUIRE(answer.size() <= kPacketSize);
    REQUIRE(encode_frame(answer).size() >= 4);
    f.client.sent.clear();
    f.client.logged.clear();
    f.debugger.calls.clear();
  }
  f.stub.begin_session(f.client);
  CHECK(f.ask("?").substr(0, 3) == "T05");
}
