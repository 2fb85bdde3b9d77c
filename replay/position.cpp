#include "replay/position.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "core/check.hpp"
#include "replay/bookmarks.hpp"
#include "replay/debugger.hpp"

namespace retrov {

namespace {

constexpr u64 kBillion = 1'000'000'000;

[[noreturn]] void refuse(std::string_view text, const std::string& why) {
  throw Error(Exit::kUsage, "position '" + std::string(text) + "': " + why);
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Digits, with commas, underscores or apostrophes between them.
std::optional<u64> parse_count(std::string_view text) {
  if (text.empty() || !is_digit(text.front()) || !is_digit(text.back())) return std::nullopt;
  u64 value = 0;
  for (char c : text) {
    if (c == ',' || c == '_' || c == '\'') continue;
    if (!is_digit(c)) return std::nullopt;
    const u64 digit = static_cast<u64>(c - '0');
    if (value > (~u64{0} - digit) / 10) return std::nullopt;
    value = value * 10 + digit;
  }
  return value;
}

u64 require_count(std::string_view whole, std::string_view digits) {
  const auto value = parse_count(digits);
  if (!value) refuse(whole, "'" + std::string(digits) + "' is not a number of steps");
  return *value;
}

/// "3.25" as 3,250,000,000; digits after the ninth decimal place are dropped.
std::optional<u128> parse_billionths(std::string_view text) {
  const std::size_t point = text.find('.');
  const auto whole = parse_count(text.substr(0, point));
  if (!whole) return std::nullopt;
  u64 fraction = 0;
  if (point != std::string_view::npos) {
    const std::string_view decimals = text.substr(point + 1);
    if (decimals.empty()) return std::nullopt;
    u64 scale = kBillion;
    for (char c : decimals) {
      if (!is_digit(c)) return std::nullopt;
      scale /= 10;
      fraction += scale * static_cast<u64>(c - '0');
    }
  }
  return u128{*whole} * kBillion + fraction;
}

struct TimeUnit {
  std::string_view name;
  u64 nanoseconds;
};
/// "s" alone comes last, because the others end in it too.
constexpr std::array kTimeUnits = {TimeUnit{"ns", 1}, TimeUnit{"us", 1'000}, TimeUnit{"ms", 1'000'000},
                                   TimeUnit{"s", kBillion}};

PositionText parse_time(std::string_view whole, std::string_view text) {
  u64 unit_ns = kBillion;
  for (const TimeUnit& unit : kTimeUnits) {
    if (!text.ends_with(unit.name)) continue;
    text.remove_suffix(unit.name.size());
    unit_ns = unit.nanoseconds;
    break;
  }
  const auto value = parse_billionths(text);
  if (!value) refuse(whole, "write guest time as t=3.1s, t=250ms, t=7us or t=100ns");
  constexpr u64 kNsPerTick = kBillion / kTicksPerSecond;
  // A count below 2^64 times 10^9 stays below 2^94; times 10^9 for the unit would not fit, so divide in between.
  const u128 ns = *value / kBillion * unit_ns + (*value % kBillion * unit_ns + kBillion - 1) / kBillion;
  const u128 ticks = (ns + kNsPerTick - 1) / kNsPerTick;
  if (ticks >= u128{kNever.value}) refuse(whole, "that is later than any guest can be");
  return {PositionText::Kind::kTime, static_cast<u64>(ticks), {}};
}

/// It can be a position here: names are those of bookmarks that there are.
bool names_place(std::string_view word, const Bookmarks& bookmarks) {
  try {
    const PositionText place = parse_position(word);
    if (place.kind == PositionText::Kind::kBookmark) (void)bookmarks.find(place.name);
    return true;
  } catch (const Error&) {
    return false;
  }
}

/// The first position whose guest time is `tick` or later. T(P) never falls, so halving finds it.
Position position_of_time(Ticks tick, Debugger& debugger) {
  // A throw-away copy is gone with the first move; its positions may lie beyond the end.
  const Position here = std::min(debugger.position(), debugger.end());
  const auto reached = [&](Position at) {
    debugger.seek(at);
    if (debugger.position() != at) throw Error(Exit::kUsage, "interrupted");
    return debugger.machine().now() >= tick;
  };
  u64 low = debugger.begin().steps;
  u64 high = debugger.end().steps;
  // Guest time passes at least as fast as steps do, so a step count alone bounds the answer from above.
  const u128 bound = u128{tick.value} * debugger.machine().config().steps_per_tick;
  if (bound < u128{high}) {
    high = std::max(low, static_cast<u64>(bound));
  } else if (!reached(Position{high})) {
    const std::string end = seconds_text(debugger.machine().now());
    debugger.seek(here);
    throw Error(Exit::kUsage, "the history ends at t=" + end + ", step " + group_digits(high));
  }
  while (low < high) {
    const u64 middle = low + (high - low) / 2;
    if (reached(Position{middle})) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  const bool is_before = low == debugger.begin().steps && low != 0 && reached(Position{low}) &&
                         debugger.machine().now() > tick;
  const std::string begin = is_before ? seconds_text(debugger.machine().now()) : std::string();
  debugger.seek(here);
  if (is_before) throw Error(Exit::kUsage, "the history begins at t=" + begin);
  return Position{low};
}

Position position_of_execution(const PositionText& text, Debugger& debugger, const PositionNames& names) {
  if (!names.address) throw Error(Exit::kUsage, text.name + ": no symbols are known; --symbols FILE names an ELF");
  const auto found = debugger.execution(VirtAddr{names.address(text.name)}, text.value);
  if (found) return *found;
  throw Error(Exit::kUsage, text.name + " is not executed " + group_digits(text.value) +
                                (text.value == 1 ? " time" : " times") + " in this history");
}

}  // namespace

std::optional<std::pair<std::string_view, std::string_view>> range_words(std::string_view text,
                                                                         const Bookmarks& bookmarks) {
  std::optional<std::pair<std::string_view, std::string_view>> half;
  for (std::size_t minus = text.find('-', 1); minus != std::string_view::npos; minus = text.find('-', minus + 1)) {
    const std::pair words(text.substr(0, minus), text.substr(minus + 1));
    if (!names_place(words.first, bookmarks)) continue;
    if (names_place(words.second, bookmarks)) return words;
    if (!half) half = words;
  }
  if (half) (void)parse_position(half->second);  // That this is to be a range is certain.
  return half;
}

PositionText parse_position(std::string_view text) {
  using Kind = PositionText::Kind;
  if (text.empty()) refuse(text, "empty");
  if (text == "begin" || text == "start") return {Kind::kBegin, 0, {}};
  if (text == "end") return {Kind::kEnd, 0, {}};
  if (text.front() == '@') {
    const std::string_view name = text.substr(1);
    if (!is_bookmark_name(name) && !parse_count(name)) refuse(text, "behind the @ comes a bookmark's name or number");
    return {Kind::kBookmark, 0, std::string(name)};
  }
  if (const std::size_t sign = text.rfind('@'); sign != std::string_view::npos) {
    const auto number = parse_count(text.substr(sign + 1));
    if (!number || *number == 0) refuse(text, "behind the @ comes which execution of it: 1, 2, ...");
    return {Kind::kExecution, *number, std::string(text.substr(0, sign))};
  }
  if (text.starts_with("t=")) return parse_time(text, text.substr(2));
  if (text.front() == '+') return {Kind::kForward, require_count(text, text.substr(1)), {}};
  if (text.front() == '-') return {Kind::kBackward, require_count(text, text.substr(1)), {}};
  if (text.front() == '#') {
    const u64 number = require_count(text, text.substr(1));
    if (number == 0) refuse(text, "events are counted from 1");
    return {Kind::kEvent, number, {}};
  }
  if (text.back() == '%') {
    const auto value = parse_billionths(text.substr(0, text.size() - 1));
    if (!value) refuse(text, "write a part of the history as 50% or 97.2%");
    if (*value > u128{100} * kBillion) refuse(text, "a history has 100% and no more");
    return {Kind::kFraction, static_cast<u64>(*value / 100), {}};
  }
  if (is_digit(text.front())) return {Kind::kStep, require_count(text, text), {}};
  if (is_bookmark_name(text)) return {Kind::kBookmark, 0, std::string(text)};
  refuse(text, "neither a step (412,883,190) nor +N, -N, 50%, begin, end, #EVENT, t=3.1s, main@3 or a bookmark");
}

Position resolve_position(const PositionText& text, Debugger& debugger, const PositionNames& names) {
  using Kind = PositionText::Kind;
  const u64 here = debugger.position().steps;
  const u64 begin = debugger.begin().steps;
  const u64 end = debugger.end().steps;
  const auto within = [&](u128 steps) {
    if (steps < u128{begin}) throw Error(Exit::kUsage, "the history begins at step " + group_digits(begin));
    if (steps > u128{end}) throw Error(Exit::kUsage, "the history ends at step " + group_digits(end));
    return Position{static_cast<u64>(steps)};
  };
  switch (text.kind) {
    case Kind::kStep:
      return within(text.value);
    case Kind::kForward:
      return within(u128{here} + text.value);
    case Kind::kBackward:
      if (text.value > here - std::min(here, begin)) {
        throw Error(Exit::kUsage, "the history begins " + group_digits(here - std::min(here, begin)) + " steps before");
      }
      return Position{here - text.value};
    case Kind::kFraction:
      return within(begin + u128{end - begin} * text.value / kBillion);
    case Kind::kBegin:
      return Position{begin};
    case Kind::kEnd:
      return Position{end};
    case Kind::kEvent:
      return debugger.event(text.value).at;
    case Kind::kTime:
      return position_of_time(Ticks{text.value}, debugger);
    case Kind::kBookmark:
      return within(position_of(names.bookmarks.find(text.name), debugger).steps);
    case Kind::kExecution:
      return position_of_execution(text, debugger, names);
  }
  RV_CHECK(!"a kind of position without a meaning");
  return {};
}

Position resolve_position(std::string_view text, Debugger& debugger, const PositionNames& names) {
  return resolve_position(parse_position(text), debugger, names);
}

std::string group_digits(u64 value) {
  std::string text = std::to_string(value);
  for (std::size_t i = text.size(); i > 3; i -= 3) text.insert(i - 3, 1, ',');
  return text;
}

std::string seconds_text(Ticks time) {
  const u64 milliseconds = time.value / (kTicksPerSecond / 1000);
  std::string decimals = std::to_string(milliseconds % 1000);
  decimals.insert(0, 3 - decimals.size(), '0');
  return std::to_string(milliseconds / 1000) + "." + decimals + " s";
}

std::string describe_progress(Position here, Position end, Position begin) {
  const u64 whole = end.steps - begin.steps;
  const u64 percent = whole == 0 ? 100 : static_cast<u64>(u128{here.steps - begin.steps} * 100 / whole);
  return "step " + group_digits(here.steps) + " of " + group_digits(end.steps) + ", " + std::to_string(percent) + "%";
}

std::string describe_position(const Debugger& debugger) {
  const u64 here = debugger.position().steps;
  const u64 begin = debugger.begin().steps;
  const u64 end = debugger.end().steps;
  const u64 permille = here >= end ? 1000 : static_cast<u64>(u128{here - begin} * 1000 / (end - begin));
  const Machine& machine = debugger.machine();
  std::string line;
  if (const auto fork = debugger.forked()) {
    const u64 at = fork->at.steps;
    const std::string since = here >= at ? "+" + group_digits(here - at) : "-" + group_digits(at - here);
    line = fork->name + "@" + group_digits(at) + since + "  ";
  }
  return line + "step " + group_digits(here) + "  hart " + std::to_string(machine.current_hart()) + "  event " +
         std::to_string(debugger.event_number()) + "  t=" + seconds_text(machine.now()) + "  " +
         std::to_string(permille / 10) + "." + std::to_string(permille % 10) + "%";
}

}  // namespace retrov
