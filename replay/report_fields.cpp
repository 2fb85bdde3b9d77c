#include "replay/report_fields.hpp"

#include <iomanip>
#include <ostream>

namespace retrov {

std::string hex(u64 value, int digits) {
  std::ostringstream out;
  out << std::hex << std::setfill('0') << std::setw(digits) << value;
  return out.str();
}

std::string bytes_as_hex(std::span<const u8> bytes) {
  std::string text;
  for (const u8 byte : bytes) text += hex(byte, 2);
  return text;
}

std::string in_quotes(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    const u8 byte = static_cast<u8>(c);
    if (c == '\n') {
      result += "\\n";
    } else if (c == '"' || c == '\\') {
      result += {'\\', c};
    } else if (byte < 0x20 || byte >= 0x7f) {
      result += "\\u" + hex(byte, 4);
    } else {
      result += c;
    }
  }
  return result + '"';
}

std::string in_quotes(std::span<const u8> bytes) {
  return in_quotes(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

const char* outcome_name(Outcome::Kind kind) {
  switch (kind) {
    case Outcome::Kind::kUnknown:
      return "unknown";
    case Outcome::Kind::kPoweredOff:
      return "powered-off";
    case Outcome::Kind::kStopped:
      return "stopped";
    case Outcome::Kind::kInterrupted:
      return "interrupted";
  }
  return "unknown";
}

void Fields::put(const char* name, std::string_view json, std::string_view human) {
  if (!human.empty() || format_ == ReportFormat::kJson) add(name, json, std::string(name) + ' ' + std::string(human));
}

void Fields::close() { out_ << (format_ == ReportFormat::kJson ? "}" : ""); }

void Fields::add(const char* name, std::string_view json, std::string_view human) {
  if (format_ == ReportFormat::kJson) {
    out_ << (first_ ? "{" : ", ") << in_quotes(std::string_view(name)) << ": " << json;
  } else {
    out_ << (first_ ? "" : "  ") << human;
  }
  first_ = false;
}

}  // namespace retrov
