// The symbols in a trace: ELFs that have names and no program (core/elf_symbols), in optional frames behind the initial
// memory. They change nothing that replays.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "core/types.hpp"

namespace retrov {

inline constexpr u64 kMaxSymbolFiles = 16;
inline constexpr u64 kMaxSymbolBytes = u64{1} << 30;  ///< Of all of them.
inline constexpr u64 kSymbolChunkBytes = u64{1} << 20;

struct SymbolFile {
  std::string name;  ///< Of the file it was made of, without its folder.
  std::vector<u8> bytes;
};

/// The payloads of the frames for these files, in order. Files beyond the limits are left out.
[[nodiscard]] std::vector<std::vector<u8>> encode_symbols(const std::vector<SymbolFile>& files);

/// Puts files together from payloads in the order of the trace.
class SymbolCollector {
 public:
  /// What breaks the rules is passed over, for it replays without.
  void add(std::span<const u8> payload);
  /// Those that are whole.
  [[nodiscard]] std::vector<SymbolFile> take();

 private:
  struct Part {
    SymbolFile file;
    u64 size_bytes = 0;
    u64 hash = 0;
    bool broken = false;
  };
  std::map<u64, Part> parts_;
  u64 total_bytes_ = 0;
};

}  // namespace retrov
