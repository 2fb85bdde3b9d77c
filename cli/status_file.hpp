// --status-json: how a command ended, for scripts. A guest may end with a status that is also one of ours; here it says
// whose it was.
#pragma once

#include <string>

#include "core/check.hpp"
#include "core/types.hpp"

namespace retrov {

/// Who ended it.
enum class EndedBy : u8 { kGuest, kUntil, kSignal, kUser, kRetrov };

/// What is to be said of a run that came to an end.
struct Ending {
  EndedBy by = EndedBy::kUser;
  int guest_status = 0;  ///< If the guest ended it.
  std::string why;
  Position end;
  std::string trace;     ///< Empty: none.
};

/// Writes `file`, over one that is there; an empty name: nothing. Throws Error (kCannotCreate).
void write_status(const std::string& file, int status, const Ending& ending);
/// Of an error that ended it; what cannot be written is passed over.
void write_status(const std::string& file, const Error& error) noexcept;

}  // namespace retrov
