// Covers gdbstub/packets_run, gdbstub/stub and gdbstub/stop_table.

#include "gdbstub/packets.hpp"
#include "tests/catch.hpp"
#include "tests/support/stub_fixture.hpp"

using namespace retrov;

namespace {

using Calls = std::vector<std::string>;

}  // namespace

TEST_CASE("packets_run: vCont moves the hart whose first matching action says so", "[packets_run]") {
  struct Case {
    const char* packet;
    const char* call;
  };
  for (const Case& c : {Case{"vCont;c", "resume"}, Case{"vCont;c:p1.-1", "resume"}, Case{"vCont;C05", "resume"},
                        Case{"vCont;s:p1.1;c:p1.-1", "step 0"}, Case{"vCont;s:p1.2;c:p1.-1", "step 1"},
                        Case{"vCont;s:2", "step 1"}, Case{"vCont;S05:2;c", "step 1"}, Case{"vCont;s", "step 0"},
                        Case{"vCont;c:1;s", "step 1"}, Case{"vCont;c:2;s:1", "step 0"}, Case{"vCont;c;s:1", "resume"},
                        Case{"vCont;t:1;c", "resume"}, Case{"vCont;r10,20:2;c", "step_range 1 10 20"}}) {
    StubFixture f;
    INFO(c.packet);
    CHECK(f.ask(c.packet).substr(0, 3) == "T05");
    REQUIRE_FALSE(f.debugger.calls.empty());
    CHECK(f.debugger.calls.back() == c.call);
    CHECK(f.client.moves == 1);
    CHECK_FALSE(f.client.moving);
  }
}

TEST_CASE("packets_run: a vCont that means nothing moves nothing", "[packets_run]") {
  StubFixture f;
  for (const char* packet : {"vCont;", "vCont;x", "vCont;s:3", "vCont;cc", "vCont;C", "vCont;r10:1", "vCont;r1,z",
                             "vCont;:1", "vCont;;c", "vCont;s:", "c80zz", "C", "Czz", "S"}) {
    INFO(packet);
    CHECK(f.ask(packet).substr(0, 2) == "E.");
  }
  CHECK(f.ask("vCont;t").substr(0, 3) == "T05");
  CHECK(f.debugger.calls.empty());
}

TEST_CASE("packets_run: the single letters go on from an address if there is one", "[packets_run]") {
  StubFixture f;
  f.ask("Hc2");
  f.ask("s80000011");
  CHECK(f.debugger.calls == Calls{"write_register 1 20 80000010", "set_stops 0 0", "step 1"});
  f.ask("C05;80000020");
  CHECK(f.debugger.calls.back() == "resume");
  f.ask("S05");
  CHECK(f.debugger.calls.back() == "step 1");
}

TEST_CASE("packets_run: bs and bc go backwards on the chosen hart", "[packets_run]") {
  StubFixture f;
  f.ask("bc");
  CHECK(f.debugger.calls.back() == "resume_back");
  f.ask("Hc2");
  f.ask("bs");
  CHECK(f.debugger.calls.back() == "step_back 1");
  f.ask("Hc0");
  f.next_stop(StopReason::kHistoryBegin, 1);
  CHECK_THAT(f.ask("bs"), has_substring("T05replaylog:begin;thread:2;core:1;"));
  // The hart of the last stop, when none is chosen.
  f.ask("bs");
  CHECK(f.debugger.calls.back() == "step_back 1");
}

TEST_CASE("packets_run: a stop names its reason, thread, core and the registers gdb wants first", "[packets_run]") {
  StubFixture f;
  f.debugger.registers[1][2] = 0x80001000;
  f.next_stop(StopReason::kInterrupted, 1);
  const std::string reply = f.ask("vCont;c");
  CHECK(reply.substr(0, 19) == "T02thread:2;core:1;");
  CHECK_THAT(reply, has_substring(";2:0010008000000000;"));
  for (const char* number : {"1", "2", "3", "8", "a", "b", "c", "d", "e", "f", "10", "11", "20"}) {
    CHECK_THAT(reply, has_substring(";" + std::string(number) + ":"));
  }
  CHECK(f.ask("?").substr(0, 19) == "T02thread:2;core:1;");
}

TEST_CASE("packets_run: both ends of history, and power-off, are replaylog stops", "[packets_run]") {
  StubFixture f;
  f.next_stop(StopReason::kHistoryEnd);
  CHECK(f.ask("c").substr(0, 17) == "T05replaylog:end;");
  Stop off;
  off.reason = StopReason::kPoweredOff;
  off.note = "the guest powered off: test finisher, pass";
  f.debugger.next_stops.push_back(off);
  CHECK(f.ask("c").substr(0, 17) == "T05replaylog:end;");
  CHECK(f.console() == "retrov: the guest powered off: test finisher, pass\n");
}

