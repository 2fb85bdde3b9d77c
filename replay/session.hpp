// A debugging session: one machine that can be anywhere in one history, behind the interface that front ends use. A
// live session is the same thing with an end that still grows; below the end only the history is asked, at the end
// the outside world is.
//
// Must stay true: moving, looking and stopping never change history; only running, typing and writing at the live end
// extend it. Where a stop lies is a function of the history and of the request (docs/gdb.md, "Steps and stops"), never
// of the snapshots there happen to be.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "replay/backward_search.hpp"
#include "replay/beginning.hpp"
#include "replay/branch.hpp"
#include "replay/debugger.hpp"
#include "replay/disks.hpp"
#include "replay/guest_memory.hpp"
#include "replay/history.hpp"
#include "replay/key_frame_plan.hpp"
#include "replay/live_inputs.hpp"
#include "replay/marks.hpp"
#include "replay/stop_filter.hpp"
#include "replay/timeline.hpp"

namespace retrov {

class SideCursor;

enum class Recording : bool { kOff, kOn };

/// A search that goes no further is over before a second machine is of any use: 50 ms or so.
inline constexpr u64 kSearchAloneSteps = 20'000'000;

struct LiveSetup {
  BoardConfig board;
  /// Where it begins if that is not power-on.
  HistoryBegin begin = {};
  EngineKind engine = EngineKind::kFast;
  LiveOptions inputs;
  ConsoleFilter filter;
  /// Paths of the images, one per board.disks.
  std::vector<std::string> disk_images;
  /// kOff: nothing is kept, the session cannot go back and says so.
  Recording recording = Recording::kOn;
  /// Null: each block is read from its image. Else those that this history has are as they were there.
  const History* known_blocks = nullptr;
  /// Told of everything recorded (the trace writer); may be null.
  HistoryListener* listener = nullptr;
  SnapshotOptions snapshots;
  MarkPlan marks;
  /// Told to the listener.
  KeyFrameOptions key_frames = {};
};

/// What branches of a recording need of the outside world.
struct ForkWorld {
  LiveOptions inputs;
  ConsoleFilter filter = {};
  /// Paths of images, one per disk of the board, for blocks that the recording lacks; empty: such a block is an I/O
  /// error to the guest.
  std::vector<std::string> drive_bases = {};
  /// Asked for each branch that leaves the recording: what to tell it to, which begins with `start` unless
  /// that is power-on, and must outlive the session; null: nobody. Throws Error if it cannot be.
  std::function<HistoryListener*(const std::string& branch, std::optional<TraceStart> start)> listen = {};
  KeyFrameOptions key_frames = {};
};

/// A branch as a trace has it.
struct RecordedBranch {
  std::string name;
  std::size_t parent = 0;  ///< Its index; the first has none.
  Position from;
  std::unique_ptr<History> history;
};

class Session final : public Debugger {
 public:
  /// Console output and notices go to `output`, each once however often the past is executed again. `output` and the
  /// setup's listener must outlive the session. Throws Error if a disk image cannot be opened.
  static std::unique_ptr<Session> live(LiveSetup setup, OutputSink& output);
  /// Stands at the beginning. Throws Error (kBadTrace) if the history's board is none.
  static std::unique_ptr<Session> replay(std::unique_ptr<History> history, EngineKind engine, OutputSink& output,
                                         const SnapshotOptions& snapshots = {});
  /// The same for all branches of a trace, in the one with that index. A parent comes before those that leave it.
  static std::unique_ptr<Session> replay(std::vector<RecordedBranch> branches, std::size_t current, EngineKind engine,
                                         OutputSink& output, const SnapshotOptions& snapshots = {});
  ~Session() override;

