#include "cli/status_file.hpp"

#include <array>
#include <fstream>
#include <utility>

#include "replay/report_fields.hpp"

namespace retrov {

namespace {

std::string_view name_of(EndedBy by) {
  constexpr std::array kNames = {std::pair{EndedBy::kGuest, std::string_view("guest")},
                                 std::pair{EndedBy::kUntil, std::string_view("until")},
                                 std::pair{EndedBy::kSignal, std::string_view("signal")},
                                 std::pair{EndedBy::kUser, std::string_view("user")},
                                 std::pair{EndedBy::kRetrov, std::string_view("retrov")}};
  for (const auto& [one, name] : kNames) {
    if (one == by) return name;
  }
  RV_CHECK(!"an ending without a name");
  return {};
}

void write(const std::string& file, const std::string& json) {
  std::ofstream out(file, std::ios::trunc);
  out << json << '\n';
  if (!out.flush()) throw Error(Exit::kCannotCreate, "--status-json: cannot write " + file);
}

}  // namespace

void write_status(const std::string& file, int status, const Ending& ending) {
  if (file.empty()) return;
  write(file, object(ReportFormat::kJson, [&](Fields& fields) {
          fields.bare("status", std::to_string(status), {});
          fields.text("by", name_of(ending.by));
          if (ending.by == EndedBy::kGuest) fields.bare("guest_status", std::to_string(ending.guest_status), {});
          fields.text("why", ending.why);
          fields.number("steps", ending.end.steps);
          if (!ending.trace.empty()) fields.text("trace", ending.trace);
        }));
}

void write_status(const std::string& file, const Error& error) noexcept try {
  if (file.empty()) return;
  write(file, object(ReportFormat::kJson, [&](Fields& fields) {
          fields.number("status", static_cast<u64>(error.exit_code()));
          fields.text("by", name_of(EndedBy::kRetrov));
          fields.text("why", error.what());
        }));
} catch (const std::exception&) {
  // The error itself is what is told.
}

}  // namespace retrov
