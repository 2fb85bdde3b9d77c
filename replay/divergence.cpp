#include "replay/divergence.hpp"

#include <algorithm>
#include <sstream>

#include "core/check.hpp"
#include "core/disasm.hpp"
#include "replay/key_frame.hpp"
#include "replay/one_bit.hpp"
#include "replay/position.hpp"
#include "replay/state_diff.hpp"
#include "replay/trace_report.hpp"

namespace retrov {

namespace {

const std::atomic<bool> kGoOn{false};

std::string step_text(Position at) {
  return "step " + group_digits(at.steps) + " -> " + group_digits(at.steps + 1);
}

std::string hex_text(u64 value) {
  std::ostringstream text;
  text << "0x" << std::hex << value;
  return text.str();
}

LookedState look(FreshReplay& replay) {
  return look_at_state(replay.machine(), replay.machine().snapshot());
}

/// The instruction that a hart stands before, if its memory can be read.
std::string instruction_at(const Machine& machine, unsigned hart) {
  const VirtAddr pc = machine.hart_summary(hart).pc;
  u32 bits = 0;
  for (unsigned half = 0; half < 2; ++half) {
    std::array<u8, 2> bytes{};
    const auto at = machine.translate_for_debugger(hart, VirtAddr{pc.value + 2 * half});
    if (!at || !machine.read_physical(*at, bytes)) return hex_text(pc.value);
    bits |= u32{bytes[0]} << (16 * half) | u32{bytes[1]} << (16 * half + 8);
    if (half == 0 && (bits & 3) != 3) break;
  }
  return hex_text(pc.value) + ": " + disassemble(bits, pc);
}

/// Who makes the next step, and what it is. Interrupts and traps show in what the step changes.
std::string next_step(const Machine& machine, const History& history) {
  const std::size_t next = history.first_event_at(machine.position());
  if (next < history.events().size() && history.events()[next].at == machine.position()) {
    return "input: " + describe_event(history.events()[next]);
  }
  if (machine.idle()) return "idle, time goes on";
  const unsigned hart = machine.current_hart();
  return "hart " + std::to_string(hart) + " at " + instruction_at(machine, hart);
}

void indent(std::ostream& out, const std::string& lines) {
  std::istringstream in(lines);
  for (std::string line; std::getline(in, line);) out << "    " << line << '\n';
}

std::string difference(FreshReplay& of, const LookedState& from, const LookedState& to) {
  std::ostringstream text;
  describe_difference(of.machine(), from, to, text);
  return text.str();
}

void explain_step(FreshReplay& replay, std::ostream& out) {
  const std::string what = next_step(replay.machine(), replay.history());
  out << "  " << what << '\n';
  const LookedState before = look(replay);
  (void)replay.run_to(Position{replay.position().steps + 1}, kGoOn);
  out << "  in the replay this step changes:\n";
  indent(out, difference(replay, before, look(replay)));
}

/// Both stand behind the step.
void explain_pair(Position step, FreshReplay& first, FreshReplay& second, std::ostream& out) {
  out << "  the first difference is made by " << step_text(step) << "; behind it, one replay -> the other:\n";
  indent(out, difference(first, look(first), look(second)));
}

/// `first` and `second` stand where they are to be compared.
bool same(FreshReplay& first, FreshReplay& second) {
  return first.console() == second.console() &&
         differing(first.machine().component_hashes(), second.machine().component_hashes()).empty();
}

void run_both(FreshReplay& first, FreshReplay& second, Position target) {
  (void)first.run_to(target, kGoOn);
  (void)second.run_to(target, kGoOn);
}

/// The recording is one bit away from the replay.
void explain_one_bit(const Mismatch& mismatch, FreshReplay& replay, std::ostream& out) {
  replay.restore(mismatch.good);
  (void)replay.run_to(mismatch.recorded.at, kGoOn);
  const Snapshot here = replay.machine().snapshot();
  for (const std::string& name : differing(mismatch.replayed, mismatch.recorded.components)) {
    const auto changed = one_bit_away(replay.machine(), here, mismatch.good.machine, name, mismatch.recorded);
    if (!changed) continue;
    const LookedState mine = look(replay);
    out << "  " << name << " would be as recorded with one bit changed, in the replay -> in the recording:\n";
    try {
      replay.machine().restore(*changed);
      indent(out, difference(replay, mine, look(replay)));
    } catch (const Error& error) {
      out << "    a state that is refused: " << error.what() << '\n';
    }
    replay.machine().restore(here);
  }
}

/// The state of a key frame, if it is what the recording says of itself there. Leaves the replay anywhere.
std::optional<LookedState> recorded_state(const KeyFramePlace& place, FreshReplay& replay) {
  try {
    const KeyFrame frame = place.stored->load(replay.machine().initial_ram());
    if (frame.state->machine.at != place.at) return std::nullopt;
    replay.restore(*frame.state);
    if (!is_marked(replay.history(), place.at, replay.machine().component_hashes(), replay.console())) {
      return std::nullopt;
    }
    return look(replay);
  } catch (const Error& error) {
    if (error.exit_code() != Exit::kBadTrace) throw;
    return std::nullopt;
  }
}

/// The first key frame from there on is a state of the recording. What it differs in may have grown until then.
void explain_by_key_frame(const Mismatch& mismatch, FreshReplay& replay, std::ostream& out) {
  for (const KeyFramePlace& place : replay.history().key_frames()) {
    if (place.at < mismatch.recorded.at) continue;
    const std::optional<LookedState> recorded = recorded_state(place, replay);
    if (!recorded) continue;
    out << "  at the key frame at step " << group_digits(place.at.steps);
    replay.restore(mismatch.good);
    try {
      (void)replay.run_to(place.at, kGoOn);
    } catch (const Error& error) {
      if (error.exit_code() != Exit::kDivergence) throw;
    }
    if (replay.position() != place.at) {
      out << " the replay does not arrive\n";
      return;
    }
    const std::string lines = difference(replay, look(replay), *recorded);
    out << (lines.empty() ? " nothing differs any longer\n" : ", in the replay -> in the recording:\n");
    indent(out, lines);
    return;
  }
}

}  // namespace

std::vector<std::string> differing(const std::vector<ComponentHash>& mine, const std::vector<ComponentHash>& theirs) {
  std::vector<std::string> names;
  for (const ComponentHash& component : theirs) {
    const auto same = std::find_if(mine.begin(), mine.end(),
                                   [&](const ComponentHash& other) { return other.name == component.name; });
    if (same != mine.end() && same->hash != component.hash) names.push_back(component.name);
  }
  return names;
}

void report_divergence(const Divergence& divergence, std::ostream& out) {
  out << "DIVERGED between step " << group_digits(divergence.after.steps) << " and step "
      << group_digits(divergence.at.steps) << ": " << divergence.detail << '\n';
  for (const DifferingComponent& component : divergence.components) {
    out << "  differs: " << component.name;
    if (component.equal_at != divergence.after) {
      out << " (was still the same at step " << group_digits(component.equal_at.steps) << ')';
    }
    out << '\n';
  }
  if (divergence.first_step) out << "  first differing step: " << step_text(*divergence.first_step) << '\n';
  out << divergence.explanation;
}

std::optional<Position> find_first_difference(FreshReplay& first, const KeptSnapshot& first_good, FreshReplay& second,
                                              const KeptSnapshot& second_good, Position differ_at) {
  KeptSnapshot low_first = first_good, low_second = second_good;
  Position high = differ_at;
  const auto differs_at = [&](Position target) {
    first.restore(low_first);
    second.restore(low_second);
    run_both(first, second, target);
    return !same(first, second);
  };
  if (!differs_at(high)) return std::nullopt;
  while (high.steps - low_first.machine.at.steps > 1) {
    const Position middle{low_first.machine.at.steps + (high.steps - low_first.machine.at.steps) / 2};
    if (differs_at(middle)) {
      high = middle;
    } else {
      low_first = first.snapshot();
      low_second = second.snapshot();
    }
  }
  if (!differs_at(high)) return std::nullopt;
  return low_first.machine.at;
}

void explain_replays(Divergence& divergence, FreshReplay& first, const KeptSnapshot& first_good, FreshReplay& second,
                     const KeptSnapshot& second_good) {
  std::ostringstream out;
  const LookedState one = look(first), other = look(second);
  divergence.first_step = find_first_difference(first, first_good, second, second_good, divergence.at);
  if (divergence.first_step) {
    explain_pair(*divergence.first_step, first, second, out);
  } else {
    out << "  what made them differ did not come again when the interval was replayed; at its end, one -> the other:\n";
    indent(out, difference(first, one, other));
  }
  divergence.explanation = out.str();
}

void explain(Divergence& divergence, const Mismatch& mismatch, FreshReplay& first, FreshReplay& second) {
  std::ostringstream out;
  const Position at = mismatch.recorded.at;
  second.restore(mismatch.good);
  (void)second.run_to(at, kGoOn);
  if (!differing(second.machine().component_hashes(), mismatch.replayed).empty()) {
    divergence.first_step = find_first_difference(first, mismatch.good, second, mismatch.good, at);
    out << "  two replays differ from each other as well\n";
    if (divergence.first_step) {
      explain_pair(*divergence.first_step, first, second, out);
    } else {
      out << "  but did not when the interval was replayed once more: what changed the first did so once\n";
    }
  } else if (at.steps == divergence.after.steps + 1) {
    divergence.first_step = divergence.after;
    first.restore(mismatch.good);
    explain_step(first, out);
    explain_one_bit(mismatch, first, out);
  } else {
    explain_one_bit(mismatch, first, out);
    explain_by_key_frame(mismatch, first, out);
    out << "  two replays agree with each other: the recording has no state in between to compare with\n"
        << "  (record --paranoid marks more of it, --paranoid=1,A-B every step from A to B)\n";
  }
  divergence.explanation = out.str();
}

}  // namespace retrov
