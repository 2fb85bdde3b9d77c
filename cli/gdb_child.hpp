// A gdb of our own: found, started on this terminal, waited for.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace retrov {

/// What to start: `named` if given, else $RETROV_GDB, gdb-multiarch or gdb, whichever exists first. Nothing: none does.
[[nodiscard]] std::optional<std::string> find_gdb(const std::string& named);

class GdbChild {
 public:
  /// Throws Error(kUnavailable) if it cannot be started.
  GdbChild(const std::string& program, const std::vector<std::string>& arguments);
  /// Waits for its end.
  ~GdbChild();
  GdbChild(const GdbChild&) = delete;
  GdbChild& operator=(const GdbChild&) = delete;

  /// Its status once it has ended.
  [[nodiscard]] std::optional<int> ended();
  int wait();
  /// Makes it leave without a question, and waits.
  int hang_up();

 private:
  pid_t pid_ = -1;
  std::optional<int> status_;
};

}  // namespace retrov
