// Histories and traces for tests: a board, random histories with everything a history can hold, the text of what a
// listener is told, and a folder that is gone afterwards.
#pragma once

#include <string>
#include <vector>

#include "replay/history.hpp"
#include "replay/trace_reader.hpp"

namespace retrov {

/// Two harts, three pieces of initial memory of which two are equal, and a disk of 64 KiB.
BoardConfig sample_board();

/// An identity that is the same in every run.
TraceIdentity sample_identity();

/// The same numbers in every run and on every host.
class Dice {
 public:
  explicit Dice(u64 seed) : state_(seed) {}
  /// 0 to n - 1.
  u64 below(u64 n);
  std::vector<u8> bytes(std::size_t count);

 private:
  u64 state_;
};

/// Adds `count` random events, blocks, marks and progress to a history of sample_board(), and ends it.
void add_random_things(History& history, Dice& dice, unsigned count);

std::shared_ptr<const PageBytes> page_of(u8 value);

/// What was told, a line each.
class ToldLines final : public HistoryListener {
 public:
  void on_event(const Event& event) override;
  void on_block(Position before, const CapturedBlock& block) override;
  void on_mark(const HashMark& mark) override;
  void on_progress(Position now) override;
  void on_branch(const BranchPoint& branch) override;
  void on_finish(Position end, const Outcome& outcome) override;

  std::vector<std::string> lines;
  /// Without progress, which depends on when the writer flushed.
  [[nodiscard]] std::vector<std::string> things() const;
};

std::vector<std::string> lines_of(const TraceReader& trace);

/// A new folder under the temporary folder, removed with all that is in it.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

std::vector<u8> read_file(const std::string& path);
void write_file(const std::string& path, std::span<const u8> bytes);

/// A trace of random things, made by the writer.
std::vector<u8> sample_trace(u64 seed, unsigned count);

/// What opening and reading these bytes throws; empty if nothing. RV_CHECK and any other exception escape.
std::string refusal(const std::vector<u8>& bytes);

}  // namespace retrov
