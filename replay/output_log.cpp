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

void OutputLog::console(Position at, std::span<const u8> bytes) {
  tally_.add(bytes);
  if (holding_) {
    held_.push_back({at, {bytes.begin(), bytes.end()}, {}});
  } else if (console_mark_.is_new(at)) {
    shown_.console(at, bytes);
  }
}

void OutputLog::notice(Position at, const std::string& sentence) {
  if (holding_) {
    held_.push_back({at, {}, sentence});
  } else if (notice_mark_.is_new(at)) {
    shown_.notice(at, sentence);
  }
}

void OutputLog::hold() { holding_ = true; }

void OutputLog::show_held() {
  holding_ = false;
  for (const Piece& piece : std::exchange(held_, {})) {
    if (!piece.bytes.empty()) {
      if (console_mark_.is_new(piece.at)) shown_.console(piece.at, piece.bytes);
    } else if (notice_mark_.is_new(piece.at)) {
      shown_.notice(piece.at, piece.notice);
    }
  }
}

void OutputLog::drop_held() {
  holding_ = false;
  held_.clear();
}

void OutputLog::rewind(const ConsoleTally& tally) {
  tally_ = tally;
  console_mark_.in_hand = notice_mark_.in_hand = false;
}

}  // namespace retrov
