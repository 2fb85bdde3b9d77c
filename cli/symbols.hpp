// Names for addresses, from ELF files: what the prompt prints beside a pc, and what it takes instead of a number.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/types.hpp"

namespace retrov {

class Symbols {
 public:
  /// Adds the symbols of an ELF image; other images have none. Throws Error(kNoInput) for a broken ELF.
  void add(std::span<const u8> image);
  /// --symbols. Throws Error(kNoInput) also for what is no ELF: somebody expects names from it.
  void add_file(const std::string& path);
  [[nodiscard]] bool empty() const { return by_name_.empty(); }
  [[nodiscard]] std::optional<u64> find(std::string_view name) const;
  /// "name" or "name+0x10"; empty if no function or object is near.
  [[nodiscard]] std::string near(VirtAddr address) const;

 private:
  struct Place {
    std::string name;
    u64 size_bytes = 0;
  };
  std::map<std::string, u64, std::less<>> by_name_;
  std::map<u64, Place> by_address_;
};

}  // namespace retrov
