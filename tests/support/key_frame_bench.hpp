// Traces with key frames, made by the writer as a recording session would.
#pragma once

#include <string>
#include <vector>

#include "replay/key_frame.hpp"
#include "replay/trace_reader.hpp"
#include "replay/trace_writer.hpp"
#include "tests/support/guest_bench.hpp"
#include "tests/support/trace_samples.hpp"

namespace retrov::test {

/// Of the present state, as a session makes it.
inline KeyFrame key_frame_of(Machine& machine, const OutputLog& output) {
  KeyFrame frame;
  frame.state = std::make_shared<KeptSnapshot>(KeptSnapshot{machine.snapshot(), output.tally()});
  for (const ComponentHash& component : machine.component_hashes()) frame.names.push_back(component.name);
  frame.initial_ram = machine.initial_ram();
  return frame;
}

/// It may lie.
inline KeyFramePlace held(KeyFrame frame) {
  const Position at = frame.state->machine.at;
  return {at, std::make_shared<HeldKeyFrame>(std::move(frame))};
}

struct TracedGuest {
  std::vector<u8> bytes;             ///< The trace.
  std::map<Position, u64> hashes;    ///< Of the state at some positions.
  std::vector<KeyFrame> key_frames;  ///< As they were told.
  Position end;
  u64 end_hash = 0;
};

/// Marks every 777 steps, and a key frame at each so-manieth mark.
inline TracedGuest trace_guest(const BoardConfig& board, InputSource& world, unsigned marks_per_key_frame,
                               Position limit = Position{300'000}) {
  const TemporaryFolder folder;
  TracedGuest result;
  {
    TraceWriter writer(folder.file("t.rvt"), board, sample_identity());
    History history(board);
    history.set_listener(&writer);
    Screen screen;
    OutputLog output(screen);
    const auto machine = build_board(board, EngineKind::kFast, output, {});
    Recorder recorder(world, history);
    const std::atomic<bool> never{false};
    Halt halt = Halt::kLimit;
    for (unsigned marks = 1; halt == Halt::kLimit && machine->position() < limit; ++marks) {
      halt = drive(*machine, recorder, Position{machine->position().steps + 777}, nullptr, never);
      recorder.reached(machine->position());
      result.hashes[machine->position()] = machine->hash();
      history.add_mark({machine->position(), machine->component_hashes(), output.tally().bytes, output.tally().hash});
      if (marks % marks_per_key_frame != 0) continue;
      result.key_frames.push_back(key_frame_of(*machine, output));
      history.add_key_frame(result.key_frames.back());
      machine->begin_stretch();
    }
    const PowerState& power = machine->power();
    history.finish(power.off ? Outcome{Outcome::Kind::kPoweredOff, power.status, power.why}
                             : Outcome{Outcome::Kind::kStopped, 0, {}});
    result.end = history.end();
    result.end_hash = machine->hash();
  }
  result.bytes = read_file(folder.file("t.rvt"));
  return result;
}

inline TracedGuest trace_guest(const std::string& name, unsigned harts, unsigned marks_per_key_frame = 2) {
  RandomWorld world(5, 30, 300);
  return trace_guest(guest_board(name, harts), world, marks_per_key_frame);
}

}  // namespace retrov::test
