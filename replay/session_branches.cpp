// Lines of history: branches that leave the past and are lived, and throw-away copies that nobody keeps.
#include <algorithm>

#include "core/check.hpp"
#include "devices/board.hpp"
#include "replay/host_clock.hpp"
#include "replay/session.hpp"

namespace retrov {

namespace {

constexpr std::size_t kMostBranches = 1000;
constexpr const char* kScratchName = "scratch";

/// The wall clock and the entropy that are said once, before anything runs.
bool told_at_power_on(const History& history) {
  const Chain<Event>& events = history.events();
  return history.begin().state != nullptr ||
         std::any_of(events.begin(), events.end(), [](const Event& event) {
    return std::holds_alternative<RtcStart>(event.batch.inputs[0].what);
  });
}

BranchPoint point_of(const Branch& branch) {
  const bool same_trace = branch.parent != nullptr && branch.parent->listener == branch.listener;
  return {branch.number, same_trace ? branch.parent->number : 0, branch.from, branch.name};
}

BranchPoint resumption_of(const Branch& branch) {
  BranchPoint point = point_of(branch);
  point.at = branch.history->end();
  point.resumed = true;
  return point;
}

/// Of a branch of a trace that the session has not been in.
void make_timeline(Branch& branch) {
  if (branch.timeline) return;
  make_timeline(*branch.parent);
  branch.timeline = std::make_unique<Timeline>(*branch.history, *branch.parent->timeline, branch.from);
  branch.shown = branch.parent->shown.below(branch.from);
}

}  // namespace

// --- what a branch is made of ---

Branch& Session::add_branch(std::string name, Branch* parent, Position from, std::unique_ptr<History> history) {
  auto branch = std::make_unique<Branch>();
  branch->name = std::move(name);
  branch->parent = parent;
  branch->from = branch->stood_at = from;
  branch->own_history = std::move(history);
  branch->history = branch->own_history.get();
  branches_.push_back(std::move(branch));
  return *branches_.back();
}

void Session::open_images(const std::vector<std::string>& paths) {
  for (std::size_t i = 0; i < paths.size(); ++i) {
    if (paths[i].empty()) continue;
    images_[i] = std::make_unique<DiskImage>(paths[i], DiskImage::Access::kRead);
    const DiskConfig& disk = history_->board().disks[i];
    const u64 whole_bytes = (images_[i]->size_bytes() + kDiskSectorBytes - 1) / kDiskSectorBytes * kDiskSectorBytes;
    if (whole_bytes != disk.size_bytes) {
      throw Error(Exit::kNoInput, images_[i]->path() + ": is not as large as the recorded disk " + disk.id);
    }
    images_[i]->on_unread([this, i](const std::string& what) {
      output_.host_notice(machine_->step_in_hand(), "disk " + history_->board().disks[i].id + ": " + what);
    });
  }
}

/// The outside world is asked at its end from here on, and what it answers is kept if the session is recorded.
void Session::make_growing(Branch& branch) {
  const bool recorded = recording_ == Recording::kOn;
  branch.grows = true;
  Machine* machine = machine_.get();
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    auto disk = std::make_unique<LiveDisk>(images_[i].get(), static_cast<u8>(i), recorded ? branch.history : nullptr);
    disk->set_position([machine] { return machine->step_in_hand(); });
    disk->on_hole([this, i](u64 index) { say_hole(i, index); });
    branch.disks.push_back(std::move(disk));
  }
  if (!recorded) return;
  branch.recorder = std::make_unique<Recorder>(*inputs_, *branch.history);
  branch.recorder->on_inputs([this] { mark_input(); });
}

void Session::say_hole(std::size_t disk, u64 index) {
  if (holes_said_[disk]) return;
  holes_said_[disk] = true;
  const std::string id = history_->board().disks[disk].id;
  output_.host_notice(machine_->step_in_hand(),
                      "disk " + id + ": block " + std::to_string(index) +
                          " is not in the recording, an I/O error to the guest (--drive-base supplies such blocks)");
}

// --- being in one ---