  // --- Debugger ---
  [[nodiscard]] Position position() const override;
  [[nodiscard]] Position begin() const override { return history_->begin().at; }
  [[nodiscard]] Position end() const override;
  [[nodiscard]] bool live() const override { return (scratch_ ? scratch_->parent : branch_)->grows; }
  [[nodiscard]] u64 event_number() const override;
  [[nodiscard]] int exit_status() const override { return machine_->power().status; }
  [[nodiscard]] const Machine& machine() const override { return *machine_; }
  [[nodiscard]] u64 hash() override;
  [[nodiscard]] std::vector<ComponentHash> component_hashes() override;
  [[nodiscard]] u64 event_count() const override;
  [[nodiscard]] const Event& event(u64 number) const override;
  [[nodiscard]] std::size_t read_memory(unsigned hart, AddressSpace space, u64 address,
                                        std::span<u8> out) const override;
  void write_memory(unsigned hart, AddressSpace space, u64 address, std::span<const u8> bytes) override;
  void write_register(unsigned hart, RegisterId id, u64 value) override;
  void reset_machine() override;
  void set_stops(const StopRequest& stops) override;
  Stop step(unsigned hart, Direction direction) override;
  Stop step_range(unsigned hart, VirtAddr start, VirtAddr end) override;
  Stop resume(Direction direction) override;
  void seek(Position target) override;
  Position scan(const StopRequest& request, Position from, Position to) override;
  Position accesses(const AccessOrder& order, const AccessVisit& visit) override;
  void look_at(Position at, const std::function<void(const Machine&, const Snapshot&)>& look) override;
  [[nodiscard]] std::optional<Position> execution(VirtAddr address, u64 number) override;
  /// What it breaks off returns kInterrupted. If nothing moves, the next move is broken off.
  void interrupt() noexcept override;
  void set_step_irq(StepIrq value) override { step_irq_ = value; }
  [[nodiscard]] StepIrq step_irq() const override { return step_irq_; }
  void set_edge(Edge value) override { edge_ = value; }
  [[nodiscard]] Edge edge() const override { return edge_; }
  [[nodiscard]] std::optional<ForkPoint> forked() const override;
  void set_scratch(Scratch value) override;
  [[nodiscard]] Scratch scratch() const override { return scratch_mode_; }
  std::string fork(const std::string& name) override;
  std::string power_cycle() override;
  [[nodiscard]] std::vector<BranchInfo> branches() const override;
  [[nodiscard]] bool switch_to(const std::string& name) override;

  void set_stop_settings(const StopSettings& value) override {
    stop_settings_ = value;
    output_.repeat(value.replay_output);
  }
  [[nodiscard]] const StopSettings& stop_settings() const override { return stop_settings_; }
  void set_only_hart(std::optional<unsigned> hart) override { only_hart_ = hart; }

  // --- for the commands ---
  /// resume(kForward), but at most to `limit`, where it is a kStep.
  Stop run_to(Position limit);
  [[nodiscard]] const History& history() const { return *history_; }
  [[nodiscard]] const SnapshotStore& snapshots() const { return timeline_->snapshots(); }
  [[nodiscard]] Timeline::WorstSeek worst_seek() const { return timeline_->worst_seek(); }
  /// Lets branches leave a recording. Once, before the first. Throws Error if an image cannot be opened.
  void allow_forks(ForkWorld world);
  /// Tells all of the line the session is in, and how it ended; a session that grows goes on. At the live end it is
  /// told with a mark. Throws Error if nothing is recorded.
  void tell_all(HistoryListener& listener);
  /// Throws Error if there is nothing that tell_all could tell.
  void check_telling() const;
  /// Steps made by this session in all its branches, again or for the first time, and the CPU time they took.
  [[nodiscard]] Effort effort() const;
  /// Forgets an interrupt() that came when nothing moved.
  void settle() noexcept { interrupted_ = false; }
  /// Live: goes to the live end, tells the history how it ended and marks the end; other branches that grow are told
  /// that they were put aside. Once; nothing may be resumed after it. Throws Error if the live end cannot be reached;
  /// the history is ended all the same.
  void finish(Outcome::Kind kind);
  /// Writes what the guest wrote to `snapshot=off` disks into their images, as it is at the live end. Throws Error
  /// (kIo) that names those which could not be written, when the others are.
  void commit_disks();
  /// Told after every stretch of a long move (at least every 50 ms of host time), for progress lines. May be empty.
  void set_progress(std::function<void()> progress);
  /// How many threads search backwards: with two, the second runs through the next stretch on a machine of its own,
  /// once the first has run through `alone_steps` in vain. More are two.
  void set_jobs(unsigned jobs, u64 alone_steps = kSearchAloneSteps);

