// What is said of a live run when it is over, and what is left of it beside its trace.
#include <fstream>

#include "cli/live.hpp"
#include "cli/messages.hpp"
#include "core/check.hpp"
#include "replay/position.hpp"

namespace retrov {

Ending LiveRun::ending() const {
  Ending ending{EndedBy::kUser, 0, why_, session_->end(), writer_ ? writer_->path() : std::string()};
  const PowerState& power = session_->machine().power();
  if (write_failure_ && options_.live.on_full == OnFull::kStop) {
    ending.by = EndedBy::kRetrov;
    ending.why = "the trace could not be written";
  } else if (until_held_) {
    ending.by = EndedBy::kUntil;
  } else if (ended_by_ == Outcome::Kind::kInterrupted) {
    ending.by = EndedBy::kSignal;
    ending.why = "interrupted by a signal";
  } else if (power.off) {
    ending.by = EndedBy::kGuest;
    ending.guest_status = power.status;
    ending.why = power.why;
  }
  return ending;
}

void LiveRun::print_summary() {
  if (options_.quiet) return;
  const Machine& machine = session_->machine();
  const u64 tenths = machine.now().value / (kTicksPerSecond / 10);
  const std::string seconds = std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " s guest, ";
  say("guest stopped: " + ending().why + ". " + seconds +
      group_digits(session_->end().steps) + " steps, log " + size_text(writer_->written_bytes()));
  say("debug with: retrov replay -e");
}

void LiveRun::write_signature() {
  if (options_.live.signature.empty()) return;
  std::vector<u8> bytes(signature_bytes_);
  const std::size_t got = session_->read_memory(0, AddressSpace::kPhysical, signature_begin_.value, bytes);
  if (got != bytes.size()) throw Error(Exit::kNoInput, "--signature: the signature does not lie in RAM");
  std::string text;
  for (std::size_t word = 0; word < bytes.size(); word += 4) {
    for (std::size_t i = 4; i-- > 0;) {
      const u8 byte = word + i < bytes.size() ? bytes[word + i] : u8{0};
      text += "0123456789abcdef"[byte >> 4];
      text += "0123456789abcdef"[byte & 15];
    }
    text += '\n';
  }
  std::ofstream file(options_.live.signature, std::ios::binary | std::ios::trunc);
  if (!file) throw Error(Exit::kCannotCreate, "cannot create the signature file " + options_.live.signature);
  file << text;
  file.close();
  if (!file) throw Error(Exit::kIo, "cannot write the signature file " + options_.live.signature);
}

}  // namespace retrov
