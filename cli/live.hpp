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
#include "cli/origin.hpp"
#include "cli/signals.hpp"
#include "cli/status_file.hpp"
#include "cli/stored_symbols.hpp"
#include "cli/symbols.hpp"
#include "cli/terminal.hpp"
#include "cli/until.hpp"
#include "cli/watched_writer.hpp"
#include "replay/session.hpp"
#include "replay/trace_sink.hpp"

namespace retrov {

/// A seed for a guest that was given none. Throws Error.
[[nodiscard]] std::array<u8, 32> host_entropy();

class LiveRun {
 public:
  explicit LiveRun(const Options& options);
  ~LiveRun();
  LiveRun(const LiveRun&) = delete;
  LiveRun& operator=(const LiveRun&) = delete;

  /// Runs until the guest or the user ends it. Returns the status of the process. Throws Error.
  int run();
  /// Behind run().
  [[nodiscard]] Ending ending() const;

 private:
  enum class Next : u8 { kRun, kServe, kPrompt, kFinish };

  int run_to_end();
  void start_recording();
  void take_symbols();
  [[nodiscard]] std::unique_ptr<TraceSink> make_writer(const std::string& path) const;
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
  std::optional<Origin> origin_;  ///< Absent: it begins at power-on.
  LoadedMachine machine_;
  Symbols symbols_;
  std::vector<SymbolFile> symbol_files_;  ///< For traces of this machine.
  PhysAddr signature_begin_;
  u64 signature_bytes_ = 0;
  std::unique_ptr<TraceSink> writer_;
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
  bool idled_ = false;         ///< --until=idle holds.
  bool over_said_ = false;
  std::optional<Exit> write_failure_;  ///< It was said already.
};

}  // namespace retrov
