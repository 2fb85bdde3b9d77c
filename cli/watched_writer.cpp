#include "cli/watched_writer.hpp"

namespace retrov {

void WatchedWriter::look() {
  if (!on_failure_ || told_ || !writer_.failed()) return;
  told_ = true;
  on_failure_();
}
void WatchedWriter::on_event(const Event& event) {
  writer_.on_event(event);
  look();
}
void WatchedWriter::on_block(Position before, const CapturedBlock& block) {
  writer_.on_block(before, block);
  look();
}
void WatchedWriter::on_block_again(Position before, const CapturedBlock& block) {
  writer_.on_block_again(before, block);
  look();
}
void WatchedWriter::on_mark(const HashMark& mark) {
  writer_.on_mark(mark);
  look();
}
void WatchedWriter::on_progress(Position now) {
  writer_.on_progress(now);
  look();
}
void WatchedWriter::on_branch(const BranchPoint& branch) {
  writer_.on_branch(branch);
  look();
}
void WatchedWriter::on_key_frame(const KeyFrame& frame) {
  writer_.on_key_frame(frame);
  look();
}
void WatchedWriter::on_finish(Position end, const Outcome& outcome) { writer_.on_finish(end, outcome); }

}  // namespace retrov
