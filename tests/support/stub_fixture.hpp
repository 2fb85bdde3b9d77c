// A stub on the fake machine with a client that keeps what it is sent.
#pragma once

#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gdbstub/framing.hpp"
#include "gdbstub/hex.hpp"
#include "gdbstub/packets.hpp"
#include "gdbstub/stub.hpp"
#include "tests/support/fake_debugger.hpp"

namespace retrov {

class FakeClient final : public StubClient {
 public:
  std::vector<std::string> sent;
  std::vector<std::string> logged;
  int moves = 0;
  bool moving = false;
  bool interrupted = false;  ///< A Ctrl-C waits to be answered.

  void send(std::string_view payload) override { sent.emplace_back(payload); }
  void begin_move() override {
    RV_CHECK(!moving);
    moving = true;
    ++moves;
  }
  void end_move() override { moving = false; }
  bool take_interrupt() override { return std::exchange(interrupted, false); }
  void log(const std::string& line) override { logged.push_back(line); }
};

struct StubFixture {
  FakeDebugger debugger;
  FakeMachine machine{debugger};
  FakeClient client;
  std::string monitor_line;
  Stub stub{debugger, machine, [this](std::string_view line, std::ostream& out, MonitorControls& controls) {
              monitor_line = line;
              if (line == "goto 50") {
                controls.armed_goto = Position{50};
                out << "the next resume goes there\n";
              } else if (line == "goto 5000") {
                controls.armed_goto = Position{5000};
              } else if (line == "switch fix") {
                controls.armed_switch = "fix";
              } else if (line == "quit") {
                controls.quit = true;
              } else if (line == "phys on") {
                controls.physical = true;
              } else if (line == "two lines") {
                out << "one\ntwo";
              } else {
                throw Error(Exit::kUsage, "no such command");
              }
            }};

  StubFixture() { stub.begin_session(client); }
  /// The answer to a packet.
  std::string ask(std::string_view packet) { return handle_packet(stub, packet); }
  /// The text of the O packets so far.
  std::string console() const {
    std::string result;
    for (const std::string& packet : client.sent) {
      RV_CHECK(packet.starts_with("O"));
      const auto bytes = parse_bytes(std::string_view(packet).substr(1));
      RV_CHECK(bytes.has_value());
      result.append(bytes->begin(), bytes->end());
    }
    return result;
  }
  void next_stop(StopReason reason, unsigned hart = 0) {
    Stop stop;
    stop.reason = reason;
    stop.at = debugger.at;
    stop.hart = hart;
    debugger.next_stops.push_back(stop);
  }
};

}  // namespace retrov
