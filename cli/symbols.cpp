#include "cli/symbols.hpp"

#include <sstream>

#include "cli/images.hpp"
#include "core/check.hpp"
#include "core/elf.hpp"

namespace retrov {

void Symbols::add(std::span<const u8> image) {
  if (!is_elf(image)) return;
  const Elf elf = parse_elf(image);
  for (const ElfSymbol& symbol : elf.symbols) {
    by_name_.emplace(symbol.name, symbol.value.value);
    // Mapping symbols ($x, $d), local labels and names of files name no place that a person would.
    if (symbol.name.starts_with("$") || symbol.name.starts_with(".L") || !elf.physical(symbol.value)) continue;
    Place& place = by_address_[symbol.value.value];
    const bool better =
        place.name.empty() || (symbol.kind == SymbolKind::kFunction && symbol.size_bytes > place.size_bytes);
    if (better) place = {symbol.name, symbol.size_bytes};
  }
}

void Symbols::add_file(const std::string& path) {
  const Image image = read_image("symbols", path);
  if (!is_elf(image.bytes)) throw Error(Exit::kNoInput, "symbols " + path + ": not an ELF file");
  try {
    add(image.bytes);
  } catch (const Error& error) {
    throw Error(error.exit_code(), "symbols " + path + ": " + error.what());
  }
}

std::optional<u64> Symbols::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) return std::nullopt;
  return found->second;
}

std::string Symbols::near(VirtAddr address) const {
  constexpr u64 kFarthest = u64{1} << 20;
  auto found = by_address_.upper_bound(address.value);
  if (found == by_address_.begin()) return {};
  --found;
  const u64 offset = address.value - found->first;
  if (offset > kFarthest || (found->second.size_bytes != 0 && offset >= found->second.size_bytes)) return {};
  if (offset == 0) return found->second.name;
  std::ostringstream text;
  text << found->second.name << "+0x" << std::hex << offset;
  return text.str();
}

}  // namespace retrov
