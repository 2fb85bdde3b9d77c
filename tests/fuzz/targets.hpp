// What libFuzzer feeds: one function for each place where bytes of strangers come in. A target returns when the input
// was taken or refused in the way its callers are promised; anything else is a finding: an RV_CHECK, a sanitizer, an
// exception that no caller catches, a property that does not hold.
//
// The same functions run over the kept corpora in `make check` (tests/fuzz_corpus_test.cpp), so each row of the table
// needs a file NAME.cpp here and a folder corpus/NAME.
#pragma once

#include <array>
#include <span>
#include <string_view>
#include <vector>

#include "core/types.hpp"

namespace retrov::fuzz {

void agent(std::span<const u8> input);
void device_tree(std::span<const u8> input);
void elf(std::span<const u8> input);
void framing(std::span<const u8> input);
void htif(std::span<const u8> input);
void linux_image(std::span<const u8> input);
void packets(std::span<const u8> input);
void registers(std::span<const u8> input);
void replay(std::span<const u8> input);
void state(std::span<const u8> input);
void trace(std::span<const u8> input);
void virtio(std::span<const u8> input);

struct Target {
  std::string_view name;
  void (*run)(std::span<const u8> input);
  bool is_trace = false;  ///< Has checksums, which a mutator must mend.
};

inline constexpr std::array kTargets = {
    Target{"agent", agent},         Target{"device_tree", device_tree}, Target{"elf", elf},
    Target{"framing", framing},     Target{"htif", htif},               Target{"linux_image", linux_image},
    Target{"packets", packets},     Target{"registers", registers},     Target{"replay", replay, true},
    Target{"state", state},         Target{"trace", trace, true},       Target{"virtio", virtio},
};

}  // namespace retrov::fuzz
