// Covers gdbstub/packets_run, gdbstub/stub, gdbstub/stop_table and gdbstub/stop_clauses.

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

TEST_CASE("packets_run: a step that a Ctrl-C came for ends with it, once", "[packets_run]") {
  for (const char* packet : {"vCont;s:1", "vCont;r10,20:1", "bs"}) {
    INFO(packet);
    StubFixture f;
    f.client.interrupted = true;
    CHECK(f.ask(packet).substr(0, 3) == "T02");
    CHECK(f.ask(packet).substr(0, 3) == "T05");
    // What stops for a reason of its own says so; the Ctrl-C is for the next.
    f.client.interrupted = true;
    f.next_stop(StopReason::kWatchpoint, 0);
    CHECK(f.ask(packet).substr(0, 3) == "T05");
    CHECK(f.client.interrupted);
  }
}

TEST_CASE("packets_run: who is stepped alone is who stops, whoever ends the step", "[packets_run]") {
  for (const char* packet : {"vCont;s:2", "vCont;r10,20:2", "vCont;c:2"}) {
    for (const StopReason reason : {StopReason::kBreakpoint, StopReason::kWatchpoint, StopReason::kStep}) {
      StubFixture f;
      f.next_stop(reason, 0);
      CHECK(f.ask(packet).substr(0, 19) == "T05thread:2;core:1;");
    }
    StubFixture f;
    f.next_stop(StopReason::kHistoryEnd, 0);
    CHECK_THAT(f.ask(packet), has_substring("T05replaylog:end;thread:2;"));
    f.next_stop(StopReason::kInterrupted, 0);
    CHECK_THAT(f.ask(packet), has_substring("T02thread:2;"));
  }
  // With others beside, their stops are theirs.
  StubFixture f;
  f.next_stop(StopReason::kWatchpoint, 0);
  CHECK_THAT(f.ask("vCont;s:2;c"), has_substring("watch:"));
  f.next_stop(StopReason::kWatchpoint, 0);
  CHECK_THAT(f.ask("vCont;s:2;c"), has_substring("thread:1;"));
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

TEST_CASE("packets_run: with --exit=report the guest's end is an exit, which ends the session", "[packets_run]") {
  const auto ends = [](StopReason reason, const char* note) {
    Stop stop;
    stop.reason = reason;
    stop.note = note;
    return stop;
  };
  StubFixture f;
  f.stub.set_exit_report(ExitReport::kExit);
  f.debugger.next_stops = {ends(StopReason::kHistoryEnd, ""), ends(StopReason::kPoweredOff, "off")};
  CHECK(f.ask("c").substr(0, 17) == "T05replaylog:end;");
  CHECK(f.stub.end == SessionEnd::kOpen);
  CHECK(f.ask("c") == "W03");
  CHECK(f.stub.end == SessionEnd::kDetached);
  CHECK(f.console().empty());
  // An extended client stays, and one that knows processes is told which.
  StubFixture g;
  g.stub.set_exit_report(ExitReport::kExit);
  g.ask("!");
  g.ask("qSupported:multiprocess+");
  g.debugger.next_stops = {ends(StopReason::kPoweredOff, "off"), ends(StopReason::kHistoryEnd, "no input")};
  CHECK(g.ask("c") == "W03;process:1");
  CHECK(g.stub.end == SessionEnd::kOpen);
  CHECK(g.ask("c") == "X0f;process:1");
  // That of a throw-away copy is none, nor is it without the option.
  g.debugger.fork_point = ForkPoint{"scratch", Position{5}, true};
  g.debugger.next_stops = {ends(StopReason::kPoweredOff, "off")};
  CHECK(g.ask("c").substr(0, 17) == "T05replaylog:end;");
  // A recording that ends where its guest waited for input has not exited.
  StubFixture h;
  h.stub.set_exit_report(ExitReport::kExit);
  h.debugger.is_past = true;
  h.debugger.next_stops = {ends(StopReason::kHistoryEnd, "no input")};
  CHECK(h.ask("c").substr(0, 17) == "T05replaylog:end;");
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
  for (const char* packet : {"Z0", "Z0,", "Z0,80000000", "Z0,z,2", "Z0,80000000,2;X1,26", "Z0,80000000,2;X1,27",
                             "Z0,80000000,2;X4,220127", "Z0,80000000,2;cmds:", "Z2,80000000,2;X1,26", "Z2,80000000,0",
                             "Z2,ffffffffffffffff,2", "Z2,1,ffffffffffffffff0", "z2,80000000,0"}) {
    INFO(packet);
    CHECK(f.ask(packet).substr(0, 2) == "E.");
  }
  CHECK(f.ask("Z5,80000000,2").empty());
  CHECK(f.ask("Z").empty());
}

TEST_CASE("packets_run: a breakpoint where the hart stands counts only if its condition holds", "[packets_run]") {
  StubFixture f;
  f.ask("qSupported:swbreak+");
  f.debugger.registers[0][32] = 0x80000010;
  f.debugger.registers[0][10] = 5;
  // a0 == 6.
  f.ask("Z0,80000010,4;X7,26000a22061327");
  f.ask("vCont;c");
  CHECK(f.debugger.calls.back() == "resume");
  f.debugger.registers[0][10] = 6;
  CHECK(f.ask("vCont;c").substr(0, 12) == "T05swbreak:;");
  // The last Z of a place says what holds; a command prints where it is reached, not where one leaves.
  f.ask("Z0,80000010,4;cmds:1,X1,27");
  f.ask("vCont;c");
  CHECK(f.debugger.calls.back() == "resume");
}

TEST_CASE("packets_run: conditions and commands are asked of the hart that arrives", "[packets_run]") {
  StubFixture f;
  CHECK(f.ask("qSupported").find("ConditionalBreakpoints+") != std::string::npos);
  CHECK(f.ask("qSupported").find("BreakpointCommands+") != std::string::npos);
  // memory at 0x80000100 == 7, or a0 == 1; prints a0 with "%d\n" as C source.
  const std::string command = "cmds:1,X11,26000a220022003401000525645c6e0027";
  CHECK(f.ask("Z1,80000010,4;X9,24800001001722071327X7,26000a22011327;" + command).substr(0, 2) == "E.");
  CHECK(f.ask("Z1,80000010,4;Xa,24800001001722071327X7,26000a22011327;" + command) == "OK");
  f.ask("c");
  REQUIRE(f.debugger.stops.rules != nullptr);
  StopRules& rules = *f.debugger.stops.rules;
  class Hart final : public HartView {
   public:
    explicit Hart(FakeDebugger& debugger) : debugger_(debugger) {}
    std::optional<u64> read_register(RegisterId id) const override {
      return debugger_.registers[1][static_cast<u16>(id)];
    }
    std::size_t read_memory(VirtAddr address, std::span<u8> out) const override {
      return debugger_.read_memory(1, AddressSpace::kVirtual, address.value, out);
    }

   private:
    FakeDebugger& debugger_;
  };
  const Hart hart(f.debugger);
  CHECK_FALSE(rules.counts(hart, VirtAddr{0x80000010}));
  CHECK_FALSE(rules.counts(hart, VirtAddr{0x80000012}));
  f.debugger.memory[0x100] = 7;
  CHECK(rules.counts(hart, VirtAddr{0x80000010}));
  f.debugger.memory[0x100] = 8;
  f.debugger.registers[1][10] = 1;
  CHECK(rules.counts(hart, VirtAddr{0x80000010}));
  f.client.sent.clear();
  CHECK(rules.handle(hart, VirtAddr{0x80000010}));
  CHECK(f.console() == "1\n");
  // A breakpoint without commands at the same place: both, the print and the stop.
  f.ask("Z0,80000010,4");
  CHECK_FALSE(rules.handle(hart, VirtAddr{0x80000010}));
  CHECK(f.console() == "1\n1\n");
  // Watched ranges: those without a condition count.
  f.ask("Z2,80000200,4;X3,220027");
  f.ask("Z2,80000204,4");
  f.ask("s");
  REQUIRE(f.debugger.stops.watches.size() == 2);
  CHECK_FALSE(rules.counts(hart, f.debugger.stops.watches[0]));
  CHECK(rules.counts(hart, f.debugger.stops.watches[1]));
}

TEST_CASE("packets_run: break-space current holds a breakpoint to its address space", "[packets_run]") {
  StubFixture f;
  f.debugger.settings.break_space_current = true;
  f.machine.satp = u64{8} << 60 | 0x81234;
  f.ask("Z0,1000,4");
  f.ask("Z0,ffffffff80001000,4");
  f.machine.satp = 0;
  f.ask("Z0,2000,4");
  f.ask("s");
  struct Hart final : HartView {
    u64 satp = 0;
    u64 privilege = 1;
    std::optional<u64> read_register(RegisterId id) const override { return id == kRegisterPriv ? privilege : satp; }
    std::size_t read_memory(VirtAddr, std::span<u8>) const override { return 0; }
  } hart;
  const StopRules& rules = *f.debugger.stops.rules;
  // The ASID says nothing, the root does.
  hart.satp = u64{8} << 60 | u64{7} << 44 | 0x81234;
  CHECK(rules.counts(hart, VirtAddr{0x1000}));
  hart.privilege = 3;
  CHECK_FALSE(rules.counts(hart, VirtAddr{0x1000}));
  hart.privilege = 0;
  hart.satp = u64{8} << 60 | 0x81235;
  CHECK_FALSE(rules.counts(hart, VirtAddr{0x1000}));
  CHECK(rules.counts(hart, VirtAddr{0xffffffff80001000}));
  CHECK(rules.counts(hart, VirtAddr{0x2000}));
}

TEST_CASE("packets_run: break-check refuses what is not mapped", "[packets_run]") {
  StubFixture f;
  CHECK(f.ask("Z0,1000,4") == "OK");
  f.debugger.settings.break_check = true;
  CHECK(f.ask("Z0,1000,4") == "E.nothing is mapped at 0x1000");
  CHECK(f.ask("Z1,1000,4").substr(0, 2) == "E.");
  CHECK(f.ask("Z1,80000000,4") == "OK");
}

TEST_CASE("packets_run: a hart that alone has an action runs alone", "[packets_run]") {
  StubFixture f;
  for (const char* packet : {"vCont;c:2", "vCont;s:2", "vCont;r10,20:2", "vCont;t:1;c"}) {
    INFO(packet);
    f.ask(packet);
    CHECK(f.debugger.only_hart == 1u);
  }
  for (const char* packet : {"vCont;c", "vCont;s:2;c", "c", "s", "bc", "bs"}) {
    INFO(packet);
    f.debugger.only_hart = 0;
    f.ask(packet);
    CHECK_FALSE(f.debugger.only_hart.has_value());
  }
}
