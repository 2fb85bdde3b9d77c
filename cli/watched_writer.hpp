// Tells at once when a trace can no longer be written, so that nobody believes in a recording that is not there. Who
// debugs the guest then still has all of its history, in memory.
#pragma once

#include <functional>

#include "replay/trace_sink.hpp"

namespace retrov {

class WatchedWriter final : public HistoryListener {
 public:
  /// The writer must outlive it.
  explicit WatchedWriter(TraceSink& writer) : writer_(writer) {}
  /// Called once, when writing has failed, on the thread that runs the machine.
  void on_failure(std::function<void()> callback) { on_failure_ = std::move(callback); }

  void on_event(const Event& event) override;
  void on_block(Position before, const CapturedBlock& block) override;
  void on_block_again(Position before, const CapturedBlock& block) override;
  [[nodiscard]] std::shared_ptr<BlockHome> block_home() override { return writer_.block_home(); }
  void on_mark(const HashMark& mark) override;
  void on_progress(Position now) override;
  void on_branch(const BranchPoint& branch) override;
  void on_key_frame(const KeyFrame& frame) override;
  void on_finish(Position end, const Outcome& outcome) override;

 private:
  void look();
  TraceSink& writer_;
  std::function<void()> on_failure_;
  bool told_ = false;
};

}  // namespace retrov
