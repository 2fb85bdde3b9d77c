#include "gdbstub/server.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "core/check.hpp"
#include "gdbstub/packets.hpp"
#include "replay/quiet_thread.hpp"

namespace retrov {
namespace {

/// An interrupt that came just before the machine began to move is said again after this time.
constexpr int kInterruptAgainMs = 5;
/// A client that steps again and again, or that evaluates a condition at each hit, sends most of its Ctrl-C while the
/// machine stands. One is for the move that is asked for so soon afterwards.
constexpr std::chrono::milliseconds kSoon(100);
/// A client that sends more than this ahead is not read until we have caught up.
constexpr std::size_t kMostQueuedFrames = 256;
constexpr std::size_t kMostQueuedBytes = 4 * kPacketSize;

ServeResult result_of(SessionEnd end) {
  switch (end) {
    case SessionEnd::kDetached:
      return ServeResult::kDetached;
    case SessionEnd::kQuit:
      return ServeResult::kQuit;
    case SessionEnd::kKilled:
    case SessionEnd::kOpen:
      break;
  }
  return ServeResult::kKilled;
}

[[noreturn]] void fail(const std::string& what) { throw Error(Exit::kUnavailable, what + ": " + std::strerror(errno)); }

}  // namespace

void Server::Descriptor::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

// --- listening -----------------------------------------------------------------------------------

Server::Server(const ListenAddress& address, Log log) : address_(address), log_(std::move(log)) {
  switch (address_.kind) {
    case ListenAddress::Kind::kTcp:
      listen_tcp(address_.port);
      break;
    case ListenAddress::Kind::kUnix:
      listen_unix(address_.path);
      break;
    case ListenAddress::Kind::kStdio:
      // A pipe has no flag that turns the signal into an error.
      std::signal(SIGPIPE, SIG_IGN);
      client_ = STDIN_FILENO;
      break;
  }
  start();
}

Server::Server(Server& first, Log log)
    : address_(first.address_), log_(std::move(log)), port_(first.port_), first_(&first) {
  start();
}

void Server::start() {
  wake_.reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (wake_.get() < 0) fail("cannot make an event descriptor");
  ++first_->places_;
  if (client_ < 0) ++first_->free_places_;
  thread_ = start_quiet_thread([this] { watch(); });
}

Server::~Server() {
  {
    const std::lock_guard lock(mutex_);
    quit_ = true;
  }
  wake();
  thread_.join();
  drop_client();
  if (address_.kind == ListenAddress::Kind::kUnix && first_ == this) ::unlink(address_.path.c_str());
}

void Server::listen_tcp(u16 port) {
  const std::string where = "cannot listen on 127.0.0.1:" + std::to_string(port);
  listener_.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (listener_.get() < 0) fail(where);
  const int yes = 1;
  ::setsockopt(listener_.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener_.get(), generic, size) != 0 || ::listen(listener_.get(), 8) != 0) fail(where);
  if (::getsockname(listener_.get(), generic, &size) != 0) fail(where);
  port_ = ntohs(address.sin_port);
}

void Server::listen_unix(const std::string& path) {
  const std::string where = "cannot listen on unix:" + path;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) throw Error(Exit::kUnavailable, where + ": the path is too long");
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  listener_.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (listener_.get() < 0) fail(where);
  if (::bind(listener_.get(), generic, sizeof address) != 0) {
    // What a process that was killed left behind: a socket that nobody answers. The probe is of another type, so that
    // whoever does listen there is not bothered by a client that goes at once.
    const int why = errno;
    struct stat info {};
    const bool is_socket = why == EADDRINUSE && ::lstat(path.c_str(), &info) == 0 && S_ISSOCK(info.st_mode);
    const Descriptor probe(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const bool dead = is_socket && ::connect(probe.get(), generic, sizeof address) != 0 && errno == ECONNREFUSED;
    if (!dead) {
      errno = why;
      fail(where);
    }
    ::unlink(path.c_str());
    if (::bind(listener_.get(), generic, sizeof address) != 0) fail(where);
  }
  if (::listen(listener_.get(), 8) != 0) fail(where);
}

std::string Server::target() const {
  switch (address_.kind) {
    case ListenAddress::Kind::kTcp:
      return "127.0.0.1:" + std::to_string(port_);
    case ListenAddress::Kind::kUnix:
      return address_.path;
    case ListenAddress::Kind::kStdio:
      break;
  }
  return "stdio";
}

void Server::on_client(std::function<void()> callback) {
  const std::lock_guard lock(mutex_);
  on_client_ = std::move(callback);
}

bool Server::client_waiting() const {
  const std::lock_guard lock(mutex_);
  return client_ >= 0 && !serving_ && !eof_;
}

void Server::stop() noexcept {
  stop_asked_ = true;
  wake();
}

// --- the thread ----------------------------------------------------------------------------------

