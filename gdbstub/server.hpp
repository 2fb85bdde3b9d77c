// The way from a socket (or a pair of pipes) to a Stub. A thread of its own waits for clients and for bytes, so that
// Ctrl-C, or a client that vanishes, reaches a machine that is running; packets are handled on the caller's thread,
// which is the only one that touches the machine.
//
// Several clients are several servers at one address, each with its client, its Stub and its caller's thread.
//
// Must stay true: one client at a time for each server, one too many is closed at once; the thread calls nothing but
// Debugger::interrupt() and the callback of on_client(); a client that breaks the protocol costs at most its own
// session.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "core/types.hpp"
#include "gdbstub/framing.hpp"
#include "gdbstub/listen_address.hpp"
#include "gdbstub/stub.hpp"

namespace retrov {

/// How serving a client ended.
enum class ServeResult : u8 {
  kDetached,  ///< It said D: the guest may go on.
  kKilled,    ///< It said k or vKill.
  kQuit,      ///< `monitor quit`: whoever serves shall end, too.
  kGone,      ///< The connection ended without a word. The machine stays where it is for the next client.
  kStopped,   ///< stop() was called.
};

class Server final : private StubClient {
 public:
  using Log = std::function<void(const std::string& line)>;

  /// Listens when it returns. Throws Error (kUnavailable) if the address is taken. `log` may be called from the thread.
  /// With kStdio, descriptors 0 and 1 are the client, connected from the start.
  Server(const ListenAddress& address, Log log);
  /// One more place for a client at the address of `first`, which must outlive it.
  Server(Server& first, Log log);
  ~Server() override;
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// The TCP port listened on; 0 otherwise.
  [[nodiscard]] u16 port() const { return port_; }
  /// What to write after gdb's `target remote`.
  [[nodiscard]] std::string target() const;
  /// False for kStdio: its client is the only one there will ever be.
  [[nodiscard]] bool takes_others() const { return address_.kind != ListenAddress::Kind::kStdio; }
  /// Called from the server's thread each time a client connects: the chance to interrupt a guest that runs on its own.
  void on_client(std::function<void()> callback);
  /// A client is connected and not being served.
  [[nodiscard]] bool client_waiting() const;
  /// No client is connected to any of the servers at this address.
  [[nodiscard]] bool deserted() const { return first_->free_places_ == first_->places_; }
  /// Waits for a client unless one is there, and serves it until it ends. What it set with Z is gone afterwards.
  ServeResult serve(Stub& stub);
  /// Makes serve() return soon, now or the next time; a machine that moves for the client is interrupted. Safe from a
  /// signal handler.
  void stop() noexcept;

 private:
  /// A descriptor that closes itself.
  class Descriptor {
   public:
    explicit Descriptor(int fd = -1) : fd_(fd) {}
    ~Descriptor() { close(); }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    [[nodiscard]] int get() const { return fd_; }
    void reset(int fd) {
      close();
      fd_ = fd;
    }
    void close();

   private:
    int fd_;
  };

  struct Arrived {
    Frame frame;
    bool behind_interrupt = false;  ///< A Ctrl-C had come just before it.
  };

  void start();
  void listen_tcp(u16 port);
  void listen_unix(const std::string& path);

  // --- the thread ---
  void watch();
  void accept_client();
  void read_client();
  void take(Frame frame);
  void take_end();
  void take_stop();
  void wake() noexcept;
  /// The client will say no more; its place counts as free. Under the mutex.
  void set_eof();
  /// There is no client any more. Under the mutex.
  void forget_client();
  [[nodiscard]] bool congested() const;

  // --- the caller ---
  enum class Next : u8 { kFrame, kGone, kStopped };
  Next next_frame(Frame& frame);
  /// Acknowledges, handles, answers.
  void handle(Stub& stub, const Frame& frame);
  void drop_client();
  void write(std::string_view bytes);
  void reply(std::string_view payload);

  // --- StubClient ---
  void send(std::string_view payload) override;
  void begin_move() override;
  void end_move() override;
  bool take_interrupt() override;
  void log(const std::string& line) override;

  ListenAddress address_;
  Log log_;
  u16 port_ = 0;
  Descriptor listener_;                 ///< Of the first.
  Server* first_ = this;
  std::atomic<unsigned> places_{0};       ///< Of the first: servers at this address …
  std::atomic<unsigned> free_places_{0};  ///< … and those whose client has ended or not come.
  Descriptor wake_;
  std::string last_packet_;  ///< For a client that asks again.

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  // Under the mutex:
  int client_ = -1;       ///< What to read from, or -1.
  bool eof_ = false;      ///< The client will say no more; the next one must wait until this one is dropped.
  bool hung_up_ = false;  ///< Seen while we did not read, because it had sent too much.
  bool serving_ = false;
  bool busy_ = false;    ///< A frame is being handled.
  bool moving_ = false;  ///< The machine moves.
  bool interrupt_wanted_ = false;
  /// When the last Ctrl-C came that no stop has answered.
  std::optional<std::chrono::steady_clock::time_point> unanswered_interrupt_;
  bool interrupt_meant_ = false;  ///< It may be for the frame that is being handled.
  bool stopped_ = false;
  bool quit_ = false;             ///< The thread must end.
  Debugger* debugger_ = nullptr;  ///< While serving.
  std::deque<Arrived> frames_;
  std::size_t behind_interrupt_ = 0;  ///< Frames that came after the last Ctrl-C.
  std::size_t queued_bytes_ = 0;
  std::function<void()> on_client_;
  FrameDecoder decoder_;

  std::atomic<bool> stop_asked_{false};
  std::thread thread_;
};

}  // namespace retrov
