// Which build this is: what `--version` says and what the first bytes of a trace say, so that a trace which cannot be
// replayed names the build that can. Nothing the guest sees depends on it.
#pragma once

#include <string>

namespace retrov {

/// As in CHANGELOG.md; at most 15 characters.
[[nodiscard]] std::string release();
/// Abbreviated id of the commit this was built from; "unknown" outside a git tree.
[[nodiscard]] std::string commit();

}  // namespace retrov