void Server::wake() noexcept {
  const u64 one = 1;
  // It can fail only because it is awake already.
  [[maybe_unused]] const ssize_t written = ::write(wake_.get(), &one, sizeof one);
}

bool Server::congested() const { return frames_.size() >= kMostQueuedFrames || queued_bytes_ >= kMostQueuedBytes; }

void Server::watch() {
  for (;;) {
    std::array<pollfd, 3> polled = {pollfd{wake_.get(), POLLIN, 0}, pollfd{-1, POLLIN, 0}, pollfd{-1, POLLIN, 0}};
    int timeout_ms = -1;
    {
      const std::lock_guard lock(mutex_);
      if (quit_) return;
      if (moving_ && interrupt_wanted_) {
        debugger_->interrupt();
        timeout_ms = kInterruptAgainMs;
      }
      if (client_ >= 0 && !eof_ && !hung_up_) {
        polled[1].fd = client_;
        if (congested()) polled[1].events = POLLRDHUP;
      }
      // A client that has just ended is still being dropped: the next one waits in the kernel's queue, it is no second.
      const bool turns_away = !eof_ && first_->free_places_ == 0;
      if (client_ < 0 || turns_away) polled[2].fd = first_->listener_.get();
    }
    if (::poll(polled.data(), polled.size(), timeout_ms) < 0) continue;
    if (polled[0].revents != 0) {
      u64 count = 0;
      [[maybe_unused]] const ssize_t got = ::read(wake_.get(), &count, sizeof count);
    }
    if (stop_asked_.exchange(false)) take_stop();
    // Perhaps that was the end of the old client: look again before a new one is accepted.
    if (polled[1].revents != 0) {
      read_client();
    } else if (polled[2].revents != 0) {
      accept_client();
    }
  }
}

void Server::accept_client() {
  std::function<void()> callback;
  {
    const std::lock_guard lock(mutex_);
    // It may have ended since the poll began.
    if (client_ >= 0 && (eof_ || first_->free_places_ != 0)) return;
    const int fd = ::accept4(first_->listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
    // Perhaps another server at this address was faster.
    if (fd < 0) return;
    if (client_ >= 0) {
      // In this order: whoever sees the connection close finds the line.
      const unsigned places = first_->places_;
      log_(places == 1 ? "a second gdb was turned away: one is connected"
                       : "a further gdb was turned away: " + std::to_string(places) + " are connected");
      ::close(fd);
      return;
    }
    const int yes = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    client_ = fd;
    --first_->free_places_;
    callback = on_client_;
  }
  changed_.notify_all();
  if (callback) callback();
}

void Server::read_client() {
  std::array<char, 1 << 16> buffer;
  {
    const std::lock_guard lock(mutex_);
    if (client_ < 0) return;
    if (congested()) {
      hung_up_ = true;
      interrupt_wanted_ = true;
      return;
    }
    const ssize_t got = ::read(client_, buffer.data(), buffer.size());
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) return;
    if (got <= 0) {
      take_end();
    } else {
      for (Frame& frame : decoder_.feed({buffer.data(), static_cast<std::size_t>(got)})) take(std::move(frame));
    }
  }
  changed_.notify_all();
}

void Server::take(Frame frame) {
  if (frame.kind == Frame::Kind::kInterrupt) {
    unanswered_interrupt_ = std::chrono::steady_clock::now();
    interrupt_meant_ = busy_;
    // Of what stands, and is not about to move, only a move that comes soon may be meant.
    if (!busy_ && frames_.empty()) return;
    interrupt_wanted_ = true;
    behind_interrupt_ = 0;
    return;
  }
  queued_bytes_ += frame.payload.size();
  const bool soon = unanswered_interrupt_ && std::chrono::steady_clock::now() - *unanswered_interrupt_ < kSoon;
  frames_.push_back({std::move(frame), soon});
  ++behind_interrupt_;
}

void Server::set_eof() {
  if (client_ >= 0 && !eof_) ++first_->free_places_;
  eof_ = true;
}

void Server::forget_client() {
  if (client_ >= 0 && !eof_) ++first_->free_places_;
  client_ = -1;
  eof_ = false;
}

void Server::take_end() {
  set_eof();
  interrupt_wanted_ = true;
  if (serving_) return;
  // It came and went while nobody looked.
  ::close(client_);
  forget_client();
  interrupt_wanted_ = false;
  frames_.clear();
  queued_bytes_ = 0;
  decoder_ = FrameDecoder();
}

void Server::take_stop() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    interrupt_wanted_ = true;
    // An answer that the client does not fetch must not hold us.
    if (serving_ && address_.kind != ListenAddress::Kind::kStdio) ::shutdown(client_, SHUT_RDWR);
  }
  changed_.notify_all();
}

// --- the caller ----------------------------------------------------------------------------------

