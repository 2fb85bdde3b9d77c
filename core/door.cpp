#include "core/door.hpp"

#include <type_traits>
#include <utility>

#include "core/varint.hpp"

namespace retrov {

namespace {

template <std::size_t... I>
InputKind make_kind(std::size_t number, std::index_sequence<I...>) {
  InputKind kind;
  (void)((I == number && (kind = std::variant_alternative_t<I, InputKind>{}, true)) || ...);
  return kind;
}

/// What is for the machine itself and what is for a device are told apart before anything is handed to either.
bool for_machine(const InputKind& what) {
  return !std::holds_alternative<ConsoleBytes>(what) && !std::holds_alternative<RtcStart>(what);
}

Input read_input(StateReader& in) {
  Input input;
  u8 number = 0;
  in(input.device, number);
  if (number >= std::variant_size_v<InputKind>) throw Error(Exit::kBadTrace, "input of an unknown kind");
  input.what = make_kind(number, std::make_index_sequence<std::variant_size_v<InputKind>>{});
  std::visit([&in](auto& what) { in(what); }, input.what);
  if (for_machine(input.what) != (input.device == kMachineItself)) {
    throw Error(Exit::kBadTrace, std::string("input '") + input_name(input.what) + "' for the wrong device");
  }
  const auto* write = std::get_if<DebuggerWrite>(&input.what);
  if (write != nullptr) {
    const bool known = write->space == DebuggerWrite::Space::kPhysicalMemory ||
                       (write->space == DebuggerWrite::Space::kRegister && write->bytes.size() == sizeof(u64));
    if (!known) throw Error(Exit::kBadTrace, "debugger write of an unknown form");
  }
  return input;
}

}  // namespace

const char* input_name(const InputKind& kind) {
  return std::visit([](const auto& what) { return std::decay_t<decltype(what)>::kName; }, kind);
}

void write_event(StateWriter& out, const Event& event) {
  write_varint(out, event.at.steps);
  write_varint(out, event.batch.wake.value);
  write_varint(out, event.batch.inputs.size());
  for (const Input& input : event.batch.inputs) {
    out(input.device, static_cast<u8>(input.what.index()));
    std::visit([&out](const auto& what) { out(what); }, input.what);
  }
}

Event read_event(StateReader& in) {
  Event event;
  event.at.steps = read_varint(in);
  event.batch.wake.value = read_varint(in);
  const u64 count = read_varint(in);
  in.require(count);
  if (count == 0) throw Error(Exit::kBadTrace, "event without inputs");
  // No reserve: an input takes more memory than bytes here, and the count is not to be believed.
  for (u64 i = 0; i < count; ++i) event.batch.inputs.push_back(read_input(in));
  return event;
}

}  // namespace retrov
