// What retrov itself says, apart from the guest: lines on standard error that begin with "retrov: ", so that nobody
// takes them for the guest's.
#pragma once

#include <string>

#include "core/types.hpp"

namespace retrov {

void say(const std::string& sentence);

/// That a recording goes on in other files, if it does: it was a ring, and was killed or still runs.
void say_if_ring(const std::string& path);

/// For people: 6 KiB.
[[nodiscard]] std::string size_text(u64 size_bytes);

/// Behind the last word on standard output. Throws Error(kIo) if any of them did not get there.
void check_output();

}  // namespace retrov