/// The machine is in that line from here on. Where it stands is the caller's business.
void Session::use(Branch& branch) {
  branch_ = &branch;
  history_ = branch.history;
  timeline_ = branch.timeline.get();
  recorder_ = branch.recorder.get();
  timeline_->set_progress(progress_);
  for (std::size_t i = 0; i < branch.disks.size(); ++i) slots_[i]->use(*branch.disks[i]);
  if (branch.grows && inputs_ && !scratch_) inputs_->set_told_at_power_on(told_at_power_on(*history_));
}

/// The session leaves its line, and may come back to where it stands.
void Session::stand_aside() {
  // A way back that costs nothing.
  timeline_->take_snapshot();
  branch_->stood_at = position();
  branch_->shown = output_.shown();
}

/// Goes to where the session last stood in it. False if it was interrupted on the way.
bool Session::enter(Branch& branch) {
  if (&branch == branch_) return true;
  stand_aside();
  make_timeline(branch);
  use(branch);
  output_.show_branch(branch.shown);
  reported_ = {};
  return timeline_->return_to(branch.stood_at, interrupted_);
}

std::optional<ForkPoint> Session::forked() const {
  if (branch_->parent == nullptr) return std::nullopt;
  return ForkPoint{branch_->name, branch_->from, scratch_ != nullptr};
}

std::vector<BranchInfo> Session::branches() const {
  const Branch* current = scratch_ ? scratch_->parent : branch_;
  std::vector<BranchInfo> list;
  for (const auto& branch : branches_) {
    list.push_back({branch->name, branch->parent != nullptr ? branch->parent->name : "", branch->from,
                    branch->history->end(), branch->grows, branch.get() == current});
  }
  return list;
}

bool Session::switch_to(const std::string& name) {
  for (const auto& branch : branches_) {
    if (branch->name != name) continue;
    drop_scratch();
    if (branch.get() == branch_) return true;
    const bool arrived = enter(*branch);
    if (branch->listener != nullptr) branch->listener->on_branch(resumption_of(*branch));
    interrupted_ = false;
    return arrived;
  }
  throw Error(Exit::kUsage, "there is no branch '" + name + "'; `branches` lists them");
}

// --- making one ---

void Session::allow_forks(ForkWorld world) {
  open_images(world.drive_bases);
  world_ = std::move(world);
}

bool Session::is_taken(const std::string& name) const {
  return name == kScratchName ||
         std::any_of(branches_.begin(), branches_.end(), [&](const auto& branch) { return branch->name == name; });
}

/// Without a wish, the prefix and a number.
std::string Session::name_for(const std::string& wanted, const std::string& prefix) const {
  if (branches_.size() >= kMostBranches) throw Error(Exit::kUsage, "there are too many branches");
  if (!wanted.empty()) {
    if (!is_branch_name(wanted)) {
      throw Error(Exit::kUsage, "a branch's name has 1 to 64 letters, digits and any of ._-");
    }
    if (is_taken(wanted)) throw Error(Exit::kUsage, "there is a branch '" + wanted + "' already");
    return wanted;
  }
  std::size_t number = branches_.size();
  while (is_taken(prefix + std::to_string(number))) ++number;
  return prefix + std::to_string(number);
}

u64 Session::next_number(const HistoryListener* listener) const {
  return static_cast<u64>(std::count_if(branches_.begin(), branches_.end(), [&](const auto& branch) {
    return branch->grows && branch->listener == listener;
  }));
}

