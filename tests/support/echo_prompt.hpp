// The prompt on the recording of a guest that echoes what is typed, for the tests of its words.
#pragma once

#include <memory>
#include <sstream>
#include <string>

#include "core/check.hpp"
#include "replay/commands.hpp"
#include "replay/session.hpp"
#include "tests/catch.hpp"
#include "tests/support/guest_bench.hpp"

namespace retrov::test {

struct EchoPrompt {
  explicit EchoPrompt(unsigned harts = 1)
      : session(Session::replay(record_guest("echo", harts, 5).history, EngineKind::kFast, screen)),
        context{*session, places} {
    context.where = Offered::kPromptOnly;
  }
  std::string run(const std::string& line) {
    std::ostringstream out;
    run_command(context, line, out);
    return out.str();
  }
  /// What is said, in one line, to a command that is refused: nothing moves and nothing else is said.
  std::string refusal(const std::string& line) {
    const Position before = session->position();
    std::ostringstream out;
    try {
      run_command(context, line, out);
    } catch (const Error& error) {
      CHECK(session->position() == before);
      CHECK(out.str().empty());
      CHECK(std::string(error.what()).find('\n') == std::string::npos);
      return error.what();
    }
    return "accepted";
  }

  Screen screen;
  std::unique_ptr<Session> session;
  Places places;
  CommandContext context;
};

}  // namespace retrov::test
