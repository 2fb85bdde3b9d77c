// What is typed: cli/console and cli/console_reader.
#include "cli/console.hpp"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <thread>
#include <utility>

#include "cli/console_reader.hpp"
#include "tests/catch.hpp"

using namespace retrov;

namespace {

struct Typed {
  explicit Typed(ConsoleWiring wiring = ConsoleWiring::kMux) : console(wiring) {
    console.on_request([this](Console::Request) {
      ++requests;
      return !refuses;
    });
  }
  /// What reaches the guest.
  std::string type(const std::string& keys) {
    std::vector<u8> bytes(keys.begin(), keys.end());
    console.filter(bytes);
    return {bytes.begin(), bytes.end()};
  }
  Console console;
  int requests = 0;
  bool refuses = false;
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
  CHECK(typed.type("xb").empty());
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

TEST_CASE("console: a request that is refused leaves what follows to the guest", "[console]") {
  Typed typed;
  typed.refuses = true;
  CHECK(typed.type("a\x01"
                   "cb") == "ab");
  CHECK(typed.requests == 1);
  CHECK(typed.console.take_request() == Console::Request::kNone);
}

namespace {

/// A reader between two pipes.
struct ReaderBench {
  ReaderBench() {
    std::array<int, 2> ends{};
    REQUIRE(pipe(ends.data()) == 0);
    terminal = ends[1];
    input = ends[0];
    reader = std::make_unique<ConsoleReader>(input, console);
  }
  ~ReaderBench() {
    reader.reset();
    close(input);
    if (terminal >= 0) close(terminal);
  }
  ReaderBench(const ReaderBench&) = delete;
  ReaderBench& operator=(const ReaderBench&) = delete;
  void type(const std::string& keys) const {
    REQUIRE(write(terminal, keys.data(), keys.size()) == static_cast<ssize_t>(keys.size()));
  }
  /// At most that much of what reaches the guest; waits for the first byte or the end.
  [[nodiscard]] std::string guest_reads(std::size_t at_most = 65536) const {
    pollfd fds{reader->guest_end(), POLLIN, 0};
    poll(&fds, 1, -1);
    std::string bytes(at_most, 0);
    const ssize_t count = read(reader->guest_end(), bytes.data(), bytes.size());
    bytes.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return bytes;
  }
  [[nodiscard]] bool nothing_typed_is_taken() const {
    int left = 0;
    ioctl(input, FIONREAD, &left);
    return left > 0;
  }
  Console console{ConsoleWiring::kMux};
  int terminal = -1;
  int input = -1;
  std::unique_ptr<ConsoleReader> reader;
};

}  // namespace

TEST_CASE("console: the reader takes nothing while it is paused, and loses nothing", "[console]") {
  ReaderBench bench;
  bench.type("early ");
  bench.reader->pause();
  CHECK(bench.nothing_typed_is_taken());
  bench.reader->push("pushed ");
  CHECK(bench.guest_reads() == "pushed ");
  bench.reader->start();
  CHECK(bench.guest_reads() == "early ");
  bench.type("late");
  CHECK(bench.guest_reads() == "late");
  bench.reader->pause();
  bench.type("x");
  CHECK(bench.nothing_typed_is_taken());
}

TEST_CASE("console: the reader stops at an escape until the request has been taken", "[console]") {
  ReaderBench bench;
  bench.reader->start();
  bench.type(
      "ab\x01"
      "cfor the prompt\n");
  CHECK(bench.guest_reads() == "ab");
  bench.type("later");
  bench.reader->pause();
  CHECK(bench.console.take_request() == Console::Request::kPrompt);
  CHECK(bench.console.take_typed_ahead() == "for the prompt\n");
  CHECK(bench.nothing_typed_is_taken());
  bench.reader->start();
  CHECK(bench.guest_reads() == "later");
}

TEST_CASE("console: the guest's input ends after the last byte, however much there is", "[console]") {
  ReaderBench bench;
  bench.reader->start();
  std::string all;
  std::thread typist([&] {
    for (int i = 0; i < 100; ++i) bench.type(std::string(3000, static_cast<char>('a' + i % 26)));
    close(std::exchange(bench.terminal, -1));
  });
  for (std::string piece = bench.guest_reads(); !piece.empty(); piece = bench.guest_reads()) all += piece;
  typist.join();
  CHECK(all.size() == 300'000);
  CHECK(all.front() == 'a');
  CHECK(all.back() == 'v');
}