ServeResult Server::serve(Stub& stub) {
  {
    std::unique_lock lock(mutex_);
    if (address_.kind == ListenAddress::Kind::kStdio && client_ < 0) return ServeResult::kGone;
    changed_.wait(lock, [this] { return client_ >= 0 || stopped_; });
    if (std::exchange(stopped_, false)) return ServeResult::kStopped;
    serving_ = true;
    debugger_ = &stub.debugger();
  }
  stub.begin_session(*this);
  last_packet_.clear();
  ServeResult result = ServeResult::kGone;
  for (;;) {
    Frame frame;
    const Next next = next_frame(frame);
    if (next == Next::kStopped) result = ServeResult::kStopped;
    if (next != Next::kFrame) break;
    handle(stub, frame);
    if (stub.end == SessionEnd::kOpen) continue;
    result = result_of(stub.end);
    break;
  }
  drop_client();
  stub.end_session();
  return result;
}

Server::Next Server::next_frame(Frame& frame) {
  std::unique_lock lock(mutex_);
  busy_ = false;
  if (frames_.empty() && !eof_) interrupt_wanted_ = false;
  changed_.wait(lock, [this] { return stopped_ || eof_ || !frames_.empty(); });
  if (std::exchange(stopped_, false)) return Next::kStopped;
  if (frames_.empty()) return Next::kGone;
  const bool was_congested = congested();
  // What the client sent after its Ctrl-C is not what that was for.
  if (frames_.size() <= behind_interrupt_ && !eof_ && !hung_up_) interrupt_wanted_ = false;
  frame = std::move(frames_.front().frame);
  interrupt_meant_ = frames_.front().behind_interrupt;
  frames_.pop_front();
  queued_bytes_ -= frame.payload.size();
  busy_ = true;
  if (was_congested && !congested()) {
    hung_up_ = false;
    wake();
  }
  return Next::kFrame;
}

void Server::handle(Stub& stub, const Frame& frame) {
  switch (frame.kind) {
    case Frame::Kind::kInterrupt:
      return;
    case Frame::Kind::kNak:
      if (!stub.no_ack) write(last_packet_);
      return;
    case Frame::Kind::kOverlong:
      // To ask for it again would bring the same.
      if (!stub.no_ack) write("+");
      reply(stub.error("the packet is longer than PacketSize"));
      return;
    case Frame::Kind::kMalformed:
      if (stub.no_ack) {
        reply(stub.error("the packet is garbled"));
      } else {
        write("-");
      }
      return;
    case Frame::Kind::kPacket:
      break;
  }
  if (!stub.no_ack) {
    write(frame.checksum_ok ? "+" : "-");
    if (!frame.checksum_ok) return;
  }
  const std::string answer = handle_packet(stub, frame.payload);
  if (stub.end != SessionEnd::kOpen) {
    // The client ends the connection now, and may come back at once.
    const std::lock_guard lock(mutex_);
    set_eof();
  }
  if (std::exchange(stub.no_answer, false)) return;
  if (!answer.empty() || stub.end == SessionEnd::kOpen) reply(answer);
}

void Server::drop_client() {
  {
    const std::lock_guard lock(mutex_);
    if (client_ >= 0 && address_.kind != ListenAddress::Kind::kStdio) ::close(client_);
    forget_client();
    hung_up_ = serving_ = busy_ = interrupt_wanted_ = false;
    unanswered_interrupt_.reset();
    debugger_ = nullptr;
    frames_.clear();
    queued_bytes_ = 0;
    decoder_ = FrameDecoder();
  }
  wake();
}

void Server::write(std::string_view bytes) {
  const bool is_pipe = address_.kind == ListenAddress::Kind::kStdio;
  while (!bytes.empty()) {
    const ssize_t sent = is_pipe ? ::write(STDOUT_FILENO, bytes.data(), bytes.size())
                                 : ::send(client_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    // Whatever else is wrong, reading will find the end of the connection.
    if (sent < 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

void Server::reply(std::string_view payload) {
  last_packet_ = encode_frame(payload);
  write(last_packet_);
}

// --- StubClient ----------------------------------------------------------------------------------

void Server::send(std::string_view payload) { reply(payload); }

void Server::begin_move() {
  {
    const std::lock_guard lock(mutex_);
    moving_ = true;
    // Nobody is there to stop it any more.
    if (eof_ || stopped_ || (interrupt_meant_ && unanswered_interrupt_)) interrupt_wanted_ = true;
    if (!interrupt_wanted_) return;
  }
  wake();
}

void Server::end_move() {
  const std::lock_guard lock(mutex_);
  moving_ = false;
  interrupt_wanted_ = false;
}

bool Server::take_interrupt() {
  const std::lock_guard lock(mutex_);
  const bool meant = interrupt_meant_ && unanswered_interrupt_;
  unanswered_interrupt_.reset();
  return meant;
}

void Server::log(const std::string& line) { log_(line); }

}  // namespace retrov
