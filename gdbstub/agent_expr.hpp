// gdb's agent expressions: small programs for a stack machine, by which a client says when a breakpoint counts and what
// to print there ("The GDB Agent Expression Mechanism" in gdb's manual). Functions on bytes: an expression is verified
// and decoded once, when it comes, and then evaluated where its stop is reached, a million times a second if need be.
//
// Must stay true: what was accepted can neither leave its stack nor its code; an evaluation ends, changes nothing that
// anybody else sees, and depends on the hart alone.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gdbstub/agent_printf.hpp"
#include "replay/debugger.hpp"

namespace retrov {

/// A condition leaves a value on the stack, a command need not.
enum class AgentUse : u8 { kCondition, kCommand };

/// How an evaluation ended.
struct AgentResult {
  u64 value = 0;            ///< Top of the stack, 0 if it is empty.
  std::string_view fault;   ///< Why there is no value; empty if there is one.
};

class AgentExpression {
 public:
  /// Throws Error if the bytes are no expression that can be evaluated: an unknown or truncated bytecode, a jump to no
  /// bytecode, an end that is missing, a stack that runs under, over, or has two heights at one place, a bad format.
  AgentExpression(std::span<const u8> bytes, AgentUse use);

  /// What `printf` says is added to `printed`, if that is not null.
  [[nodiscard]] AgentResult evaluate(const HartView& hart, std::string* printed) const;

 private:
  struct Code {
    u8 op = 0;
    u64 operand = 0;  ///< A jump's is an index of code_, printf's of formats_.
  };
  void decode(std::span<const u8> bytes);
  void verify(AgentUse use) const;

  std::vector<Code> code_;
  std::vector<AgentFormat> formats_;
};

}  // namespace retrov
