#include "replay/session.hpp"

#include <algorithm>
#include <utility>

#include "core/check.hpp"
#include "devices/loader.hpp"
#include "devices/virtio_blk.hpp"
#include "replay/beginning.hpp"
#include "replay/guest_memory.hpp"
#include "replay/host_clock.hpp"
#include "replay/session_parts.hpp"
#include "replay/side_cursor.hpp"

namespace retrov {

Session::Session(OutputSink& output, Recording recording) : output_(output), recording_(recording) {}

/// Those that leave another go first.
Session::~Session() {
  scratch_.reset();
  while (!branches_.empty()) branches_.pop_back();
}

/// The machine of the first branch, at its first position.
void Session::start(EngineKind engine, const SnapshotOptions& snapshots) {
  Branch& main = *branches_.front();
  const BoardConfig& board = main.history->board();
  std::vector<DiskBase*> bases;
  for (std::size_t i = 0; i < board.disks.size(); ++i) {
    slots_.push_back(std::make_unique<DiskSlot>());
    bases.push_back(slots_.back().get());
  }
  holes_said_.resize(board.disks.size());
  images_.resize(board.disks.size());
  machine_ = build_board(board, engine, output_, bases);
  go_to_beginning(*main.history, *machine_, output_);
  main.timeline = std::make_unique<Timeline>(*main.history, *machine_, output_, snapshots);
  use(main);
  // Without firmware nobody is there who would want an ebreak in M-mode.
  if (starts_in_kernel(board)) stop_settings_.ebreak_privileges = 1u << 3;
}

std::unique_ptr<Session> Session::live(LiveSetup setup, OutputSink& output) {
  std::unique_ptr<Session> session(new Session(output, setup.recording));
  Session& self = *session;
  const bool recorded = setup.recording == Recording::kOn;
  Branch& main = self.add_branch(kMainBranch, nullptr, setup.begin.at,
                                std::make_unique<History>(std::move(setup.board), setup.begin));
  main.history->set_listener(setup.listener);
  main.listener = setup.listener;
  if (setup.known_blocks != nullptr) main.history->know_blocks(*setup.known_blocks);
  RV_CHECK(setup.disk_images.size() == main.history->board().disks.size());
  self.disk_images_ = std::move(setup.disk_images);
  self.mark_plan_ = setup.marks;
  SnapshotOptions snapshots = setup.snapshots;
  if (!recorded) snapshots.policy = SnapshotPolicy::kNone;
  self.start(setup.engine, snapshots);
  if (recorded && setup.listener != nullptr && setup.key_frames.policy != KeyFramePolicy::kOff) {
    self.key_frames_.emplace(setup.key_frames, main.from, cpu_ns());
    main.history->note_block_reads();
  }
  self.open_images(self.disk_images_);
  Machine* machine = self.machine_.get();
  self.inputs_ = std::make_unique<LiveInputs>(
      setup.inputs, [machine] { return console_room_bytes(*machine); }, std::move(setup.filter));
  self.waiting_ = self.inputs_.get();
  self.make_growing(main);
  self.use(main);
  // What the trace begins with is compared with it.
  if (recorded && main.history->begin().state != nullptr) self.mark();
  return session;
}

std::unique_ptr<Session> Session::replay(std::unique_ptr<History> history, EngineKind engine, OutputSink& output,
                                         const SnapshotOptions& snapshots) {
  std::vector<RecordedBranch> branches;
  const Position begin = history->begin().at;
  branches.push_back({kMainBranch, 0, begin, std::move(history)});
  return replay(std::move(branches), 0, engine, output, snapshots);
}

std::unique_ptr<Session> Session::replay(std::vector<RecordedBranch> branches, std::size_t current, EngineKind engine,
                                         OutputSink& output, const SnapshotOptions& snapshots) {
  std::unique_ptr<Session> session(new Session(output, Recording::kOn));
  Session& self = *session;
  for (RecordedBranch& recorded : branches) {
    const bool first = self.branches_.empty();
    Branch* parent = first ? nullptr : self.branches_.at(recorded.parent).get();
    Branch& branch = self.add_branch(recorded.name, parent, recorded.from, std::move(recorded.history));
    for (std::size_t i = 0; i < branch.history->board().disks.size(); ++i) {
      branch.disks.push_back(std::make_unique<ReplayDisk>(*branch.history, static_cast<u8>(i)));
    }
  }
  self.start(engine, snapshots);
  self.enter(*self.branches_.at(current));
  return session;
}

// --- where ---

Position Session::position() const { return machine_->position(); }

/// A machine that is not recorded stands at the only position it has.
Position Session::end() const { return recording_ == Recording::kOn ? history_->end() : position(); }

bool Session::in_past() const { return !scratch_ && position() < end(); }

u64 Session::event_number() const {
  // A throw-away copy hears nothing of what came later.
  const Position heard = scratch_ ? std::min(position(), scratch_->from) : position();
  return history_->first_event_at(Position{heard.steps + 1});
}

u64 Session::event_count() const { return history_->events().size(); }

const Event& Session::event(u64 number) const {
  const Chain<Event>& events = history_->events();
  if (number == 0 || number > events.size()) {
    throw Error(Exit::kUsage, "there is no event " + std::to_string(number) + "; the history has " +
                                  std::to_string(events.size()));
  }
  return events[number - 1];
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
                                                          : "not all of that memory is mapped RAM; registers of "
                                                            "devices are written after `monitor mmio-write on`");
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

void Session::reset_machine() { apply_live({Input{kMachineItself, SystemReset{}}}); }

void Session::apply_live(std::vector<Input> inputs) {
  if (machine_->power().off) throw Error(Exit::kFailure, "the guest is powered off; a step before it is not");
  if (scratch_mode_ == Scratch::kOn) {
    if (!scratch_) begin_scratch();
  } else if (in_past() || !live()) {
    throw Error(Exit::kFailure,
                "the past is read-only; `monitor fork` lives on from here in a branch, `monitor scratch on` writes to "
                "a throw-away copy");
  } else if (branch_->finished) {
    throw Error(Exit::kFailure, "the recording has ended");
  }
  apply_here(std::move(inputs), reported_.instruction);
}

/// At the end of a line that grows, or in a copy. An instruction that was reported here, if it is still the next, is
/// not to be reported again behind what was done here by hand.
void Session::apply_here(std::vector<Input> inputs, std::optional<Position>& reported_instruction) {
  const auto next = [this] {
    const unsigned hart = machine_->current_hart();
    return std::pair(hart, machine_->hart_summary(hart).pc);
  };
  const bool was_reported = reported_instruction == position();
  const auto next_before = next();
  const Batch batch{std::move(inputs), machine_->idle() ? machine_->now() : Ticks{}};
  if (recorder_ != nullptr) {
    recorder_->reached(position());
    mark_input();
    history_->add_event(Event{position(), batch});
  }
  machine_->apply(batch);
  if (recorder_ != nullptr) recorder_->reached(position());
  if (was_reported && next() == next_before) reported_instruction = position();
}

// --- moving ---

void Session::set_stops(const StopRequest& stops) {
  wanted_.breakpoints = stops.breakpoints;
  std::sort(wanted_.breakpoints.begin(), wanted_.breakpoints.end());
  wanted_.breakpoints.erase(std::unique(wanted_.breakpoints.begin(), wanted_.breakpoints.end()),
                            wanted_.breakpoints.end());
  wanted_.watches = stops.watches;
  wanted_.other_writers = stops.device_writes ? OtherWriters::kDevices : OtherWriters::kNone;
  wanted_.csr_writes = stops.csr_writes;
  wanted_.ebreak_privileges = stops.ebreak_privileges;
  rules_ = stops.rules;
  filter_.emplace(*machine_, wanted_.watches, rules_);
  wanted_.filter = &*filter_;
}

StopSet Session::wanted() const { return wanted_; }

Stop Session::step(unsigned hart, Direction direction) {
  if (direction == Direction::kBackward) drop_scratch();
  Move move(*this);
  if (direction == Direction::kBackward) return step_backward(hart);
  Stop stop = step_forward(hart, Instruction::kPassed);
  // Whoever steps to a breakpoint sees it; what its rules do there is done on arrival, and not again when leaving.
  if (stop.reason == StopReason::kStep) (void)stops_at_breakpoint_of(hart);
  return stop;
}

Stop Session::step_range(unsigned hart, VirtAddr start, VirtAddr end) {
  Move move(*this);
  for (Instruction here = Instruction::kPassed;; here = Instruction::kLookedAt) {
    Stop stop = step_forward(hart, here);
    if (stop.reason != StopReason::kStep) return stop;
    const VirtAddr pc = machine_->hart_summary(hart).pc;
    if (pc < start || pc >= end) return stop;
    if (stops_at_breakpoint_of(hart)) return stop_at(StopReason::kBreakpoint, hart);
    if (interrupted_) return stop_at(StopReason::kInterrupted, hart);
  }
}

Stop Session::resume(Direction direction) {
  if (direction == Direction::kForward) return run_to(kEndOfTime);
  drop_scratch();
  Move move(*this);
  reported_.access = move.reported_before().access;
  return resume_backward();
}

Stop Session::run_to(Position limit) {
  Move move(*this);
  StopSet stops = wanted();
  stops.pass_instruction_at = move.reported_before().instruction;
  const Went went = go(&stops, limit);
  return stop_for(went, stops);
}

void Session::check_target(Position target) const {
  const Position only = scratch_ ? scratch_->from : position();
  if (recording_ == Recording::kOff && target != only) {
    throw Error(Exit::kUsage, "this run is not recorded (--record off), so it cannot go anywhere else");
  }
  if (target < begin()) {
    throw Error(Exit::kUsage, "step " + std::to_string(target.steps) + " is before the beginning, which is step " +
                                  std::to_string(begin().steps));
  }
  if (target > end()) {
    throw Error(Exit::kUsage, "step " + std::to_string(target.steps) + " is beyond the end, which is step " +
                                  std::to_string(end().steps));
  }
}

void Session::seek(Position target) {
  check_target(target);
  drop_scratch();
  Move move(*this);
  if (recording_ == Recording::kOff) return;
  // A way back to the live end that costs nothing.
  if (live() && !in_past()) timeline_->take_snapshot();
  timeline_->seek(target, interrupted_, Visit::kStay);
}

void Session::interrupt() noexcept {
  interrupted_ = true;
  if (LiveInputs* waiting = waiting_.load()) waiting->wake();
}

// --- for the commands ---

void Session::set_progress(std::function<void()> progress) {
  progress_ = std::move(progress);
  timeline_->set_progress(progress_);
}

void Session::set_jobs(unsigned jobs, u64 alone_steps) {
  jobs_ = jobs;
  alone_steps_ = alone_steps;
}

void Session::finish(Outcome::Kind kind) {
  if (recording_ == Recording::kOff) return;
  drop_scratch();
  finish_others();
  if (branch_->finished || !live()) return;
  branch_->finished = true;
  try {
    timeline_->seek(end(), never_interrupted_);
  } catch (const Error& error) {
    history_->finish(Outcome{Outcome::Kind::kUnknown, 0, error.what()});
    throw;
  }
  recorder_->reached(position());
  mark();
  if (key_frames_ && key_frames_->due_at_end(cpu_ns())) add_key_frame();
  history_->finish(machine_->power().off ? outcome() : Outcome{kind, 0, {}});
}

void Session::check_telling() const {
  if (recording_ == Recording::kOff) throw Error(Exit::kUsage, "this run is not recorded (--record off)");
  if (scratch_) throw Error(Exit::kUsage, "this is a throw-away copy; `scratch off` returns to history");
}

void Session::tell_all(HistoryListener& listener) {
  check_telling();
  const bool at_live_end = live() && !in_past() && !branch_->finished;
  if (at_live_end) {
    recorder_->reached(position());
    const Chain<HashMark>& marks = history_->marks();
    if (marks.empty() || marks.back().at < position()) mark();
  }
  history_->retell(listener);
  const Outcome so_far{Outcome::Kind::kStopped, 0, "exported while it ran"};
  const bool is_over = branch_->finished || !branch_->grows;
  listener.on_finish(history_->end(), is_over ? history_->outcome() : branch_->power_off.value_or(so_far));
}

Effort Session::effort() const {
  Effort sum;
  for (const auto& branch : branches_) {
    if (!branch->timeline) continue;
    sum.steps += branch->timeline->effort().steps;
    sum.cpu_ns += branch->timeline->effort().cpu_ns;
  }
  return sum;
}

/// Of a guest that is powered off.
Outcome Session::outcome() const {
  const PowerState& power = machine_->power();
  return {Outcome::Kind::kPoweredOff, power.status, power.why};
}

void Session::commit_disks() {
  if (!live()) throw Error(Exit::kFailure, "a replay has no images to write");
  drop_scratch();
  if (in_past()) timeline_->seek(end(), never_interrupted_);
  const BoardConfig& board = history_->board();
  std::string failed;
  for (std::size_t i = 0; i < board.disks.size(); ++i) {
    if (board.disks[i].keeps_image || board.disks[i].read_only) continue;
    try {
      DiskImage image(disk_images_[i], DiskImage::Access::kWrite);
      commit_writes(board_disk(*machine_, board, i), *branch_->disks[i], image);
    } catch (const Error& error) {
      // The others are saved all the same.
      failed += std::string(failed.empty() ? "" : "; ") + error.what();
    }
  }
  if (!failed.empty()) throw Error(Exit::kIo, "what the guest wrote is not saved: " + failed);
}

}  // namespace retrov
