// Where a gdb may connect, as people write it: "tcp:127.0.0.1:1234", QEMU's "tcp::1234", "unix:PATH", "stdio". A
// debugger can do anything to the guest and read all of it, so TCP is for this host alone.
#pragma once

#include <string>
#include <string_view>

#include "core/types.hpp"

namespace retrov {

struct ListenAddress {
  enum class Kind : u8 { kTcp, kUnix, kStdio };
  Kind kind = Kind::kTcp;
  u16 port = 0;      ///< kTcp; 0 picks a free one.
  std::string path;  ///< kUnix.
};

/// Throws Error (kUsage) naming what is wrong. What QEMU lets follow a comma ("server,nowait") is accepted.
[[nodiscard]] ListenAddress parse_listen_address(std::string_view text);

}  // namespace retrov
