// Covers gdbstub/server and gdbstub/listen_address, over real sockets.

#include "gdbstub/server.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <thread>

#include "tests/catch.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/stub_fixture.hpp"

using namespace retrov;

namespace {

/// A client that waits for each thing it expects; nothing here depends on how long anything takes.
class Client {
 public:
  explicit Client(u16 port) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    connect(reinterpret_cast<const sockaddr*>(&address), sizeof address);
  }
  explicit Client(const std::string& path) : fd_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    connect(reinterpret_cast<const sockaddr*>(&address), sizeof address);
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client() { close(); }

  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  void send(std::string_view bytes) {
    RV_CHECK(::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size()));
  }
  /// Reads until `text` has come and takes it all; "" once the other side has closed before.
  std::string until(const std::string& text) {
    while (received_.find(text) == std::string::npos) {
      char buffer[4096];
      const ssize_t got = ::recv(fd_, buffer, sizeof buffer, 0);
      if (got <= 0) return "";
      received_.append(buffer, static_cast<std::size_t>(got));
    }
    const std::size_t end = received_.find(text) + text.size();
    const std::string result = received_.substr(0, end);
    received_.erase(0, end);
    return result;
  }
  /// Sends a packet and returns the answer's payload.
  std::string ask(std::string_view packet) {
    send(encode_frame(packet));
    return answer();
  }
  std::string answer() {
    until("$");
    std::string payload = until("#");
    if (payload.empty()) return "closed";
    payload.pop_back();
    while (received_.size() < 2 && !closed()) {
    }
    received_.erase(0, 2);
    return payload;
  }
  /// The other side has closed.
  bool closed() {
    char buffer[4096];
    const ssize_t got = ::recv(fd_, buffer, sizeof buffer, 0);
    if (got > 0) received_.append(buffer, static_cast<std::size_t>(got));
    return got <= 0;
  }

 private:
  void connect(const sockaddr* address, socklen_t size) { RV_CHECK(::connect(fd_, address, size) == 0); }

  int fd_;
  std::string received_;
};

struct ServerFixture : StubFixture {
  std::mutex mutex;
  std::vector<std::string> lines;
  Server server{ListenAddress{}, [this](const std::string& line) {
                  const std::lock_guard lock(mutex);
                  lines.push_back(line);
                }};
  std::future<ServeResult> serve() {
    return std::async(std::launch::async, [this] { return server.serve(stub); });
  }
};

}  // namespace

TEST_CASE("server: addresses are read as QEMU's users write them", "[server]") {
  CHECK(parse_listen_address("tcp::1234").port == 1234);
  CHECK(parse_listen_address("tcp:127.0.0.1:0").port == 0);
  CHECK(parse_listen_address("tcp:localhost:99,server,nowait").port == 99);
  CHECK(parse_listen_address("1234").port == 1234);
  CHECK(parse_listen_address("unix:/tmp/a:b,server=on").path == "/tmp/a:b");
  CHECK(parse_listen_address("stdio").kind == ListenAddress::Kind::kStdio);
  for (const char* text :
       {"tcp:0.0.0.0:1234", "tcp::65536", "tcp::", "", "unix:", "tcp:10.0.0.1:1", "tcp::12x", "udp::1"}) {
    INFO(text);
    CHECK_THROWS_AS(parse_listen_address(text), Error);
  }
}

TEST_CASE("server: a port that is taken is an error that names it", "[server]") {
  ServerFixture f;
  ListenAddress same;
  same.port = f.server.port();
  CHECK(f.server.port() != 0);
  CHECK(f.server.target() == "127.0.0.1:" + std::to_string(f.server.port()));
  try {
    const Server second(same, [](const std::string&) {});
    FAIL("it was not taken");
  } catch (const Error& error) {
    CHECK(error.exit_code() == Exit::kUnavailable);
    CHECK_THAT(error.what(), has_substring(std::to_string(f.server.port())));
  }
}

TEST_CASE("server: a client is acknowledged until it says otherwise, and detaches", "[server]") {
  ServerFixture f;
  Client client(f.server.port());
  auto result = f.serve();
  client.send("+$qAttached#8f");
  CHECK(client.until("#31") == "+$1#31");
  client.send("$qAttached#00");
  CHECK(client.until("-") == "-");
  client.send("-");
  CHECK(client.until("#31") == "$1#31");
  CHECK(client.ask("QStartNoAckMode") == "OK");
  client.send("$qAttached#00");
  CHECK(client.until("#31") == "$1#31");
  CHECK(client.ask("D;1") == "OK");
  CHECK(result.get() == ServeResult::kDetached);
  CHECK(client.closed());
}

