#include "cli/console.hpp"

#include "tests/catch.hpp"

using namespace retrov;

namespace {

struct Typed {
  explicit Typed(ConsoleWiring wiring = ConsoleWiring::kMux) : console(wiring) {
    console.on_request([this] { ++requests; });
  }
  /// What reaches the guest.
  std::string type(const std::string& keys) {
    std::vector<u8> bytes(keys.begin(), keys.end());
    console.filter(bytes);
    return {bytes.begin(), bytes.end()};
  }
  Console console;
  int requests = 0;
};

}  // namespace

TEST_CASE("console: keys reach the guest, but for the escapes", "[console]") {
  Typed typed;
  CHECK(typed.type("ls\r\x03\x04") == "ls\r\x03\x04");
  CHECK(typed.type("a\x01\x01z") == "a\x01z");
  CHECK(typed.type("b\x01qc") == "bc");
  CHECK(typed.requests == 0);
  CHECK(typed.console.take_request() == Console::Request::kNone);
}

TEST_CASE("console: Ctrl-a x asks to leave, also when the two keys come one by one", "[console]") {
  Typed typed;
  CHECK(typed.type("a\x01").size() == 1);
  CHECK(typed.requests == 0);
  CHECK(typed.type("xb") == "b");
  CHECK(typed.requests == 1);
  CHECK(typed.console.take_request() == Console::Request::kQuit);
  CHECK(typed.console.take_request() == Console::Request::kNone);
}

TEST_CASE("console: what follows Ctrl-a c is for the prompt", "[console]") {
  Typed typed;
  CHECK(typed.type("ab\x01"
                   "cwhen\nquit\n") == "ab");
  CHECK(typed.requests == 1);
  CHECK(typed.console.take_request() == Console::Request::kPrompt);
  CHECK(typed.console.take_typed_ahead() == "when\nquit\n");
  CHECK(typed.console.take_typed_ahead().empty());
}

TEST_CASE("console: a plain console has no escapes", "[console]") {
  Typed typed(ConsoleWiring::kPlain);
  CHECK(typed.type("\x01x\x01"
                   "c") ==
        "\x01x\x01"
        "c");
  CHECK(typed.requests == 0);
}