 private:
  /// How a stretch forward ended.
  enum class Went : u8 {
    kStop,         ///< At one of the stops asked for.
    kLimit,
    kEdge,         ///< At the end of what is known, and this move does not go beyond it.
    kPoweredOff,
    kInterrupted,
    kEnded,        ///< Live, and the guest waits for input that cannot come.
  };
  class Move;
  class Trial;
  class Excursion;
  class Silence;
  /// What the last move has said of where it stopped; the next move does not say it again.
  struct Reported {
    std::optional<Position> access;       ///< The access made just before; it stopped a move backwards.
    std::optional<Position> instruction;  ///< The next instruction, which stopped a move for its own sake.
  };

  Session(OutputSink& output, Recording recording);
  void start(EngineKind engine, const SnapshotOptions& snapshots);

  // session.cpp
  /// There is recorded history after here.
  [[nodiscard]] bool in_past() const;
  /// One can go back to every position of the line the machine is in.
  [[nodiscard]] bool keeps_history() const { return recording_ == Recording::kOn && !scratch_; }
  [[nodiscard]] StopSet wanted() const;
  [[nodiscard]] Outcome outcome() const;
  [[nodiscard]] Stop stop_at(StopReason reason, unsigned hart, std::string note = {}) const;
  void check_target(Position target) const;
  void check_excursion(Position furthest) const;
  void check_history() const;
  /// Does something elsewhere in the history; when it returns or throws the session is what it was. Throws Error as
  /// look_at does.
  void go_aside(Position at, const std::function<void()>& what);
  [[nodiscard]] bool may_write_device(const PhysicalPiece& piece) const;
  void apply_live(std::vector<Input> inputs);
  void apply_here(std::vector<Input> inputs, std::optional<Position>& reported_instruction);

  // session_branches.cpp, session_power.cpp: branches and throw-away copies
  void open_images(const std::vector<std::string>& paths);
  Branch& add_branch(std::string name, Branch* parent, Position from, std::unique_ptr<History> history);
  void use(Branch& branch);
  bool enter(Branch& branch);
  void make_growing(Branch& branch);
  void stand_aside();
  void live_on(Branch& parent, std::string name, HistoryListener* listener);
  [[nodiscard]] bool is_taken(const std::string& name) const;
  [[nodiscard]] std::string name_for(const std::string& wanted, const std::string& prefix) const;
  [[nodiscard]] std::optional<TraceStart> start_here();
  [[nodiscard]] u64 next_number(const HistoryListener* listener) const;
  void begin_scratch();
  void drop_scratch();
  void finish_others();
  void say_hole(std::size_t disk, u64 index);

  // session_live.cpp: forward, across the end of history
  Went go(StopSet* stops, Position limit);
  Went go_once(StopSet* stops, Position limit);
  Went run_live(StopSet* stops, Position limit);
  void choose_harts(StopSet* stops, Position limit);
  [[nodiscard]] bool stops_at_end(StopSet& stops);
  [[nodiscard]] std::optional<WatchReport> try_access(StopSet& stops);
  [[nodiscard]] bool goes_on_from(StopSet& stops);
  std::optional<WatchReport> return_before_access();
  [[nodiscard]] Stop stop_for(Went went, const StopSet& stops) const;
  [[nodiscard]] bool handled(const StopHit& hit);
  void mark();
  /// A light mark where inputs come in, unless there has been one a moment ago.
  void mark_input();
  void add_key_frame();
  [[nodiscard]] KeyFrame make_key_frame();

