// Runs a command line in a child process, as main would, with standard input, output and errors in pipes.
#pragma once

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "cli/messages.hpp"
#include "cli/subcommands.hpp"
#include "core/check.hpp"
#include "tests/support/paths.hpp"

namespace retrov::test {

struct CliResult {
  int status = -1;  ///< 128 + n after a signal.
  std::string out;
  std::string err;
};

/// Where these go before a reporter of the tests catches them.
inline std::streambuf* const kOwnOutput = std::cout.rdbuf();
inline std::streambuf* const kOwnErrors = std::cerr.rdbuf();

/// `input` is all there is to read; it ends after that.
inline CliResult run_cli(const std::vector<std::string>& arguments, const std::string& input = {}) {
  std::array<int, 2> in{}, out{}, err{};
  if (pipe(in.data()) != 0 || pipe(out.data()) != 0 || pipe(err.data()) != 0) throw std::runtime_error("no pipe");
  std::cout.flush();
  const pid_t child = fork();
  if (child == 0) {
    dup2(in[0], STDIN_FILENO);
    dup2(out[1], STDOUT_FILENO);
    dup2(err[1], STDERR_FILENO);
    for (const auto& ends : {in, out, err}) {
      for (const int fd : ends) close(fd);
    }
    std::cout.rdbuf(kOwnOutput);
    std::cerr.rdbuf(kOwnErrors);
    int status = 99;
    try {
      status = run_command_line(arguments);
    } catch (const Error& error) {
      say(error.what());
      status = static_cast<int>(error.exit_code());
    }
    std::cout.flush();
    std::fflush(nullptr);
    _exit(status);
  }
  for (const int fd : {in[0], out[1], err[1]}) close(fd);
  // Short enough for a pipe's buffer.
  if (write(in[1], input.data(), input.size()) != static_cast<ssize_t>(input.size()))
    throw std::runtime_error("no input");
  close(in[1]);
  CliResult result;
  std::array<pollfd, 2> fds = {pollfd{out[0], POLLIN, 0}, pollfd{err[0], POLLIN, 0}};
  std::array<std::string*, 2> texts = {&result.out, &result.err};
  while (fds[0].fd >= 0 || fds[1].fd >= 0) {
    poll(fds.data(), fds.size(), -1);
    for (std::size_t i = 0; i < fds.size(); ++i) {
      if (fds[i].fd < 0 || fds[i].revents == 0) continue;
      std::array<char, 4096> bytes;
      const ssize_t count = read(fds[i].fd, bytes.data(), bytes.size());
      if (count > 0) {
        texts[i]->append(bytes.data(), static_cast<std::size_t>(count));
      } else {
        close(fds[i].fd);
        fds[i].fd = -1;
      }
    }
  }
  int waited = 0;
  waitpid(child, &waited, 0);
  result.status = WIFEXITED(waited) ? WEXITSTATUS(waited) : 128 + WTERMSIG(waited);
  return result;
}

/// A folder that is gone at the end.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "retrov-cli-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no folder");
    path_ = pattern;
  }
  ~ScratchFolder() { std::filesystem::remove_all(path_); }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline std::string guest_path(const std::string& name) { return build_dir() + "/guests/" + name + ".elf"; }

inline std::string read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace retrov::test
