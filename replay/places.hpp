// What a session remembers of places in its history on behalf of a person: shared by the prompt and gdb's `monitor`.
#pragma once

#include "replay/bookmarks.hpp"
#include "replay/visited.hpp"

namespace retrov {

struct Places {
  Bookmarks bookmarks;
  Visited visited;
};

}  // namespace retrov
