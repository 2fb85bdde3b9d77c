// What a person gets at one session: the prompt, gdb at a socket, and signals that break off what moves. `run`,
// `record`, `replay` and `debug` are made of these parts.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "cli/progress.hpp"
#include "cli/repl.hpp"
#include "cli/signals.hpp"
#include "cli/symbols.hpp"
#include "gdbstub/server.hpp"
#include "gdbstub/stub.hpp"
#include "replay/commands.hpp"
#include "replay/session.hpp"
#include "replay/trace_symbols.hpp"

namespace retrov {

class FrontEnd {
 public:
  /// All must outlive it.
  FrontEnd(Session& session, const Symbols& symbols, Signals& signals);
  ~FrontEnd();
  FrontEnd(const FrontEnd&) = delete;
  FrontEnd& operator=(const FrontEnd&) = delete;

  /// How the prompt's `continue` runs the guest; set before the prompt is used.
  void on_resume(std::function<Stop(Direction)> resume) { context_.resume = std::move(resume); }
  /// For `info recording` and `stats`.
  void describe_recording(std::function<void(std::ostream&)> describe) {
    context_.describe_recording = std::move(describe);
  }
  /// Bookmarks of `branch`, and of branches that leave it, are kept for the trace with that id, where it is main.
  /// `packed` are those in the trace itself.
  void keep_bookmarks(const std::array<u8, 16>& id, const std::string& branch, std::vector<Bookmark> packed = {});
  /// What `export` puts into a trace beside history; must outlive it.
  void export_symbols(const std::vector<SymbolFile>* files) { symbol_files_ = files; }
  /// Of a word for one. Throws Error.
  [[nodiscard]] Position find_position(const std::string& word);
  /// What gdb is told when the guest has ended.
  void set_exit_report(ExitReport value) { stub_.set_exit_report(value); }

  /// Lets gdb attach there. A client that has come already waits to be served.
  void adopt(std::unique_ptr<Server> server);
  /// The same with a server of its own; returns what to write after `target remote`. Throws Error if the address is
  /// taken, or if there is a server already.
  std::string listen(const ListenAddress& address);
  /// Lets one more gdb attach where `first` listens, which must outlive it.
  void share(FrontEnd& first);
  /// No gdb is attached to this one nor to any that shares its address.
  [[nodiscard]] bool deserted() const { return server_->deserted(); }
  [[nodiscard]] bool listens() const { return server_ != nullptr; }
  /// A gdb that has gone can be followed by another one.
  [[nodiscard]] bool takes_others() const { return server_ != nullptr && server_->takes_others(); }
  [[nodiscard]] bool client_waiting() const { return server_ != nullptr && server_->client_waiting(); }
  /// Serves one gdb, waiting for it if none is there; signals break it off.
  ServeResult serve();
  /// The same on a thread that signals do not reach.
  ServeResult serve_beside();
  /// A gdb is being served. Any thread.
  [[nodiscard]] bool gdb_attached() const { return serving_ && client_came_; }
  /// Makes serve() return, and whatever moves stop. Any thread.
  void break_off();
  /// Forgets a break_off() that came when nothing moved.
  void settle();

  /// Reads and runs commands. Left also when gdb has come.
  PromptEnd prompt();
  [[nodiscard]] Prompt& lines() { return lines_; }
  [[nodiscard]] CommandContext& context() { return context_; }
  /// Runs the guest forward, at most to `limit`; signals break the run off.
  Stop run(Position limit);
  /// For the prompt, which lets signals break off what it does: a gdb that comes breaks it off, too.
  Stop resume(Direction direction);

 private:
  void export_trace(const std::string& path, std::ostream& out);
  void describe_effort(std::ostream& out) const;
  void describe_snapshots(std::ostream& out) const;
  void run_monitor(std::string_view line, std::ostream& out, MonitorControls& controls);
  [[nodiscard]] CommandContext make_context();

  Session& session_;
  const Symbols& symbols_;
  const std::vector<SymbolFile>* symbol_files_ = nullptr;
  Signals& signals_;
  Progress progress_;
  Places places_;
  CommandContext context_;
  CommandContext monitor_context_;
  Prompt lines_;
  DebuggerView view_;
  Stub stub_;
  std::atomic<bool> serving_{false};
  std::atomic<bool> client_came_{false};
  std::unique_ptr<Server> server_;
  std::atomic<bool> running_{false};  ///< run() moves the machine.
};

/// Listens when it returns. Throws Error if the address is taken.
[[nodiscard]] std::unique_ptr<Server> open_server(const ListenAddress& address);

/// What gdb types to attach, for people: "target remote 127.0.0.1:1234".
[[nodiscard]] std::string attach_hint(const std::string& target);

}  // namespace retrov
