// The entry points that libFuzzer looks for, compiled once for each target, whose name is RETROV_FUZZ_TARGET.
#include "tests/fuzz/targets.hpp"
#include "tests/fuzz/trace_mutator.hpp"

using namespace retrov;

namespace {

/// A name that is no row does not compile.
constexpr bool is_trace(void (*run)(std::span<const u8>)) {
  for (const fuzz::Target& target : fuzz::kTargets) {
    if (target.run == run) return target.is_trace;
  }
  throw "no row in kTargets";
}
constexpr bool kIsTrace = is_trace(fuzz::RETROV_FUZZ_TARGET);

}  // namespace

extern "C" std::size_t LLVMFuzzerMutate(u8* data, std::size_t size, std::size_t max_size);
extern "C" int LLVMFuzzerTestOneInput(const u8* data, std::size_t size);
extern "C" std::size_t LLVMFuzzerCustomMutator(u8* data, std::size_t size, std::size_t max_size, unsigned seed);

int LLVMFuzzerTestOneInput(const u8* data, std::size_t size) {
  fuzz::RETROV_FUZZ_TARGET({data, size});
  return 0;
}

std::size_t LLVMFuzzerCustomMutator(u8* data, std::size_t size, std::size_t max_size, unsigned seed) {
  if (!kIsTrace) return LLVMFuzzerMutate(data, size, max_size);
  return fuzz::mutate_trace({data, max_size}, size, seed, LLVMFuzzerMutate);
}
