// The guest's console on standard input and output, with QEMU's keys: Ctrl-a x leaves, Ctrl-a h helps, Ctrl-a c opens
// the command prompt, Ctrl-a Ctrl-a is one Ctrl-a. An escape breaks the run off; what was asked for is read here
// afterwards.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "cli/options.hpp"
#include "core/door.hpp"

namespace retrov {

class Console final : public OutputSink {
 public:
  enum class Request : u8 { kNone, kQuit, kPrompt };

  explicit Console(ConsoleWiring wiring);
  ~Console() override;
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;

  // --- OutputSink ---
  void console(Position at, std::span<const u8> bytes) override;
  void notice(Position at, const std::string& sentence) override;

  /// Takes the escapes out of what was typed. What follows Ctrl-a c was not meant for the guest: it waits in
  /// take_typed_ahead(). One thread at a time.
  void filter(std::vector<u8>& bytes);
  /// Asked, on the thread of filter(), when an escape wants something; false refuses it. Also told, with kQuit, when
  /// output can no longer be written.
  void on_request(std::function<bool(Request)> callback) { on_request_ = std::move(callback); }
  /// Asked while standard output takes nothing: true gives up what is left of what the guest says. So does Ctrl-a x.
  void give_up_when(std::function<bool()> asked) { give_up_ = std::move(asked); }
  /// What was asked for since the last call. Any thread.
  [[nodiscard]] Request take_request() { return request_.exchange(Request::kNone); }
  [[nodiscard]] Request request() const { return request_; }
  [[nodiscard]] std::string take_typed_ahead();

  /// Nothing is shown while muted (what a replay runs through on its way to where it begins).
  void mute(bool muted) { muted_ = muted; }
  /// Standard output cannot be written any more; what the guest says is lost.
  [[nodiscard]] int write_error() const { return write_error_; }

 private:
  [[nodiscard]] bool gives_up() const { return request_ == Request::kQuit || (give_up_ && give_up_()); }

  ConsoleWiring wiring_;
  int out_;
  std::function<bool(Request)> on_request_;
  std::function<bool()> give_up_;
  std::atomic<Request> request_{Request::kNone};
  std::mutex mutex_;
  std::string typed_ahead_;  ///< Under the mutex.
  bool escaped_ = false;
  bool muted_ = false;
  bool at_line_start_ = true;
  int write_error_ = 0;
};

}  // namespace retrov
