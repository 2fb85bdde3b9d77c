// difftest: random programs on retrov and on QEMU (docs/building.md, "Test").
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>

#include "core/check.hpp"
#include "core/state.hpp"
#include "tests/difftest/duel.hpp"
#include "tests/difftest/engines.hpp"
#include "tests/support/paths.hpp"

namespace retrov::difftest {
namespace {

constexpr const char* kUsage =
    "usage: difftest --qemu QEMU | --engines | --digest [--programs N] [--seed SEED] [--only SEED] [--least N] "
    "[--table] "
    "[--shrink N]\n"
    "  --qemu     qemu-system-riscv64\n"
    "  --engines  the threaded engine against the reference engine, instead of QEMU\n"
    "  --digest   a hash of the programs that the seeds make; nothing runs. Every build says the same\n"
    "  --programs so many must run (100)\n"
    "  --seed     of the first; each program has its own (1)\n"
    "  --only     one program: that of this seed, or the next that is not drawn anew\n"
    "  --least    fail if an instruction or a CSR ran less often (0)\n"
    "  --table    say how often each ran\n"
    "  --shrink   so many differences of one kind are shrunk and shown (1)\n";

struct Options {
  std::string qemu;
  u64 programs = 100, seed = 1, least = 0, shown = 1;
  std::optional<u64> only;
  bool table = false, engines = false, digest = false;
};

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (name == "--table" || name == "--engines" || name == "--digest") {
      (name == "--table" ? options.table : name == "--engines" ? options.engines : options.digest) = true;
      continue;
    }
    if (++i == argc) throw Error(Exit::kUsage, kUsage);
    const std::string value = argv[i];
    const auto number = [&value] { return static_cast<u64>(std::strtoull(value.c_str(), nullptr, 0)); };
    if (name == "--qemu")
      options.qemu = value;
    else if (name == "--programs")
      options.programs = number();
    else if (name == "--seed")
      options.seed = number();
    else if (name == "--only")
      options.only = options.seed = number();
    else if (name == "--least")
      options.least = number();
    else if (name == "--shrink")
      options.shown = number();
    else
      throw Error(Exit::kUsage, kUsage);
  }
  if (options.qemu.empty() && !options.engines && !options.digest) throw Error(Exit::kUsage, kUsage);
  if (options.only) options.programs = 1;
  return options;
}

int run_engines(const Options& options, const RunnerImage& runner) {
  Engines engines(runner);
  u64 differences = 0;
  for (u64 i = 0; i < options.programs; ++i) {
    const auto found = engines.disagreement(generate(options.seed + i, runner.vectors));
    if (!found) continue;
    ++differences;
    std::printf("%s\n", found->c_str());
  }
  std::printf("%llu programs, %llu states, %llu differ\n", static_cast<unsigned long long>(options.programs),
              static_cast<unsigned long long>(engines.compared()), static_cast<unsigned long long>(differences));
  return differences == 0 ? 0 : 1;
}

int print_digest(const Options& options, const RunnerImage& runner) {
  u64 digest = 0;
  for (u64 i = 0; i < options.programs; ++i) {
    std::vector<u64> record = record_of(generate(options.seed + i, runner.vectors));
    record.push_back(digest);
    digest = hash_bytes({reinterpret_cast<const u8*>(record.data()), record.size() * sizeof record[0]});
  }
  std::printf("%016llx\n", static_cast<unsigned long long>(digest));
  return 0;
}

/// So many programs go into one start of QEMU.
constexpr u64 kBatch = 2000;

int run(const Options& options) {
  const char* folder = std::getenv("TMPDIR");
  const RunnerImage runner = load_runner(test::build_dir() + "/guests/difftest.elf");
  if (options.engines) return run_engines(options, runner);
  if (options.digest) return print_digest(options, runner);
  Duel duel(runner, options.qemu, folder != nullptr ? folder : "/tmp");
  std::map<std::string, u64> kinds;
  u64 ran = 0, differences = 0, seed = options.seed;
  while (ran < options.programs) {
    u64 drawn = 0;
    for (Disagreement& found : duel.draw(seed, std::min(kBatch, options.programs - ran), drawn)) {
      ++differences;
      const bool shown = kinds[found.first.kind]++ < options.shown;
      std::printf("%s", shown ? describe(duel.shrink(std::move(found))).c_str() : headline(found).c_str());
    }
    ran += drawn;
  }
  if (options.table) std::printf("%s", duel.tally().coverage.table().c_str());
  for (const auto& [why, count] : duel.tally().refused) {
    std::printf("drawn anew, %s: %llu\n", why.c_str(), static_cast<unsigned long long>(count));
  }
  const std::vector<std::string> rare = duel.tally().coverage.rare(options.least);
  for (const std::string& line : rare) std::printf("too rare, %s\n", line.c_str());
  for (const auto& [kind, count] : kinds) {
    std::printf("differs, %s: %llu\n", kind.c_str(), static_cast<unsigned long long>(count));
  }
  std::printf("%llu programs, %llu steps, %llu differ\n", static_cast<unsigned long long>(ran),
              static_cast<unsigned long long>(duel.tally().steps), static_cast<unsigned long long>(differences));
  return differences == 0 && rare.empty() ? 0 : 1;
}

}  // namespace
}  // namespace retrov::difftest

int main(int argc, char** argv) {
  using namespace retrov;
  try {
    return difftest::run(difftest::parse(argc, argv));
  } catch (const Error& error) {
    std::fprintf(stderr, "difftest: %s\n", error.what());
    return static_cast<int>(error.exit_code());
  }
}
