// Hands the command line over, and turns how it went into an exit status.
#include <fcntl.h>
#include <unistd.h>

#include <exception>
#include <new>
#include <string>
#include <system_error>
#include <vector>

#include "cli/messages.hpp"
#include "cli/subcommands.hpp"
#include "core/check.hpp"

namespace {

/// A file opened later must not become standard output because somebody started us without one.
void open_standard_files() {
  for (int fd = 0; fd < 3; ++fd) {
    if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY) < 0) _exit(70);
  }
}

}  // namespace

int main(int argc, char** argv) {
  using retrov::Exit;
  open_standard_files();
  try {
    const std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
    return retrov::run_command_line(arguments);
  } catch (const retrov::Error& error) {
    retrov::say(error.what());
    return static_cast<int>(error.exit_code());
  } catch (const std::bad_alloc&) {
    retrov::say("the host is out of memory");
    return static_cast<int>(Exit::kUnavailable);
  } catch (const std::system_error& error) {
    // A thread that the host does not give.
    retrov::say(std::string("the host refuses: ") + error.what());
    return static_cast<int>(Exit::kUnavailable);
  } catch (const std::exception& error) {
    retrov::say(std::string("internal error: ") + error.what());
    return static_cast<int>(Exit::kInternal);
  }
}
