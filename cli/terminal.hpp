// The terminal while a guest has it: keys go to the guest one by one, unseen by the line discipline. Whatever happens
// to the process, the terminal is put back: at the end of the object, and in the handlers of cli/signals.
//
// Must stay true: at most one Terminal is raw at a time; restore_terminal() is safe in a signal handler.
#pragma once

#include "core/types.hpp"

namespace retrov {

/// kGuest: every key goes to the guest, Ctrl-C too. kSignals: Ctrl-C and Ctrl-Z keep their meaning.
enum class Keys : u8 { kGuest, kSignals };

class Terminal {
 public:
  /// Does nothing, now and later, if `fd` is no terminal.
  explicit Terminal(int fd);
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  [[nodiscard]] bool is_terminal() const { return is_terminal_; }
  void make_raw(Keys keys);
  void restore() noexcept;

 private:
  int fd_;
  bool is_terminal_;
};

/// Puts back whatever terminal is raw now; it stays remembered as raw, for resume_terminal().
void restore_terminal() noexcept;
/// After the process was stopped and goes on.
void resume_terminal() noexcept;

}  // namespace retrov
