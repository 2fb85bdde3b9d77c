#include "replay/beginning.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "core/check.hpp"
#include "replay/marks.hpp"

namespace retrov {

namespace {

/// Some mark there tells of RAM.
bool has_full_mark(const History& history, Position at) {
  for (std::size_t i = history.first_mark_at(at); i < history.marks().size() && history.marks()[i].at == at; ++i) {
    if (has_ram(history.marks()[i])) return true;
  }
  return false;
}

}  // namespace

void go_to_beginning(const History& history, Machine& machine, OutputLog& output) {
  const HistoryBegin& begin = history.begin();
  if (begin.state == nullptr) return;
  const std::string where = "the state at step " + std::to_string(begin.at.steps) + ", with which the trace begins, ";
  const auto refuse = [&where](const std::string& why) { throw Error(Exit::kBadTrace, where + why); };
  try {
    const KeyFrame frame = begin.state->load(machine.initial_ram());
    if (frame.state->machine.at != begin.at) refuse("is of another step");
    machine.restore(frame.state->machine);
    output.rewind(frame.state->console, begin.at);
  } catch (const Error& error) {
    if (error.exit_code() != Exit::kBadTrace) throw;
    refuse(std::string("cannot be used: ") + error.what());
  }
  const bool differs = has_full_mark(history, begin.at) &&
                       !is_marked(history, begin.at, machine.component_hashes(), output.tally());
  if (differs) refuse("does not have the hashes that were recorded there");
  if (!begin.initial_memory) machine.forget_initial_ram();
}

std::optional<TraceStart> start_of(const History& history, const PageTree& initial_ram) {
  const HistoryBegin& begin = history.begin();
  if (begin.state == nullptr) return std::nullopt;
  return TraceStart{begin.state->load(initial_ram), begin.initial_memory};
}

BoardConfig without_initial_memory(BoardConfig board) {
  board.machine.initial_memory.clear();
  return board;
}

}  // namespace retrov
