#include "replay/output_log.hpp"

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
  return result;
}

void OutputLog::show(Position at, std::span<const u8> bytes) {
  if (aside_ || marks_.console.is_new(at)) shown_.console(at, bytes);
}

void OutputLog::show(Position at, const std::string& notice) {
  if (aside_ || marks_.notice.is_new(at)) shown_.notice(at, notice);
}

void OutputLog::console(Position at, std::span<const u8> bytes) {
  tally_.add(bytes);
  if (holding_) {
    held_.push_back({at, {bytes.begin(), bytes.end()}, {}});
  } else {
    show(at, bytes);
  }
}

void OutputLog::notice(Position at, const std::string& sentence) {
  if (holding_) {
    held_.push_back({at, {}, sentence});
  } else {
    show(at, sentence);
  }
}

void OutputLog::hold() { holding_ = true; }

void OutputLog::show_held() {
  holding_ = false;
  for (const Piece& piece : std::exchange(held_, {})) {
    if (!piece.bytes.empty()) {
      show(piece.at, piece.bytes);
    } else {
      show(piece.at, piece.notice);
    }
  }
}

void OutputLog::drop_held() {
  holding_ = false;
  held_.clear();
}

void OutputLog::rewind(const ConsoleTally& tally) {
  tally_ = tally;
  marks_.console.in_hand = marks_.notice.in_hand = false;
}

}  // namespace retrov
