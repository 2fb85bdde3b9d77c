// Symbols that travel in a trace: taken from the ELFs a machine is recorded with, and given to the gdb of a replay
// where those files are not.
#pragma once

#include <string>
#include <vector>

#include "core/elf_symbols.hpp"
#include "devices/loader.hpp"
#include "replay/trace_symbols.hpp"

namespace retrov {

/// Of the kernel and the firmware, if they are ELFs, and of `files` (--symbols). Throws Error.
[[nodiscard]] std::vector<SymbolFile> symbols_to_store(const BootImages& images, const std::vector<std::string>& files,
                                                       Dwarf dwarf);

/// The stored ones that say nothing of the addresses of any of `files`, which their user has given instead. Says in a
/// line each if one of these was built from something else, by its build-id.
[[nodiscard]] std::vector<SymbolFile> not_replaced(std::vector<SymbolFile> stored,
                                                   const std::vector<std::string>& files);

/// A folder of this user's alone, with these files, as long as it lives.
class SymbolFolder {
 public:
  /// Nothing is made for no files. Throws Error(kCannotCreate) or Error(kIo).
  explicit SymbolFolder(const std::vector<SymbolFile>& files);
  ~SymbolFolder();
  SymbolFolder(const SymbolFolder&) = delete;
  SymbolFolder& operator=(const SymbolFolder&) = delete;
  [[nodiscard]] const std::vector<std::string>& paths() const { return paths_; }

 private:
  std::string folder_;
  std::vector<std::string> paths_;
};

}  // namespace retrov
