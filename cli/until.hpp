// --until: what ends a run that nobody watches. Conditions on what the guest says are looked for in its console output,
// line by line, in the unfinished last line as well.
#pragma once

#include <functional>
#include <optional>
#include <regex>
#include <string>
#include <vector>

#include "cli/symbols.hpp"
#include "core/door.hpp"

namespace retrov {

/// The words of --until; several may be given, and the first that holds ends the run.
struct UntilWords {
  std::optional<u64> steps;
  u64 idle_ticks = 0;                ///< Of guest time; 0: idling does not end it.
  bool panic = false;                ///< A line that says that a kernel gives up.
  std::vector<std::string> patterns; ///< Of uart:/…/, ECMAScript's regular expressions.
  std::vector<std::string> symbols;  ///< Of pc:SYMBOL or pc:0xADDRESS.
};

/// Adds a condition. Throws Error (kUsage).
void parse_until(UntilWords& words, std::string_view value);

/// Where execution ends the run. Throws Error (kUsage) for a symbol that is not there.
[[nodiscard]] std::vector<VirtAddr> until_addresses(const UntilWords& words, const Symbols& symbols);

/// Hands on what the guest says, and looks at it.
class UntilWatch final : public OutputSink {
 public:
  /// `shown` must outlive it.
  UntilWatch(const UntilWords& words, OutputSink& shown);
  /// Called inside the step that says it, for each line that matches.
  void on_match(std::function<void()> callback) { on_match_ = std::move(callback); }
  /// The line that matched first; empty if none has.
  [[nodiscard]] const std::string& matched() const { return matched_; }

  void console(Position at, std::span<const u8> bytes) override;
  void notice(Position at, const std::string& sentence) override { shown_.notice(at, sentence); }

 private:
  void look();
  OutputSink& shown_;
  std::vector<std::regex> patterns_;
  std::function<void()> on_match_;
  std::string line_;
  std::string matched_;
};

}  // namespace retrov
