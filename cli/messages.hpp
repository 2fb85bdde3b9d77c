// What retrov itself says, apart from the guest: lines on standard error that begin with "retrov: ", so that nobody
// takes them for the guest's.
#pragma once

#include <string>

namespace retrov {

void say(const std::string& sentence);

}  // namespace retrov