  // session_step.cpp: steps of one hart
  /// A stop at the instruction where the hart stands: a CSR that is watched, an ebreak.
  enum class Instruction : bool { kLookedAt, kPassed };
  Stop step_forward(unsigned hart, Instruction here);
  Stop step_backward(unsigned hart);
  std::optional<Stop> raw_step(unsigned hart, Instruction here);
  std::optional<Stop> make_step(Instruction here);
  std::optional<Stop> run_to_hart(unsigned hart);
  std::optional<Stop> leave_handler(unsigned hart, Position taken_at, unsigned depth);
  void pass_debugger_writes();
  [[nodiscard]] bool is_at_breakpoint(unsigned hart) const;
  [[nodiscard]] bool stops_at_breakpoint_of(unsigned hart);
  [[nodiscard]] std::vector<Position> open_handlers(unsigned hart) const;
  [[nodiscard]] std::optional<Position> previous_stop(unsigned hart, const std::vector<Position>& inside) const;
  [[nodiscard]] std::optional<Position> left_out_for(unsigned hart, const std::vector<Position>& inside) const;

  // session_search.cpp: backwards
  Stop resume_backward();
  Stop go_to_begin(unsigned hart);
  [[nodiscard]] std::optional<Stop> last_stop_between(Position from, Position to);
  Stop arrive(const PastStop& found);
  [[nodiscard]] std::optional<PastStop> last_stop(Position from, std::function<bool(const PastStop&)> accept,
                                                  bool& broken_off);
  SideCursor* side_cursor();

  OutputLog output_;
  const Recording recording_;
  std::vector<std::string> disk_images_;
  std::vector<std::unique_ptr<DiskImage>> images_;  ///< One per disk; null: there is none.
  std::vector<bool> holes_said_;                    ///< One per disk.
  std::vector<std::unique_ptr<DiskSlot>> slots_;
  std::unique_ptr<Machine> machine_;
  std::unique_ptr<LiveInputs> inputs_;
  std::atomic<LiveInputs*> waiting_{nullptr};  ///< The same for interrupt(), which another thread may call.
  NoInputs no_inputs_;
  std::optional<KeyFramePlan> key_frames_;  ///< Of a recording that shall have some.
  std::optional<ForkWorld> world_;  ///< Of a replay from which branches may leave.

  std::vector<std::unique_ptr<Branch>> branches_;
  std::unique_ptr<Branch> scratch_;
  KeptPointer before_scratch_;
  Reported reported_before_scratch_;
  Scratch scratch_mode_ = Scratch::kOff;
  // The line of history the machine is in, and parts of it.
  Branch* branch_ = nullptr;
  History* history_ = nullptr;
  Timeline* timeline_ = nullptr;
  Recorder* recorder_ = nullptr;
  MarkPlan mark_plan_;
  std::function<void()> progress_;
  unsigned jobs_ = 1;
  u64 alone_steps_ = 0;
  std::unique_ptr<SideCursor> side_;  ///< Of the last long search; null: there was none in this line.

  StopSet wanted_;
  StopRules* rules_ = nullptr;
  std::optional<RulesFilter> filter_;  ///< Asks them, of wanted_.
  StepIrq step_irq_ = StepIrq::kSkip;
  Edge edge_ = Edge::kStop;
  StopSettings stop_settings_;
  std::optional<unsigned> only_hart_;
  std::atomic<bool> interrupted_{false};
  const std::atomic<bool> never_interrupted_{false};  ///< For ways that must be gone to their end.
  /// Of the move in hand: it may go beyond the end of history.
  bool may_cross_ = false;
  /// Of the last kStop at a watched access.
  std::optional<WatchReport> watch_report_;
  unsigned silent_accesses_ = 0;  ///< Watched accesses in a row that there was nothing to say about.
  Reported reported_;
};

}  // namespace retrov
