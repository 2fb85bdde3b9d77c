// Failures. Three kinds, three means: the guest's faults are Trap values (core/trap.hpp); what the host or the user did
// is an Error, one sentence that names the thing; our own bugs end the process through RV_CHECK, in every build.
#pragma once

#include <stdexcept>
#include <string>

namespace retrov {

/// Process exit codes (sysexits, and our own from 80 on).
enum class Exit : int {
  kOk = 0,
  kFailure = 1,
  kUsage = 64,
  kBadTrace = 65,
  kNoInput = 66,
  kUnavailable = 69,
  kInternal = 70,
  kCannotCreate = 73,
  kIo = 74,
  kNoPermission = 77,
  kDivergence = 80,
  kPredicate = 81,
  kStepLimit = 124,
};

/// The host or the user did something: a missing file, a bad option, a corrupt trace. Caught in main, at the REPL line
/// and in the gdb packet loop, nowhere else.
class Error : public std::runtime_error {
 public:
  Error(Exit exit_code, const std::string& sentence) : std::runtime_error(sentence), exit_code_(exit_code) {}
  [[nodiscard]] Exit exit_code() const { return exit_code_; }

 private:
  Exit exit_code_;
};

[[noreturn]] void check_failed(const char* condition, const char* file, int line);

}  // namespace retrov

/// Always on. Says what was believed, and where, then aborts.
#define RV_CHECK(condition) ((condition) ? void(0) : ::retrov::check_failed(#condition, __FILE__, __LINE__))
