// What is fuzzed (tests/fuzz), over the corpora that are kept: each input found something once, or leads where no other
// does.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "core/check.hpp"
#include "replay/trace_reader.hpp"
#include "tests/catch.hpp"
#include "tests/fuzz/targets.hpp"
#include "tests/fuzz/trace_mutator.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/trace_samples.hpp"

using namespace retrov;

namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kMostBytes = 2u << 20;

fs::path corpus_folder() { return test::source_dir() + "/tests/fuzz/corpus"; }

std::vector<fs::path> inputs_of(std::string_view target) {
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(corpus_folder() / target)) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  return paths;
}

/// Stands for libFuzzer's: another byte, or one more.
std::size_t change_a_byte(u8* data, std::size_t size, std::size_t max_size) {
  static Dice dice(5);
  if (size == 0 || (size < max_size && dice.below(8) == 0)) {
    data[size] = static_cast<u8>(dice.below(256));
    return size + 1;
  }
  data[dice.below(size)] = static_cast<u8>(dice.below(256));
  return size;
}

}  // namespace

TEST_CASE("fuzz_corpus: no input that was kept does worse than a refusal", "[fuzz_corpus]") {
  for (const fuzz::Target& target : fuzz::kTargets) {
    const std::vector<fs::path> paths = inputs_of(target.name);
    CHECK(paths.size() >= 2);
    for (const fs::path& path : paths) {
      INFO(path.string());
      CHECK_NOTHROW(target.run(read_file(path.string())));
    }
  }
}

TEST_CASE("fuzz_corpus: the corpora are those of the targets, and small", "[fuzz_corpus]") {
  std::set<std::string> folders, targets;
  std::uintmax_t bytes = 0;
  for (const auto& entry : fs::recursive_directory_iterator(corpus_folder())) {
    if (entry.is_directory()) folders.insert(entry.path().filename().string());
    if (entry.is_regular_file()) bytes += entry.file_size();
  }
  for (const fuzz::Target& target : fuzz::kTargets) targets.emplace(target.name);
  CHECK(folders == targets);
  CHECK(bytes <= kMostBytes);
}

TEST_CASE("fuzz_corpus: some of the traces can be read to their end", "[fuzz_corpus]") {
  for (const std::string_view target : {"trace", "replay"}) {
    const std::vector<fs::path> paths = inputs_of(target);
    const auto readable = std::count_if(paths.begin(), paths.end(), [](const fs::path& path) {
      return refusal(fuzz::with_own_preamble(read_file(path.string()))).empty();
    });
    INFO(target);
    CHECK(readable >= 3);
  }
}

TEST_CASE("fuzz_corpus: mutated traces get past the checksums, and mostly into the payloads", "[fuzz_corpus]") {
  const std::vector<u8> seed = sample_trace(3, 30);
  int read = 0, refused_inside = 0;
  constexpr int kCount = 2000;
  for (int i = 0; i < kCount; ++i) {
    std::vector<u8> buffer = seed;
    buffer.resize(seed.size() + 16384);
    buffer.resize(fuzz::mutate_trace(buffer, seed.size(), static_cast<unsigned>(i), change_a_byte));
    const std::string sentence = refusal(fuzz::with_own_preamble(buffer));
    if (sentence.empty()) ++read;
    const bool at_the_door = sentence.find("checksum") != std::string::npos;
    if (!sentence.empty() && !at_the_door) ++refused_inside;
  }
  CHECK(read >= kCount / 10);
  CHECK(refused_inside >= kCount / 10);
  CHECK(read + refused_inside >= kCount / 2);
}
