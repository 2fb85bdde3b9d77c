#include "cli/gdb_child.hpp"

#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string_view>
#include <system_error>

#include "core/check.hpp"

extern char** environ;

namespace retrov {

namespace {

bool is_program(const std::string& name) {
  if (name.find('/') != std::string::npos) return access(name.c_str(), X_OK) == 0;
  const char* path = std::getenv("PATH");
  std::string_view rest = path == nullptr ? "/usr/bin:/bin" : path;
  for (;;) {
    const std::size_t end = rest.find(':');
    const std::string folder(rest.substr(0, end));
    if (access(((folder.empty() ? "." : folder) + "/" + name).c_str(), X_OK) == 0) return true;
    if (end == std::string_view::npos) return false;
    rest.remove_prefix(end + 1);
  }
}

int status_of(int waited) { return WIFEXITED(waited) ? WEXITSTATUS(waited) : 128 + WTERMSIG(waited); }

}  // namespace

std::optional<std::string> find_gdb(const std::string& named) {
  if (!named.empty()) return named;
  if (const char* chosen = std::getenv("RETROV_GDB"); chosen != nullptr && *chosen != '\0') return chosen;
  for (const char* name : {"gdb-multiarch", "gdb"}) {
    if (is_program(name)) return name;
  }
  return std::nullopt;
}

GdbChild::GdbChild(const std::string& program, const std::vector<std::string>& arguments) {
  std::vector<char*> argv{const_cast<char*>(program.c_str())};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  // What we ignore or block must not be ignored or blocked by gdb.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t all;
  sigset_t none;
  sigfillset(&all);
  sigemptyset(&none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  const int error = posix_spawnp(&pid_, program.c_str(), nullptr, &attributes, argv.data(), environ);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) {
    throw Error(Exit::kUnavailable, "cannot start " + program + ": " + std::generic_category().message(error));
  }
}

GdbChild::~GdbChild() { wait(); }

std::optional<int> GdbChild::ended() {
  if (status_) return status_;
  int waited = 0;
  const pid_t who = waitpid(pid_, &waited, WNOHANG);
  if (who == pid_) status_ = status_of(waited);
  if (who < 0 && errno != EINTR) status_ = 0;
  return status_;
}

int GdbChild::wait() {
  while (!status_) {
    int waited = 0;
    const pid_t who = waitpid(pid_, &waited, 0);
    if (who == pid_) status_ = status_of(waited);
    if (who < 0 && errno != EINTR) status_ = 0;
  }
  return *status_;
}

int GdbChild::hang_up() {
  // Of SIGTERM gdb's Python would complain with a traceback.
  if (!status_) kill(pid_, SIGHUP);
  return wait();
}

}  // namespace retrov
