// The command prompt: lines from a terminal with editing and completion, or from a pipe. What the words mean is in
// replay/commands.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "replay/commands.hpp"

namespace retrov {

class Signals;

/// Why the prompt was left.
enum class PromptEnd : u8 {
  kQuit,     ///< `quit`.
  kEof,      ///< No more lines.
  kSignal,   ///< A signal that asks the process to end; still pending.
  kWakened,  ///< `wake` said so.
};

struct PromptHooks {
  /// Asked about ten times a second while a line is awaited: true leaves the prompt.
  std::function<bool()> wake;
  /// Around each line that is run.
  std::function<void()> before_line;
  std::function<void()> after_line;
};

class Prompt {
 public:
  /// Both must outlive it. `context.where` should be kPromptOnly.
  Prompt(CommandContext& context, Signals& signals);

  /// Lines already typed for it come first.
  void type_ahead(std::string text);
  /// Runs lines until there is a reason to leave. An error in a line is said and the next one read.
  /// Throws Error(kIo) if what a line says does not reach standard output.
  PromptEnd run(const PromptHooks& hooks);
  /// What was typed ahead and not used.
  [[nodiscard]] std::string take_rest();

 private:
  enum class Got : u8 { kLine, kEof, kSignal, kWakened };
  Got read_line(const std::function<bool()>& wake, std::string& line);
  Got read_edited(const std::function<bool()>& wake, std::string& line);
  Got read_plain(const std::function<bool()>& wake, std::string& line);
  void run_line(const PromptHooks& hooks, const std::string& line);

  CommandContext& context_;
  Signals& signals_;
  std::string typed_ahead_;
  bool edits_;
};

}  // namespace retrov
