// The state of a machine as names and values, for comparing two of them: what print_state prints, flattened. A device
// that gains a field has it here without a word.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace retrov {

class Machine;

/// "uart0.fifo.3" and its value as text.
using StateFields = std::vector<std::pair<std::string, std::string>>;

/// Of the machine itself and of its devices; what is a hart's are registers, which have names of their own.
[[nodiscard]] StateFields state_fields(const Machine& machine);

}  // namespace retrov