std::string Session::fork(const std::string& wanted) {
  if (recording_ == Recording::kOff) throw Error(Exit::kUsage, "this run is not recorded (--record off)");
  if (scratch_) throw Error(Exit::kUsage, "this is a throw-away copy; `scratch off` returns to history");
  if (machine_->power().off) throw Error(Exit::kUsage, "the guest is powered off; a step before it is not");
  if (live() && !in_past()) throw Error(Exit::kUsage, "this is the live end; a branch leaves from the past");
  if (!live() && !world_) throw Error(Exit::kUsage, "no branch can leave this recording");
  std::string name = name_for(wanted, "branch-");
  // Leaving a branch where it was not one yet is leaving the line it left.
  Branch* parent = branch_;
  while (position() < parent->from && parent->parent != nullptr) parent = parent->parent;
  HistoryListener* listener = parent->listener;
  if (!parent->grows) listener = world_->listen ? world_->listen(name, start_here()) : nullptr;
  if (!inputs_) {
    Machine* machine = machine_.get();
    inputs_ = std::make_unique<LiveInputs>(
        world_->inputs, [machine] { return console_room_bytes(*machine); }, world_->filter);
    waiting_ = inputs_.get();
  }
  const bool new_trace = !parent->grows && listener != nullptr;
  if (new_trace && world_->key_frames.policy != KeyFramePolicy::kOff) {
    key_frames_.emplace(world_->key_frames, position(), cpu_ns());
  }
  stand_aside();
  live_on(*parent, name, listener);
  // What the trace begins with is compared with it.
  if (new_trace) mark();
  return name;
}

/// What a trace begins with that begins here; nothing at power-on.
std::optional<TraceStart> Session::start_here() {
  if (position() == Position{0}) return std::nullopt;
  return TraceStart{make_key_frame(), history_->begin().initial_memory};
}

/// A branch leaves `parent` where the machine stands, and the session is in it from here on.
void Session::live_on(Branch& parent, std::string name, HistoryListener* listener) {
  const Position here = position();
  const u64 number = next_number(listener);
  Branch& branch = add_branch(std::move(name), &parent, here, std::make_unique<History>(*parent.history, here));
  branch.listener = listener;
  branch.number = number;
  branch.next_mark = here;
  branch.unreturned.insert(branch_->unreturned.begin(), branch_->unreturned.upper_bound(here));
  make_growing(branch);
  if (key_frames_) branch.history->note_block_reads();
  if (listener != nullptr) {
    if (number == 0) {
      branch.history->record_from_here(*listener);
    } else {
      listener->on_branch(point_of(branch));
      branch.history->set_listener(listener);
    }
  }
  branch.timeline = std::make_unique<Timeline>(*branch.history, *timeline_, here);
  use(branch);
  output_.show_branch(output_.shown().below(here));
}

/// Those that grew in this session and will not any more.
void Session::finish_others() {
  bool told = false;
  for (const auto& branch : branches_) {
    if (branch.get() == branch_ || !branch->grows || branch->finished) continue;
    branch->finished = true;
    if (branch->listener != nullptr) branch->listener->on_branch(resumption_of(*branch));
    told = told || branch->listener == branch_->listener;
    branch->history->finish(branch->power_off.value_or(Outcome{Outcome::Kind::kStopped, 0, "put aside"}));
  }
  // A reader opens the branch that was told last.
  if (told && branch_->listener != nullptr) branch_->listener->on_branch(resumption_of(*branch_));
}

// --- throw-away copies ---

void Session::set_scratch(Scratch value) {
  scratch_mode_ = value;
  if (value == Scratch::kOff) drop_scratch();
}

void Session::begin_scratch() {
  before_scratch_ = timeline_->unkept_snapshot();
  reported_before_scratch_ = reported_;
  scratch_ = std::make_unique<Branch>();
  scratch_->name = kScratchName;
  scratch_->parent = branch_;
  scratch_->from = position();
  scratch_->history = history_;
  scratch_->grows = true;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    auto disk = std::make_unique<ScratchDisk>(images_[i].get(), static_cast<u8>(i), *history_);
    disk->on_hole([this, i](u64 index) { say_hole(i, index); });
    scratch_->disks.push_back(std::move(disk));
  }
  SnapshotOptions none;
  none.policy = SnapshotPolicy::kNone;
  scratch_->timeline = std::make_unique<Timeline>(*history_, *machine_, output_, none);
  output_.set_aside(true);
  use(*scratch_);
}

/// As if nothing had been written: the same position, the same state, and what was said there.
void Session::drop_scratch() {
  if (!scratch_) return;
  const std::unique_ptr<Branch> copy = std::move(scratch_);
  output_.set_aside(false);
  use(*copy->parent);
  timeline_->restore(before_scratch_);
  before_scratch_.reset();
  reported_ = reported_before_scratch_;
}

}  // namespace retrov
