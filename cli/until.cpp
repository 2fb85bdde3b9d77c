#include "cli/until.hpp"

#include <algorithm>
#include <charconv>

#include "core/check.hpp"
#include "replay/position.hpp"

namespace retrov {

namespace {

/// A longer line is looked at in pieces: matching takes stack for each character.
constexpr std::size_t kMostLineBytes = 1024;

/// Linux, xv6 and its kin, Rust. "panic=1" on a kernel's command line is none.
constexpr const char* kPanic = "kernel panic - |(^|[^a-z0-9_.=-])panic: |panicked at ";

[[noreturn]] void refuse(const std::string& sentence) { throw Error(Exit::kUsage, "--until: " + sentence); }

std::regex compile(const std::string& pattern, std::regex::flag_type more = {}) {
  try {
    return std::regex(pattern, std::regex::ECMAScript | std::regex::optimize | more);
  } catch (const std::regex_error&) {
    refuse("'" + pattern + "' is no regular expression");
  }
}

u64 parse_number(std::string_view text, int base) {
  u64 value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size()) refuse("'" + std::string(text) + "' is no number");
  return value;
}

/// "10s", "250ms" in ticks.
u64 parse_duration(std::string_view text) {
  const bool is_time = !text.empty() && text.front() >= '0' && text.front() <= '9';
  u64 ticks = 0;
  try {
    if (is_time) ticks = parse_position("t=" + std::string(text)).value;
  } catch (const Error&) {
    ticks = 0;
  }
  constexpr u64 kMostTicks = u64{366} * 24 * 3600 * kTicksPerSecond;
  if (ticks == 0 || ticks > kMostTicks) refuse("write idle:10s or idle:250ms, at most a year");
  return ticks;
}

}  // namespace

void parse_until(UntilWords& words, std::string_view value) {
  const std::size_t colon = std::min(value.find(':'), value.size());
  const std::string_view kind = value.substr(0, colon);
  const std::string_view rest = value.substr(std::min(colon + 1, value.size()));
  if (kind == "steps") {
    words.steps = parse_number(rest, 10);
  } else if (value.starts_with("idle:")) {
    words.idle_ticks = parse_duration(rest);
  } else if (value == "panic") {
    words.panic = true;
  } else if (kind == "uart") {
    const bool is_pattern = rest.size() > 2 && rest.front() == '/' && rest.back() == '/';
    if (!is_pattern) refuse("write uart:/REGULAR EXPRESSION/");
    words.patterns.emplace_back(rest.substr(1, rest.size() - 2));
    (void)compile(words.patterns.back());
  } else if (kind == "pc" && !rest.empty()) {
    words.symbols.emplace_back(rest);
  } else {
    refuse("unknown condition '" + std::string(value) + "'; there are steps:N, idle:T, panic, uart:/RE/ and pc:SYMBOL");
  }
}

std::vector<VirtAddr> until_addresses(const UntilWords& words, const Symbols& symbols) {
  std::vector<VirtAddr> addresses;
  for (const std::string& name : words.symbols) {
    if (name.starts_with("0x")) {
      addresses.push_back(VirtAddr{parse_number(std::string_view(name).substr(2), 16)});
    } else if (const auto address = symbols.find(name)) {
      addresses.push_back(VirtAddr{*address});
    } else {
      refuse("there is no symbol '" + name + "'; --symbols FILE adds some");
    }
  }
  return addresses;
}

UntilWatch::UntilWatch(const UntilWords& words, OutputSink& shown) : shown_(shown) {
  if (words.panic) patterns_.push_back(compile(kPanic, std::regex::icase));
  for (const std::string& pattern : words.patterns) patterns_.push_back(compile(pattern));
}

void UntilWatch::console(Position at, std::span<const u8> bytes) {
  shown_.console(at, bytes);
  if (patterns_.empty()) return;
  for (const u8 byte : bytes) {
    const bool ends = byte == '\n' || byte == '\r';
    if (ends || line_.size() == kMostLineBytes) {
      look();
      line_.clear();
    }
    if (!ends) line_ += static_cast<char>(byte);
  }
  look();
}

void UntilWatch::look() {
  if (line_.empty() || !matched_.empty()) return;
  const bool matches = std::any_of(patterns_.begin(), patterns_.end(),
                                   [this](const std::regex& pattern) { return std::regex_search(line_, pattern); });
  if (!matches) return;
  matched_ = line_;
  if (on_match_) on_match_();
}

}  // namespace retrov