TEST_CASE("server: broken packets do not end the session", "[server]") {
  ServerFixture f;
  Client client(f.server.port());
  auto result = f.serve();
  client.send("$" + std::string(kPacketSize + 1, 'a') + "#00");
  CHECK(client.answer().substr(0, 2) == "E.");
  client.send("$a}#00");
  CHECK(client.until("-") == "-");
  CHECK(client.ask("QStartNoAckMode") == "OK");
  client.send("$*!#00");
  CHECK(client.answer().substr(0, 2) == "E.");
  client.send("\x03garbage\xff#");
  CHECK(client.ask("qAttached") == "1");
  client.send(encode_frame("k"));
  CHECK(result.get() == ServeResult::kKilled);
}

TEST_CASE("server: Ctrl-C stops a machine that runs", "[server]") {
  ServerFixture f;
  f.debugger.runs_until_interrupted = true;
  Client client(f.server.port());
  auto result = f.serve();
  for (int i = 0; i < 20; ++i) {
    client.send(encode_frame("vCont;c"));
    client.send("\x03");
    CHECK(client.answer().substr(0, 3) == "T02");
    // In one piece: the interrupt is seen before the machine has begun to move.
    client.send(encode_frame("bc") + "\x03");
    CHECK(client.answer().substr(0, 3) == "T02");
  }
  // While nothing moves it means nothing, unless a move comes right behind it.
  client.send("\x03");
  CHECK(client.ask("qAttached") == "1");
  client.send(encode_frame("qAttached") + "\x03" + encode_frame("vCont;c"));
  CHECK(client.answer() == "1");
  CHECK(client.answer().substr(0, 3) == "T02");
  f.debugger.runs_until_interrupted = false;
  CHECK(client.ask("vCont;c").substr(0, 3) == "T05");
  client.close();
  CHECK(result.get() == ServeResult::kGone);
}

TEST_CASE("server: a client that vanishes stops the machine, and the next one starts afresh", "[server]") {
  ServerFixture f;
  f.debugger.runs_until_interrupted = true;
  {
    Client client(f.server.port());
    auto result = f.serve();
    CHECK(client.ask("QStartNoAckMode") == "OK");
    CHECK(client.ask("Z0,80000000,2") == "OK");
    client.send(encode_frame("vCont;c"));
    client.close();
    CHECK(result.get() == ServeResult::kGone);
  }
  CHECK(f.debugger.stops.breakpoints.empty());
  Client client(f.server.port());
  auto result = f.serve();
  client.send("$?#3f");
  CHECK(client.until("T05").substr(0, 1) == "+");
  client.close();
  CHECK(result.get() == ServeResult::kGone);
}

TEST_CASE("server: a second client is closed at once with a line in the log", "[server]") {
  ServerFixture f;
  Client client(f.server.port());
  auto result = f.serve();
  CHECK(client.ask("qAttached") == "1");
  {
    Client second(f.server.port());
    CHECK(second.closed());
  }
  {
    const std::lock_guard lock(f.mutex);
    REQUIRE(f.lines.size() == 1);
    CHECK_THAT(f.lines[0], has_substring("second gdb"));
  }
  CHECK(client.ask("qAttached") == "1");
  CHECK(client.ask("D") == "OK");
  CHECK(result.get() == ServeResult::kDetached);
}

TEST_CASE("server: one who comes right after a detach is served, not turned away", "[server]") {
  ServerFixture f;
  for (int i = 0; i < 20; ++i) {
    Client client(f.server.port());
    auto result = f.serve();
    CHECK(client.ask("D") == "OK");
    Client next(f.server.port());
    CHECK(result.get() == ServeResult::kDetached);
    auto second = f.serve();
    CHECK(next.ask("D") == "OK");
    CHECK(second.get() == ServeResult::kDetached);
  }
  CHECK(f.lines.empty());
}

