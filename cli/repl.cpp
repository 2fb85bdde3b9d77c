#include "cli/repl.hpp"

#include <poll.h>
#include <unistd.h>

// readline's header needs FILE.
#include <cstdio>
// clang-format off
#include <readline/readline.h>
#include <readline/history.h>
// clang-format on

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <memory>

#include "cli/messages.hpp"
#include "cli/signals.hpp"
#include "core/check.hpp"

namespace retrov {

namespace {

constexpr const char* kPrompt = "(retrov) ";

/// readline calls back without an argument, so what its hooks work on is kept here while a line is read.
struct Reading {
  const Signals* signals = nullptr;
  const std::function<bool()>* wake = nullptr;
  bool wakened = false;
  std::vector<std::string> matches;
};
Reading reading;

int stop_reading_if_asked() {
  if (reading.signals->pending() != 0) rl_done = 1;
  if (*reading.wake && (*reading.wake)()) {
    reading.wakened = true;
    rl_done = 1;
  }
  return 0;
}

char* next_match(const char* text, int state) {
  if (state == 0) {
    reading.matches = complete_command(text, Offered::kPromptOnly);
    std::reverse(reading.matches.begin(), reading.matches.end());
  }
  if (reading.matches.empty()) return nullptr;
  const std::string match = reading.matches.back();
  reading.matches.pop_back();
  // readline frees it.
  char* const copy = static_cast<char*>(std::calloc(match.size() + 1, 1));
  if (copy != nullptr) std::copy(match.begin(), match.end(), copy);
  return copy;
}

char** complete(const char* text, int start, int) {
  rl_attempted_completion_over = 1;
  return start == 0 ? rl_completion_matches(text, next_match) : nullptr;
}

}  // namespace

Prompt::Prompt(CommandContext& context, Signals& signals)
    : context_(context), signals_(signals), edits_(isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1) {}

void Prompt::type_ahead(std::string text) { typed_ahead_ += text; }

std::string Prompt::take_rest() { return std::exchange(typed_ahead_, {}); }

PromptEnd Prompt::run(const PromptHooks& hooks) {
  context_.quit = false;
  for (;;) {
    std::string line;
    switch (read_line(hooks.wake, line)) {
      case Got::kEof:
        return PromptEnd::kEof;
      case Got::kWakened:
        return PromptEnd::kWakened;
      case Got::kSignal:
        // Ctrl-C at a prompt gives up the line, no more.
        if (signals_.pending() != SIGINT) return PromptEnd::kSignal;
        signals_.take();
        continue;
      case Got::kLine:
        break;
    }
    run_line(hooks, line);
    if (signals_.pending() != 0 && signals_.pending() != SIGINT) return PromptEnd::kSignal;
    signals_.take();
    if (context_.quit) return PromptEnd::kQuit;
  }
}

void Prompt::run_line(const PromptHooks& hooks, const std::string& line) {
  if (hooks.before_line) hooks.before_line();
  signals_.watch(&context_.debugger, nullptr);
  try {
    // gdb's users type `monitor goto end`, and sentences that both see say it.
    constexpr std::string_view kMonitor = "monitor ";
    run_command(context_, line.starts_with(kMonitor) ? line.substr(kMonitor.size()) : line, std::cout);
  } catch (const Error& error) {
    std::cout << error.what() << '\n';
  }
  signals_.watch(nullptr, nullptr);
  if (hooks.after_line) hooks.after_line();
  check_output();
}

Prompt::Got Prompt::read_line(const std::function<bool()>& wake, std::string& line) {
  const std::size_t end = typed_ahead_.find_first_of("\r\n");
  if (end != std::string::npos) {
    line = typed_ahead_.substr(0, end);
    typed_ahead_.erase(0, end + 1);
    return Got::kLine;
  }
  return edits_ ? read_edited(wake, line) : read_plain(wake, line);
}

Prompt::Got Prompt::read_edited(const std::function<bool()>& wake, std::string& line) {
  reading = Reading{&signals_, &wake, false, {}};
  rl_readline_name = "retrov";
  rl_attempted_completion_function = complete;
  rl_event_hook = stop_reading_if_asked;
  rl_signal_event_hook = stop_reading_if_asked;
  rl_catch_signals = 1;
  // The guest's programs and ours share the terminal; none of them may find it in a mode of another.
  rl_variable_bind("enable-bracketed-paste", "off");
  for (const char c : take_rest()) rl_stuff_char(c);
  const std::unique_ptr<char, decltype(&std::free)> typed(readline(kPrompt), std::free);
  rl_event_hook = nullptr;
  if (signals_.pending() != 0) {
    std::cout << '\n';
    return Got::kSignal;
  }
  if (reading.wakened) {
    std::cout << '\n';
    return Got::kWakened;
  }
  if (!typed) return Got::kEof;
  line = typed.get();
  if (!line.empty()) add_history(line.c_str());
  return Got::kLine;
}

/// Byte by byte: what follows the line may be meant for the guest.
Prompt::Got Prompt::read_plain(const std::function<bool()>& wake, std::string& line) {
  line = take_rest();
  for (;;) {
    if (signals_.pending() != 0) return Got::kSignal;
    if (wake && wake()) {
      typed_ahead_ = line;
      return Got::kWakened;
    }
    pollfd input{STDIN_FILENO, POLLIN, 0};
    if (poll(&input, 1, wake ? 100 : -1) <= 0) continue;
    char c = 0;
    const ssize_t count = read(STDIN_FILENO, &c, 1);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return line.empty() ? Got::kEof : Got::kLine;
    if (c == '\n' || c == '\r') return Got::kLine;
    line += c;
  }
}

}  // namespace retrov
