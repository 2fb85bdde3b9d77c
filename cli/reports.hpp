// `info`, `dump`, `verify` and `pack`: what is in a trace, whether it still replays, and a smaller one.
#pragma once

#include <atomic>
#include <iosfwd>
#include <string>

#include "cli/options.hpp"
#include "cli/signals.hpp"
#include "replay/divergence.hpp"

namespace retrov {

/// Each returns the status of the process and throws Error.
int run_info(const Options& options);
int run_dump(const Options& options);
int run_verify(const Options& options);
int run_pack(const Options& options);

/// What SIGINT sets while a trace is verified: verify() looks at a flag instead of being told.
class InterruptFlag {
 public:
  [[nodiscard]] const std::atomic<bool>* flag() const { return &flag_; }
  void look(const Signals& signals);
  void set() { flag_ = true; }

 private:
  std::atomic<bool> flag_{false};
};

/// Writes it to `out`, and to `file` unless that is empty. Throws Error (kCannotCreate).
void say_divergence(const Divergence& divergence, const std::string& file, std::ostream& out);

}  // namespace retrov