TEST_CASE("server: two at one address serve a client each, and the third is turned away", "[server]") {
  ServerFixture f;
  StubFixture other_stub;
  Server other(f.server, [](const std::string&) {});
  CHECK(f.server.deserted());
  CHECK(other.target() == f.server.target());
  auto first = f.serve();
  auto second = std::async(std::launch::async, [&] { return other.serve(other_stub.stub); });
  for (int i = 0; i < 20; ++i) {
    Client one(f.server.port());
    CHECK(one.ask("qAttached") == "1");
    CHECK_FALSE(other.deserted());
    Client two(f.server.port());
    CHECK(two.ask("qAttached") == "1");
    Client three(f.server.port());
    CHECK(three.closed());
    // Whoever goes makes room for one.
    Client& leaver = i % 2 == 0 ? one : two;
    CHECK(leaver.ask("D") == "OK");
    CHECK(leaver.closed());
    const auto ended = [](const std::future<ServeResult>& served) {
      return served.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
    };
    while (!ended(first) && !ended(second)) std::this_thread::yield();
    auto& place = ended(first) ? first : second;
    CHECK(place.get() == ServeResult::kDetached);
    place = &place == &first ? f.serve()
                             : std::async(std::launch::async, [&] { return other.serve(other_stub.stub); });
    Client again(f.server.port());
    CHECK(again.ask("qAttached") == "1");
    Client& stays = i % 2 == 0 ? two : one;
    for (Client* client : {&again, &stays}) CHECK(client->ask("D") == "OK");
    CHECK(first.get() == ServeResult::kDetached);
    CHECK(second.get() == ServeResult::kDetached);
    CHECK(f.server.deserted());
    first = f.serve();
    second = std::async(std::launch::async, [&] { return other.serve(other_stub.stub); });
  }
  f.server.stop();
  other.stop();
  CHECK(first.get() == ServeResult::kStopped);
  CHECK(second.get() == ServeResult::kStopped);
}

TEST_CASE("server: a guest that runs on its own is told of a client", "[server]") {
  ServerFixture f;
  std::promise<void> told;
  f.server.on_client([&told] { told.set_value(); });
  CHECK_FALSE(f.server.client_waiting());
  Client client(f.server.port());
  told.get_future().wait();
  CHECK(f.server.client_waiting());
  auto result = f.serve();
  CHECK(client.ask("D") == "OK");
  CHECK(result.get() == ServeResult::kDetached);
  CHECK_FALSE(f.server.client_waiting());
}

TEST_CASE("server: stop ends the wait for a client, and a session whose machine moves", "[server]") {
  ServerFixture f;
  auto waiting = f.serve();
  f.server.stop();
  CHECK(waiting.get() == ServeResult::kStopped);
  f.debugger.runs_until_interrupted = true;
  Client client(f.server.port());
  auto moving = f.serve();
  CHECK(client.ask("QStartNoAckMode") == "OK");
  client.send(encode_frame("vCont;c"));
  f.server.stop();
  CHECK(moving.get() == ServeResult::kStopped);
  CHECK(client.until("never").empty());
}

TEST_CASE("server: a unix socket works, also where a dead one was left behind", "[server]") {
  const std::string path = test::build_dir() + "/server_test.sock";
  ::unlink(path.c_str());
  {
    // What a killed process leaves: bound, closed, and never removed.
    const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    REQUIRE(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    ::close(fd);
  }
  StubFixture f;
  const ListenAddress place{ListenAddress::Kind::kUnix, 0, path};
  {
    Server server(place, [](const std::string&) {});
    CHECK(server.target() == path);
    std::atomic<int> clients = 0;
    server.on_client([&] { ++clients; });
    CHECK_THROWS_AS(Server(place, [](const std::string&) {}), Error);
    Client client(path);
    auto result = std::async(std::launch::async, [&] { return server.serve(f.stub); });
    CHECK(client.ask("D") == "OK");
    CHECK(result.get() == ServeResult::kDetached);
    // The one who found the place taken has not shown up as a client.
    CHECK(clients == 1);
  }
  struct stat info {};
  CHECK(::lstat(path.c_str(), &info) != 0);
  const ListenAddress nowhere{ListenAddress::Kind::kUnix, 0, "/nonexistent/socket"};
  CHECK_THROWS_WITH(Server(nowhere, [](const std::string&) {}),
                    "cannot listen on unix:/nonexistent/socket: No such file or directory");
}
