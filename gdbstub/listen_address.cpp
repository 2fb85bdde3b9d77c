#include "gdbstub/listen_address.hpp"

#include <charconv>

#include "core/check.hpp"

namespace retrov {
namespace {

[[noreturn]] void reject(std::string_view text, const std::string& why) {
  throw Error(Exit::kUsage, "'" + std::string(text) + "' is no place for gdb to connect: " + why);
}

bool is_loopback(std::string_view host) { return host.empty() || host == "localhost" || host == "127.0.0.1"; }

}  // namespace

ListenAddress parse_listen_address(std::string_view text) {
  const std::string_view whole = text;
  if (text == "stdio") return {ListenAddress::Kind::kStdio, 0, {}};
  if (text.starts_with("unix:")) {
    const std::string_view path = text.substr(5, text.find(',') - 5);
    if (path.empty()) reject(whole, "unix: wants a path");
    return {ListenAddress::Kind::kUnix, 0, std::string(path)};
  }
  text = text.substr(0, text.find(','));
  if (text.starts_with("tcp:")) text.remove_prefix(4);
  const std::size_t colon = text.rfind(':');
  if (colon != std::string_view::npos) {
    if (!is_loopback(text.substr(0, colon))) reject(whole, "only this host (127.0.0.1) may");
    text.remove_prefix(colon + 1);
  }
  ListenAddress result;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), result.port);
  if (failure != std::errc() || end != text.data() + text.size()) reject(whole, "want tcp::PORT, unix:PATH or stdio");
  return result;
}

}  // namespace retrov
