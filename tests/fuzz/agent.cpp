// Agent expressions: what is accepted must end, and leave neither its stack nor its code.
#include "gdbstub/agent_expr.hpp"

#include "core/check.hpp"
#include "tests/fuzz/targets.hpp"

namespace retrov::fuzz {

namespace {

/// Registers and memory that follow from their numbers; a part of both is not there.
class TableHart final : public HartView {
 public:
  std::optional<u64> read_register(RegisterId id) const override {
    const auto number = static_cast<u64>(id);
    return number % 8 == 7 ? std::nullopt : std::optional(number * 0x0101010101010101);
  }
  std::size_t read_memory(VirtAddr address, std::span<u8> out) const override {
    std::size_t done = 0;
    for (; done < out.size() && (address.value + done) % 4096 < 4000; ++done) {
      out[done] = static_cast<u8>((address.value + done) % 251);
    }
    return done;
  }
};

}  // namespace

void agent(std::span<const u8> input) {
  for (const AgentUse use : {AgentUse::kCondition, AgentUse::kCommand}) {
    try {
      const AgentExpression expression(input, use);
      std::string printed;
      const AgentResult once = expression.evaluate(TableHart(), &printed);
      const AgentResult again = expression.evaluate(TableHart(), nullptr);
      RV_CHECK(once.value == again.value && once.fault == again.fault);
    } catch (const Error&) {
      continue;
    }
  }
}

}  // namespace retrov::fuzz
