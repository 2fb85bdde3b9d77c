#include "tests/difftest/runner_image.hpp"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>

#include "core/check.hpp"
#include "core/elf.hpp"
#include "tests/difftest/program.hpp"

namespace retrov::difftest {
namespace {

constexpr u32 kReturn = 0x00008067;

/// For each register: ld t0, 8 i(a0); csrw, or csrr and sd.
std::vector<u32> load_code() {
  std::vector<u32> code;
  for (std::size_t i = 0; i < loaded_csrs().size(); ++i) {
    code.push_back(static_cast<u32>(8 * i) << 20 | 0x00053283);
    code.push_back(u32{loaded_csrs()[i]} << 20 | 0x00029073);
  }
  code.push_back(kReturn);
  return code;
}

std::vector<u32> dump_code() {
  std::vector<u32> code;
  for (std::size_t i = 0; i < compared_csrs().size(); ++i) {
    const u32 offset = static_cast<u32>(8 * i);
    code.push_back(u32{compared_csrs()[i]} << 20 | 0x000022f3);
    code.push_back(offset >> 5 << 25 | (offset & 31) << 7 | 0x00553023);
  }
  code.push_back(kReturn);
  return code;
}

}  // namespace

RunnerImage load_runner(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::vector<char> chars{std::istreambuf_iterator<char>(file), {}};
  if (chars.empty()) throw Error(Exit::kNoInput, "cannot read " + path);
  const std::vector<u8> content(chars.begin(), chars.end());
  const Elf elf = parse_elf(content);
  RunnerImage image;
  image.bytes.resize(DT_RUNNER_BYTES);
  const auto put = [&image](u64 at, const void* from, std::size_t size_bytes) {
    RV_CHECK(at >= DT_RAM && at - DT_RAM + size_bytes <= image.bytes.size());
    std::memcpy(image.bytes.data() + (at - DT_RAM), from, size_bytes);
  };
  for (const ElfSegment& segment : elf.segments)
    put(segment.physical_address.value, segment.bytes.data(), segment.bytes.size());
  const std::vector<u32> load = load_code(), dump = dump_code();
  put(DT_LOAD_CSRS, load.data(), load.size() * 4);
  put(DT_DUMP_CSRS, dump.data(), dump.size() * 4);
  const auto symbol = [&](const char* name) {
    const ElfSymbol* found = elf.find(name);
    if (found == nullptr) throw Error(Exit::kNoInput, path + " has no symbol " + name);
    return found->value.value;
  };
  image.vectors = symbol("vectors");
  image.launch = symbol("launch");
  image.resume = symbol("resume");
  image.done = symbol("done");
  return image;
}

}  // namespace retrov::difftest
