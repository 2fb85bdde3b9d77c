// `run`, `record`, and `debug` of a machine that is yet to run: a guest on this terminal, with gdb and the prompt at
// hand.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/console.hpp"
#include "cli/console_reader.hpp"
#include "cli/front_end.hpp"
#include "cli/images.hpp"
#include "cli/options.hpp"
#include "cli/signals.hpp"
#include "cli/stored_symbols.hpp"
#include "cli/symbols.hpp"
#include "cli/terminal.hpp"
#include "cli/until.hpp"
#include "replay/session.hpp"
#include "replay/trace_writer.hpp"

namespace retrov {

/// A seed for a guest that was given none. Throws Error.
[[nodiscard]] std::array<u8, 32> host_entropy();

/// `record`. Stops the guest as soon as the trace can no longer be written, so that nobody believes in a recording that
/// is not there. Who debugs it then still has all of its history, in memory.
class WatchedWriter final : public HistoryListener {
 public:
  /// The writer must outlive it.
  explicit WatchedWriter(TraceWriter& writer) : writer_(writer) {}
  /// Called once, when writing has failed, on the thread that runs the machine.
  void on_failure(std::function<void()> callback) { on_failure_ = std::move(callback); }

  void on_event(const Event& event) override;
  void on_block(Position before, const CapturedBlock& block) override;
  void on_mark(const HashMark& mark) override;
  void on_progress(Position now) override;
  void on_branch(const BranchPoint& branch) override;
  void on_key_frame(const KeyFrame& frame) override;
  void on_finish(Position end, const Outcome& outcome) override;

 private:
  void look();
  TraceWriter& writer_;
  std::function<void()> on_failure_;
  bool told_ = false;
};

class LiveRun {
 public:
  explicit LiveRun(const Options& options);
  ~LiveRun();
  LiveRun(const LiveRun&) = delete;
  LiveRun& operator=(const LiveRun&) = delete;

  /// Runs until the guest or the user ends it. Returns the status of the process. Throws Error.
  int run();

 private:
  enum class Next : u8 { kRun, kServe, kPrompt, kFinish };

  int run_to_end();
  void start_recording();
  void start_session();
  void find_signature();
  void write_signature();
  [[nodiscard]] bool is_script() const;
  void give_terminal_to_guest();
  void take_terminal_back();
  Next first() const;
  Next run_guest();
  Next at_reset_vector(unsigned hart);
  Next serve_gdb();
  Next after_detach();
  Next ask_user();
  [[nodiscard]] Next after_run(const Stop& stop, bool was_at_end);
  [[nodiscard]] bool until_holds(const Stop& stop);
  [[nodiscard]] Next when_over();
  Stop resume_for_prompt(Direction direction);
  int finish();
  void say_write_failure();
  void end_recording() noexcept;
  void print_summary();

  const Options& options_;
  Signals signals_;
  Terminal terminal_;
  Console console_;
  UntilWatch until_;
  std::vector<VirtAddr> until_addresses_;
  bool until_held_ = false;
  LoadedMachine machine_;
  Symbols symbols_;
  std::vector<SymbolFile> symbol_files_;  ///< For traces of this machine.
  PhysAddr signature_begin_;
  u64 signature_bytes_ = 0;
  std::unique_ptr<TraceWriter> writer_;
  std::unique_ptr<WatchedWriter> watched_writer_;
  std::unique_ptr<Session> session_;
  std::unique_ptr<FrontEnd> front_end_;
  /// Absent: nothing is typed to the guest. Calls into the front end, so it goes first.
  std::unique_ptr<ConsoleReader> reader_;
  Outcome::Kind ended_by_ = Outcome::Kind::kStopped;
  /// What the process returns if the guest did not end by itself.
  int status_ = 0;
  std::string why_ = "by the user";
  unsigned booted_harts_ = 0;  ///< A bit for each hart that has passed the reset vector once.
  bool over_said_ = false;
  std::optional<Exit> write_failure_;  ///< It was said already.
};

}  // namespace retrov
