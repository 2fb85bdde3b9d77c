#include "cli/signals.hpp"

#include <signal.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>

#include "cli/terminal.hpp"
#include "gdbstub/server.hpp"
#include "replay/debugger.hpp"

namespace retrov {

namespace {

/// All that would end the process without a word: SIGXCPU is `ulimit -t`, SIGALRM and SIGUSR1 come from wrappers.
constexpr std::array kAsking = {SIGINT,  SIGTERM, SIGHUP,    SIGQUIT, SIGXCPU,
                                SIGALRM, SIGUSR1, SIGVTALRM, SIGUSR2};
constexpr std::array kKilling = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};
/// Somebody who asks that often means it.
constexpr int kPatience = 3;

/// What handlers work on: they are given a number and no object.
struct Watched {
  std::atomic<int> signal{0};
  std::atomic<int> count{0};
  std::atomic<Debugger*> debugger{nullptr};
  std::atomic<Server*> server{nullptr};
};
Watched watched;

void break_off() {
  if (Debugger* debugger = watched.debugger.load()) debugger->interrupt();
  if (Server* server = watched.server.load()) server->stop();
}

void on_asking(int number) {
  const int saved = errno;
  watched.signal.store(number);
  if (watched.count.fetch_add(1) + 1 >= kPatience) {
    restore_terminal();
    _exit(128 + number);
  }
  break_off();
  errno = saved;
}

void on_child(int) {
  const int saved = errno;
  break_off();
  errno = saved;
}

/// The handler was installed to be forgotten when it runs, so the signal now does what it does by default.
void on_killing(int number) {
  restore_terminal();
  raise(number);
}

void install(int number, void (*handler)(int), int flags) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = flags;
  sigaction(number, &action, nullptr);
}

void on_continue(int) {
  const int saved = errno;
  resume_terminal();
  errno = saved;
}

/// Stops within the handler, so that what follows is done when the process goes on, or at once where nobody could let
/// it go on and the signal is discarded.
void on_stop(int number) {
  const int saved = errno;
  restore_terminal();
  install(number, SIG_DFL, 0);
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, number);
  raise(number);
  sigprocmask(SIG_UNBLOCK, &stop, nullptr);
  install(number, on_stop, 0);
  resume_terminal();
  errno = saved;
}

}  // namespace

Signals::Signals() {
  // No SA_RESTART: a wait for a key must end.
  for (const int number : kAsking) install(number, on_asking, 0);
  for (const int number : kKilling) install(number, on_killing, static_cast<int>(SA_RESETHAND | SA_NODEFER));
  install(SIGTSTP, on_stop, 0);
  install(SIGCONT, on_continue, SA_RESTART);
  // What cannot be written is an error of the write.
  install(SIGPIPE, SIG_IGN, 0);
  // A file beyond the user's limit is then an error of write(2) that names the file, like a full disk.
  install(SIGXFSZ, SIG_IGN, 0);
}

Signals::~Signals() {
  watch(nullptr, nullptr);
  // Who asked already is being obeyed: asking again does not change the status on the last few instructions.
  for (const int number : kAsking) install(number, pending() != 0 ? SIG_IGN : SIG_DFL, 0);
  for (const int number : kKilling) install(number, SIG_DFL, 0);
  for (const int number : {SIGTSTP, SIGCONT, SIGCHLD}) install(number, SIG_DFL, 0);
}

void Signals::watch(Debugger* debugger, Server* server) {
  watched.debugger.store(debugger);
  watched.server.store(server);
}

int Signals::pending() const { return watched.signal.load(); }

int Signals::take() {
  watched.count.store(0);
  return watched.signal.exchange(0);
}

void Signals::ignore_interrupts() { install(SIGINT, SIG_IGN, 0); }

void Signals::watch_children() { install(SIGCHLD, on_child, static_cast<int>(SA_NOCLDSTOP)); }

}  // namespace retrov
