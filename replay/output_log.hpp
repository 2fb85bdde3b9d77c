// What the guest said, counted, and shown once. The past is executed again whenever somebody goes back; what a step
// says is shown only the first time that step is made. Each branch of history has its own first times, and what a
// throw-away copy says is always shown: nobody has seen it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/door.hpp"
#include "core/types.hpp"

namespace retrov {

/// All console output so far as two numbers. The hash is FNV-1a over the bytes, so it does not depend on how they were
/// cut into pieces.
struct ConsoleTally {
  u64 bytes = 0;
  u64 hash = 0xcbf29ce484222325;
  void add(std::span<const u8> said);
  bool operator==(const ConsoleTally&) const = default;
};

class OutputLog final : public OutputSink {
  /// A notice has no bytes.
  struct Piece {
    Position at;
    std::vector<u8> bytes;
    std::string notice;
  };
  /// The last step whose output was shown; a second piece of the same step is shown unless the step is made again.
  struct Mark {
    std::optional<Position> at;
    bool in_hand = false;
    bool is_new(Position step);
    void forget_from(Position position);
  };

 public:
  /// What has been shown of a branch.
  struct Shown {
    Mark console, notice;
    /// Said by steps that were made out of sight, in their order, and until where.
    std::vector<Piece> ahead;
    Mark ahead_console, ahead_notice;
    /// The same for a branch that leaves this one there.
    [[nodiscard]] Shown below(Position position) const;
  };

  /// `shown` receives what is new and must outlive the log.
  explicit OutputLog(OutputSink& shown) : shown_(shown) {}

  void console(Position at, std::span<const u8> bytes) override;
  void notice(Position at, const std::string& sentence) override;
  /// What the host says once while a step is made, and not the step itself: shown at once, in a trial, too.
  void host_notice(Position at, const std::string& sentence) { shown_.notice(at, sentence); }

  /// Output of all steps below the machine's position.
  [[nodiscard]] const ConsoleTally& tally() const { return tally_; }
  /// The machine was put at a position with that much output behind it. What was said below it out of sight is shown.
  void rewind(const ConsoleTally& tally, Position position);
  /// From here on steps are made for trial: what they say is counted and kept back.
  void hold();
  /// The trial is over: its steps stay made, and what they said is shown.
  void show_held();
  /// The trial is over: its steps are unmade, and rewind() follows.
  void drop_held();
  /// Whether steps are made out of sight: what is new of what they say is kept until the machine comes there again, or
  /// beyond. rewind() follows, to where the machine was before.
  void hide(bool hidden) { hidden_ = hidden; }
  /// Whether what steps say is shown again when they are made again.
  void repeat(bool repeated) { repeated_ = repeated; }
  /// Whether what steps say is only counted, to be shown when they are made again.
  void mute(bool muted) { muted_ = muted; }
  /// Another branch is shown from here on; rewind() follows. The result is for when this one is shown again.
  [[nodiscard]] const Shown& shown() const { return marks_; }
  void show_branch(const Shown& shown) { marks_ = shown; }
  /// Whether steps are those of a throw-away copy.
  void set_aside(bool aside) { aside_ = aside; }

 private:
  void show(Position at, std::span<const u8> bytes);
  void show(Position at, const std::string& notice);
  void show(const Piece& piece);
  void keep_ahead(Piece piece);

  OutputSink& shown_;
  ConsoleTally tally_;
  Shown marks_;
  bool holding_ = false;
  bool aside_ = false;
  bool hidden_ = false;
  bool repeated_ = false;
  bool muted_ = false;
  std::vector<Piece> held_;
};

}  // namespace retrov
