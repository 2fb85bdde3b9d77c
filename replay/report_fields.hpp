// What reports about traces are made of: fields that print for people and as JSON, and text that is safe in both.
#pragma once

#include <iosfwd>
#include <span>
#include <sstream>
#include <string>
#include <string_view>

#include "replay/history.hpp"

namespace retrov {

enum class ReportFormat : u8 { kText, kJson };

/// At least that many digits, without 0x.
[[nodiscard]] std::string hex(u64 value, int digits = 1);
[[nodiscard]] std::string bytes_as_hex(std::span<const u8> bytes);

/// In double quotes, with the escapes of JSON; also what a terminal gets, so control characters stay harmless. Bytes
/// from 0x80 on are given as the code points of the same number: any bytes make valid JSON and can be told from each
/// other.
[[nodiscard]] std::string in_quotes(std::string_view text);
[[nodiscard]] std::string in_quotes(std::span<const u8> bytes);

[[nodiscard]] const char* outcome_name(Outcome::Kind kind);

/// A row of `name: value` for people, or a member of a JSON object. Values come ready made.
class Fields {
 public:
  /// `out` must outlive it.
  Fields(std::ostream& out, ReportFormat format) : out_(out), format_(format) {}
  void text(const char* name, std::string_view value) { put(name, in_quotes(value), value); }
  void number(const char* name, u64 value) { put(name, std::to_string(value), std::to_string(value)); }
  void hex_number(const char* name, u64 value) { put(name, std::to_string(value), "0x" + hex(value)); }
  void truth(const char* name, bool value) { put(name, value ? "true" : "false", value ? "yes" : "no"); }
  /// For people nothing if `human` is empty.
  void put(const char* name, std::string_view json, std::string_view human);
  /// For people without its name.
  void bare(const char* name, std::string_view json, std::string_view human) { add(name, json, human); }
  void close();

 private:
  void add(const char* name, std::string_view json, std::string_view human);

  std::ostream& out_;
  ReportFormat format_;
  bool first_ = true;
};

/// One row or one JSON object, of what `fill(Fields&)` puts in.
template <class Fill>
std::string object(ReportFormat format, Fill fill) {
  std::ostringstream out;
  Fields fields(out, format);
  fill(fields);
  fields.close();
  return out.str();
}

}  // namespace retrov
