// Reads what is typed on a thread of its own, takes the escapes out, and hands the rest to the guest through a pipe. So
// Ctrl-a x works whatever the machine is doing: running, waiting for gdb, or stopped by it.
//
// Must stay true: between pause() and start() nothing is read from the terminal, which then belongs to the prompt;
// bytes reach the guest's end in the order in which they were typed, and none is lost.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "cli/console.hpp"

namespace retrov {

class ConsoleReader {
 public:
  /// Begins paused. `from` is not closed; `console` must outlive it.
  ConsoleReader(int from, Console& console);
  ~ConsoleReader();
  ConsoleReader(const ConsoleReader&) = delete;
  ConsoleReader& operator=(const ConsoleReader&) = delete;

  /// Where to read what the guest is given. Ends when the input has ended.
  [[nodiscard]] int guest_end() const { return guest_end_; }
  /// Bytes for the guest that were read elsewhere. Only while paused.
  void push(const std::string& bytes);
  void start();
  void pause();

 private:
  void run();
  void read_some();
  void write_some();
  void wake() const;
  [[nodiscard]] bool may_read() const;

  int from_;
  Console& console_;
  int guest_end_ = -1;
  int write_end_ = -1;
  int wake_ = -1;
  std::mutex mutex_;
  std::condition_variable changed_;
  // Under the mutex:
  bool wanted_ = false;
  bool reading_ = false;  ///< The thread may be reading from `from_`.
  bool ended_ = false;
  bool quit_ = false;
  std::vector<u8> pending_;
  std::thread thread_;
};

}  // namespace retrov
