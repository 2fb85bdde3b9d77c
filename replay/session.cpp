#include "replay/session.hpp"

#include <algorithm>
#include <utility>

#include "core/check.hpp"
#include "devices/loader.hpp"
#include "devices/virtio_blk.hpp"
#include "replay/guest_memory.hpp"
#include "replay/session_parts.hpp"

namespace retrov {

Session::Session(std::unique_ptr<History> history, EngineKind, OutputSink& output, Recording recording)
    : history_(std::move(history)), output_(output), recording_(recording) {}

Session::~Session() = default;

void Session::start(EngineKind engine, const SnapshotOptions& snapshots) {
  std::vector<DiskBase*> bases;
  for (const auto& disk : disks_) bases.push_back(disk.get());
  machine_ = build_board(history_->board(), engine, output_, bases);
  timeline_ = std::make_unique<Timeline>(*history_, *machine_, output_, snapshots);
  // Without firmware nobody is there who would want an ebreak in M-mode.
  if (starts_in_kernel(history_->board())) stop_settings_.ebreak_privileges = 1u << 3;
}

std::unique_ptr<Session> Session::live(LiveSetup setup, OutputSink& output) {
  std::unique_ptr<Session> session(
      new Session(std::make_unique<History>(std::move(setup.board)), setup.engine, output, setup.recording));
  Session& self = *session;
  const bool recorded = setup.recording == Recording::kOn;
  self.history_->set_listener(setup.listener);
  RV_CHECK(setup.disk_images.size() == self.history_->board().disks.size());
  self.disk_images_ = std::move(setup.disk_images);
  std::vector<LiveDisk*> live_disks;
  for (const std::string& image : self.disk_images_) {
    auto disk = std::make_unique<LiveDisk>(image, static_cast<u8>(live_disks.size()),
                                           recorded ? self.history_.get() : nullptr);
    live_disks.push_back(disk.get());
    self.disks_.push_back(std::move(disk));
  }
  SnapshotOptions snapshots = setup.snapshots;
  if (!recorded) snapshots.policy = SnapshotPolicy::kNone;
  self.start(setup.engine, snapshots);
  Machine* machine = self.machine_.get();
  for (std::size_t i = 0; i < live_disks.size(); ++i) {
    live_disks[i]->set_position([machine] { return machine->step_in_hand(); });
    // Past the output log: the host says it, and no replay will say it again.
    live_disks[i]->on_unread([machine, &output, id = self.history_->board().disks[i].id](const std::string& what) {
      output.notice(machine->step_in_hand(), "disk " + id + ": " + what);
    });
  }
  self.inputs_ = std::make_unique<LiveInputs>(
      setup.inputs, [machine] { return console_room_bytes(*machine); }, std::move(setup.filter));
  if (recorded) self.recorder_ = std::make_unique<Recorder>(*self.inputs_, *self.history_);
  return session;
}

std::unique_ptr<Session> Session::replay(std::unique_ptr<History> history, EngineKind engine, OutputSink& output,
                                         const SnapshotOptions& snapshots) {
  std::unique_ptr<Session> session(new Session(std::move(history), engine, output, Recording::kOn));
  for (std::size_t i = 0; i < session->history_->board().disks.size(); ++i) {
    session->disks_.push_back(std::make_unique<ReplayDisk>(*session->history_, static_cast<u8>(i)));
  }
  session->start(engine, snapshots);
  return session;
}

// --- where ---

Position Session::position() const { return machine_->position(); }

/// A machine that is not recorded stands at the only position it has.
Position Session::end() const { return recording_ == Recording::kOn ? history_->end() : position(); }

bool Session::in_past() const { return position() < end(); }

u64 Session::event_number() const { return history_->first_event_at(Position{position().steps + 1}); }

Position Session::event_position(u64 number) const {
  const std::vector<Event>& events = history_->events();
  if (number == 0 || number > events.size()) {
    throw Error(Exit::kUsage, "there is no event " + std::to_string(number) + "; the history has " +
                                  std::to_string(events.size()));
  }
  return events[number - 1].at;
}

u64 Session::hash() { return machine_->hash(); }

std::vector<ComponentHash> Session::component_hashes() { return machine_->component_hashes(); }

Stop Session::stop_at(StopReason reason, unsigned hart, std::string note) const {
  Stop stop;
  stop.reason = reason;
  stop.at = position();
  stop.hart = hart;
  stop.note = std::move(note);
  return stop;
}

// --- looking and changing ---

std::size_t Session::read_memory(unsigned hart, AddressSpace space, u64 address, std::span<u8> out) const {
  return read_guest_memory(*machine_, hart, space, address, out);
}

/// A device's register is written by one access of its width.
bool Session::may_write_device(const PhysicalPiece& piece) const {
  const std::size_t size = piece.size_bytes;
  const bool is_access = size <= 8 && (size & (size - 1)) == 0 && piece.at.value % size == 0;
  return stop_settings_.mmio_write && is_access && machine_->has_device_in(piece.at, size);
}

void Session::write_memory(unsigned hart, AddressSpace space, u64 address, std::span<const u8> bytes) {
  if (bytes.empty()) return;
  std::vector<Input> inputs;
  std::size_t done = 0;
  for (const PhysicalPiece& piece : physical_pieces(*machine_, hart, space, address, bytes.size())) {
    const bool is_ram = machine_->memory().contains(piece.at, piece.size_bytes);
    if (!is_ram && !may_write_device(piece)) break;
    const auto part = bytes.subspan(done, piece.size_bytes);
    inputs.push_back(Input{kMachineItself, DebuggerWrite{DebuggerWrite::Space::kPhysicalMemory, static_cast<u8>(hart),
                                                         piece.at.value, std::vector<u8>(part.begin(), part.end())}});
    done += piece.size_bytes;
  }
  if (done != bytes.size()) {
    throw Error(Exit::kFailure, stop_settings_.mmio_write ? "not all of that memory is mapped RAM, nor one register"
                                                          : "not all of that memory is mapped RAM");
  }
  apply_live(std::move(inputs));
}

void Session::write_register(unsigned hart, RegisterId id, u64 value) {
  if (const auto refused = machine_->refuse_register_write(hart, id)) throw Error(Exit::kFailure, *refused);
  std::vector<u8> bytes;
  for (unsigned i = 0; i < sizeof value; ++i) bytes.push_back(static_cast<u8>(value >> (8 * i)));
  apply_live({Input{kMachineItself, DebuggerWrite{DebuggerWrite::Space::kRegister, static_cast<u8>(hart),
                                                  static_cast<u64>(id), std::move(bytes)}}});
}

void Session::apply_live(std::vector<Input> inputs) {
  if (!live()) throw Error(Exit::kFailure, "the past is read-only, and a recording has nothing else");
  if (in_past()) throw Error(Exit::kFailure, "the past is read-only; `monitor goto end` returns to the live end");
  if (machine_->power().off) throw Error(Exit::kFailure, "the guest is powered off");
  if (finished_) throw Error(Exit::kFailure, "the recording has ended");
  const Batch batch{std::move(inputs), machine_->idle() ? machine_->now() : Ticks{}};
  if (recorder_) {
    recorder_->reached(position());
    history_->add_event(Event{position(), batch});
  }
  machine_->apply(batch);
  if (recorder_) recorder_->reached(position());
}

// --- moving ---

void Session::set_stops(const StopRequest& stops) {
  wanted_.breakpoints = stops.breakpoints;
  std::sort(wanted_.breakpoints.begin(), wanted_.breakpoints.end());
  wanted_.breakpoints.erase(std::unique(wanted_.breakpoints.begin(), wanted_.breakpoints.end()),
                            wanted_.breakpoints.end());
  wanted_.watches = stops.watches;
  wanted_.device_writes = stops.device_writes;
  wanted_.csr_writes = stops.csr_writes;
  wanted_.ebreak_privileges = stops.ebreak_privileges;
  rules_ = stops.rules;
  filter_.emplace(*machine_, wanted_.watches, rules_);
  wanted_.filter = &*filter_;
}

StopSet Session::wanted() const { return wanted_; }

Stop Session::step(unsigned hart, Direction direction) {
  Move move(*this);
  if (direction == Direction::kBackward) return step_backward(hart);
  Stop stop = step_forward(hart);
  // Whoever steps to a breakpoint sees it; what its rules do there is done on arrival, and not again when leaving.
  if (stop.reason == StopReason::kStep) (void)stops_at_breakpoint_of(hart);
  return stop;
}

Stop Session::step_range(unsigned hart, VirtAddr start, VirtAddr end) {
  Move move(*this);
  for (;;) {
    Stop stop = step_forward(hart);
    if (stop.reason != StopReason::kStep) return stop;
    const VirtAddr pc = machine_->hart_summary(hart).pc;
    if (pc < start || pc >= end) return stop;
    if (stops_at_breakpoint_of(hart)) return stop_at(StopReason::kBreakpoint, hart);
    if (interrupted_) return stop_at(StopReason::kInterrupted, hart);
  }
}

Stop Session::resume(Direction direction) {
  if (direction == Direction::kForward) return run_to(kEndOfTime);
  Move move(*this);
  reported_access_ = move.reported_before();
  return resume_backward();
}

Stop Session::run_to(Position limit) {
  Move move(*this);
  StopSet stops = wanted();
  stops.pass_instruction_at = move.reported_instruction_before();
  const Went went = go(&stops, limit);
  return stop_for(went, stops);
}

void Session::check_target(Position target) const {
  if (recording_ == Recording::kOff && target != position()) {
    throw Error(Exit::kUsage, "this run is not recorded (--record off), so it cannot go anywhere else");
  }
  if (target > end()) {
    throw Error(Exit::kUsage, "step " + std::to_string(target.steps) + " is beyond the end, which is step " +
                                  std::to_string(end().steps));
  }
}

void Session::seek(Position target) {
  check_target(target);
  Move move(*this);
  if (recording_ == Recording::kOff) return;
  // A way back to the live end that costs nothing.
  if (live() && !in_past()) timeline_->take_snapshot();
  timeline_->seek(target, interrupted_);
}

void Session::interrupt() noexcept {
  interrupted_ = true;
  if (inputs_) inputs_->wake();
}

// --- for the commands ---

void Session::set_progress(std::function<void()> progress) { timeline_->set_progress(std::move(progress)); }

void Session::finish(Outcome::Kind kind) {
  if (finished_ || !live() || recording_ == Recording::kOff) return;
  try {
    timeline_->seek(end(), never_interrupted_);
  } catch (const Error& error) {
    finished_ = true;
    history_->finish(Outcome{Outcome::Kind::kUnknown, 0, error.what()});
    throw;
  }
  finished_ = true;
  recorder_->reached(position());
  mark();
  const PowerState& power = machine_->power();
  history_->finish(power.off ? Outcome{Outcome::Kind::kPoweredOff, power.status, power.why} : Outcome{kind, 0, {}});
}

void Session::commit_disks() {
  if (!live()) throw Error(Exit::kFailure, "a replay has no images to write");
  if (in_past()) timeline_->seek(end(), never_interrupted_);
  const BoardConfig& board = history_->board();
  std::string failed;
  for (std::size_t i = 0; i < board.disks.size(); ++i) {
    if (board.disks[i].keeps_image || board.disks[i].read_only) continue;
    try {
      DiskImage image(disk_images_[i], DiskImage::Access::kWrite);
      commit_writes(board_disk(*machine_, board, i), *disks_[i], image);
    } catch (const Error& error) {
      // The others are saved all the same.
      failed += std::string(failed.empty() ? "" : "; ") + error.what();
    }
  }
  if (!failed.empty()) throw Error(Exit::kIo, "what the guest wrote is not saved: " + failed);
}

}  // namespace retrov
