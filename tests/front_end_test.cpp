// Signals and gdb at one session: cli/front_end with cli/signals. The rest of both is covered by tests/cli_test.cpp.
#include "cli/front_end.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <future>

#include "tests/catch.hpp"
#include "tests/support/guest_bench.hpp"

using namespace retrov;
using namespace retrov::test;

namespace {

int connect_to(const std::string& target) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<u16>(std::stoul(target.substr(target.find(':') + 1))));
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  REQUIRE(::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  return fd;
}

}  // namespace

TEST_CASE("front_end: a signal that comes between two gdb clients is not forgotten", "[front_end]") {
  Recorded recorded = record_guest("echo", 1, 1);
  Screen screen;
  const auto session = Session::replay(std::move(recorded.history), EngineKind::kFast, screen);
  const Symbols symbols;
  Signals signals;
  FrontEnd front_end(*session, symbols, signals);
  const std::string target = front_end.listen(ListenAddress{});
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) {
    // One comes, goes, and nobody is served when the signal arrives.
    const int first = connect_to(target);
    REQUIRE(::write(first, "$D#44", 5) == 5);
    CHECK(front_end.serve() == ServeResult::kDetached);
    ::close(first);
    REQUIRE(::raise(number) == 0);
    auto second = std::async(std::launch::async, [&] { return front_end.serve(); });
    // A wait that would never end fails instead.
    const bool ended = second.wait_for(std::chrono::seconds(60)) == std::future_status::ready;
    if (!ended) ::close(connect_to(target));
    CHECK(ended);
    CHECK(second.get() == ServeResult::kStopped);
    CHECK(signals.take() == number);
  }
  // Once it was taken, the next client is served.
  const int last = connect_to(target);
  REQUIRE(::write(last, "$D#44", 5) == 5);
  CHECK(front_end.serve() == ServeResult::kDetached);
  ::close(last);
}
