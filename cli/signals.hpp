// Signals of the process. Those that ask it to end break off whatever the machine does, so that a recording is ended
// properly; those that kill it put the terminal back first.
//
// Must stay true: handlers do nothing but set a flag, write to a pipe or restore the terminal.
#pragma once

namespace retrov {

class Debugger;
class Server;

/// Installs the handlers for its lifetime. One at a time.
class Signals {
 public:
  Signals();
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  /// What a signal breaks off; null: nothing. They must outlive their use here.
  void watch(Debugger* debugger, Server* server);
  /// SIGINT, SIGTERM, SIGHUP or SIGQUIT if one has come and was not taken, else 0.
  [[nodiscard]] int pending() const;
  /// Forgets and returns it.
  int take();
  /// Ctrl-C is somebody else's (a gdb that shares our terminal).
  void ignore_interrupts();
  /// A child's end breaks off what is watched.
  void watch_children();
};

}  // namespace retrov
