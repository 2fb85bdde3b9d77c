#include "replay/output_log.hpp"

#include <algorithm>
#include <utility>

namespace retrov {

void ConsoleTally::add(std::span<const u8> said) {
  bytes += said.size();
  for (const u8 byte : said) hash = (hash ^ byte) * 0x100000001b3;
}

bool OutputLog::Mark::is_new(Position step) {
  if (at && (step < *at || (step == *at && !in_hand))) return false;
  at = step;
  in_hand = true;
  return true;
}

void OutputLog::Mark::forget_from(Position position) {
  if (!at || *at < position) return;
  at = position.steps == 0 ? std::nullopt : std::optional(Position{position.steps - 1});
  in_hand = false;
}

OutputLog::Shown OutputLog::Shown::below(Position position) const {
  Shown result = *this;
  result.console.forget_from(position);
  result.notice.forget_from(position);
  result.ahead_console.forget_from(position);
  result.ahead_notice.forget_from(position);
  std::erase_if(result.ahead, [position](const Piece& piece) { return piece.at >= position; });
  return result;
}

void OutputLog::show(Position at, std::span<const u8> bytes) {
  if (aside_ || marks_.console.is_new(at) || repeated_) shown_.console(at, bytes);
}

void OutputLog::show(Position at, const std::string& notice) {
  if (aside_ || marks_.notice.is_new(at) || repeated_) shown_.notice(at, notice);
}

void OutputLog::show(const Piece& piece) {
  if (!piece.bytes.empty()) {
    show(piece.at, piece.bytes);
  } else {
    show(piece.at, piece.notice);
  }
}

void OutputLog::keep_ahead(Piece piece) {
  const bool is_console = !piece.bytes.empty();
  const Mark& shown = is_console ? marks_.console : marks_.notice;
  Mark& kept = is_console ? marks_.ahead_console : marks_.ahead_notice;
  if ((shown.at && piece.at <= *shown.at) || !kept.is_new(piece.at)) return;
  marks_.ahead.push_back(std::move(piece));
}

void OutputLog::console(Position at, std::span<const u8> bytes) {
  tally_.add(bytes);
  if (muted_) return;
  if (hidden_) return keep_ahead({at, {bytes.begin(), bytes.end()}, {}});
  if (holding_) {
    held_.push_back({at, {bytes.begin(), bytes.end()}, {}});
  } else {
    show(at, bytes);
  }
}

void OutputLog::notice(Position at, const std::string& sentence) {
  if (muted_) return;
  if (hidden_) return keep_ahead({at, {}, sentence});
  if (holding_) {
    held_.push_back({at, {}, sentence});
  } else {
    show(at, sentence);
  }
}

void OutputLog::hold() { holding_ = true; }

void OutputLog::show_held() {
  holding_ = false;
  for (const Piece& piece : std::exchange(held_, {})) show(piece);
}

void OutputLog::drop_held() {
  holding_ = false;
  held_.clear();
}

void OutputLog::rewind(const ConsoleTally& tally, Position position) {
  tally_ = tally;
  for (Mark* mark : {&marks_.console, &marks_.notice, &marks_.ahead_console, &marks_.ahead_notice}) {
    mark->in_hand = false;
  }
  if (hidden_ || muted_) return;
  const auto beyond = std::find_if(marks_.ahead.begin(), marks_.ahead.end(),
                                   [position](const Piece& piece) { return piece.at >= position; });
  for (auto piece = marks_.ahead.begin(); piece != beyond; ++piece) show(*piece);
  marks_.ahead.erase(marks_.ahead.begin(), beyond);
  marks_.console.in_hand = marks_.notice.in_hand = false;
}

}  // namespace retrov