TEST_CASE("packets_run: swbreak and hwbreak are said to those who offered them", "[packets_run]") {
  StubFixture f;
  f.debugger.registers[0][32] = 0x80000010;
  f.ask("Z0,80000010,2");
  f.next_stop(StopReason::kBreakpoint);
  CHECK(f.ask("s").substr(0, 10) == "T05thread:");
  f.ask("qSupported:swbreak+;hwbreak+");
  f.next_stop(StopReason::kBreakpoint);
  CHECK(f.ask("s").substr(0, 12) == "T05swbreak:;");
  f.ask("z0,80000010,2");
  f.ask("Z1,80000010,2");
  f.next_stop(StopReason::kBreakpoint);
  CHECK(f.ask("s").substr(0, 12) == "T05hwbreak:;");
}

TEST_CASE("packets_run: watchpoints are reported by their kind and first byte", "[packets_run]") {
  StubFixture f;
  struct Case {
    WatchKind kind;
    const char* text;
  };
  for (const Case& c : {Case{WatchKind::kWrite, "T05watch:80000123;"}, Case{WatchKind::kRead, "T05rwatch:80000123;"},
                        Case{WatchKind::kAccess, "T05awatch:80000123;"}}) {
    Stop stop;
    stop.reason = StopReason::kWatchpoint;
    stop.watched.value = 0x80000123;
    stop.watch_kind = c.kind;
    f.debugger.next_stops.push_back(stop);
    CHECK(f.ask("c").substr(0, std::string(c.text).size()) == c.text);
  }
}

TEST_CASE("packets_run: a breakpoint where the hart stands stops a continue before it moves, but not a step",
          "[packets_run]") {
  StubFixture f;
  f.ask("qSupported:swbreak+");
  f.debugger.registers[0][32] = 0x80000010;
  f.ask("Z0,80000010,4");
  CHECK(f.ask("vCont;c").substr(0, 12) == "T05swbreak:;");
  CHECK(f.debugger.calls == Calls{"set_stops 1 0"});
  f.ask("vCont;s:1;c");
  CHECK(f.debugger.calls.back() == "step 0");
  f.ask("bc");
  CHECK(f.debugger.calls.back() == "resume_back");
  f.machine.waiting[0] = true;
  f.ask("vCont;c");
  CHECK(f.debugger.calls.back() == "resume");
}

TEST_CASE("packets_run: Z and z are sets keyed by type, address and length", "[packets_run]") {
  StubFixture f;
  for (const char* packet : {"Z0,80000010,2", "Z0,80000010,4", "Z1,80000010,4", "Z1,80000000,4", "Z2,80000100,8",
                             "Z2,80000100,8", "Z2,80000100,4", "Z3,80000100,8", "Z4,ffffffffffffffff,1"}) {
    CHECK(f.ask(packet) == "OK");
  }
  f.ask("s");
  CHECK(f.debugger.stops.breakpoints == std::vector<VirtAddr>{{0x80000000}, {0x80000010}});
  CHECK(f.debugger.stops.watches.size() == 4);
  CHECK(f.debugger.stops.watches[0].satp == f.machine.satp);
  f.machine.satp = 0;
  for (const char* packet : {"z0,80000010,2", "z1,80000000,2", "z2,80000100,8", "z3,80000100,8", "z3,80000100,8"}) {
    CHECK(f.ask(packet) == "OK");
  }
  f.ask("s");
  CHECK(f.debugger.stops.breakpoints == std::vector<VirtAddr>{{0x80000010}});
  CHECK(f.debugger.stops.watches.size() == 2);
}

TEST_CASE("packets_run: the same breakpoints are not handed over again", "[packets_run]") {
  StubFixture f;
  f.ask("Z0,80000010,2");
  f.ask("bs");
  f.ask("z0,80000010,2");
  f.ask("Z0,80000010,2");
  f.ask("bs");
  CHECK(f.debugger.calls == Calls{"set_stops 1 0", "step_back 0", "step_back 0"});
}

TEST_CASE("packets_run: breakpoints and watchpoints that mean nothing are refused", "[packets_run]") {
  StubFixture f;
  for (const char* packet : {"Z0", "Z0,", "Z0,80000000", "Z0,z,2", "Z0,80000000,2;X1,26", "Z2,80000000,0",
                             "Z2,ffffffffffffffff,2", "Z2,1,ffffffffffffffff0", "z2,80000000,0"}) {
    INFO(packet);
    CHECK(f.ask(packet).substr(0, 2) == "E.");
  }
  CHECK(f.ask("Z5,80000000,2").empty());
  CHECK(f.ask("Z").empty());
}
