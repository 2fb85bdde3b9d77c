#include "tests/difftest/program.hpp"

#include <algorithm>
#include <cstring>

#include "core/check.hpp"
#include "core/csr.hpp"
#include "core/insn.hpp"
#include "tests/difftest/csr_roles.hpp"

namespace retrov::difftest {
namespace {

bool is_read_only(const CsrRow& row) { return (row.number >> 10 & 3u) == 3 || row.write == nullptr; }

template <class Wanted>
std::vector<u16> numbers(Wanted wanted) {
  std::vector<u16> result;
  for (const CsrRow& row : csr_rows()) {
    if (wanted(row)) result.push_back(row.number);
  }
  RV_CHECK(result.size() <= DT_CSRS);
  return result;
}

/// The code as runs of words.
std::vector<Run> code_runs(const Program& program) {
  std::array<u8, kCodePages * kPageBytes> bytes{};
  u64 end = 0;
  for (const Slot& slot : program.code) {
    const unsigned length = insn_length_bytes(slot.raw);
    std::memcpy(bytes.data() + slot.at, &slot.raw, length);
    end = slot.at + length;
  }
  const u64 first = program.code.empty() ? 0 : program.code.front().at & ~u64{7};
  Run run{first, std::vector<u64>((end - first + 7) / 8)};
  std::memcpy(run.words.data(), bytes.data() + first, run.words.size() * 8);
  return {run};
}

}  // namespace

/// Those of floating point first, as long as mstatus has it on; then stimecmp, which on QEMU sets and clears mip.STIP.
/// The others descending: a PMP address must be written before the configuration that may lock it.
const std::vector<u16>& loaded_csrs() {
  static const std::vector<u16> list = [] {
    std::vector<u16> ascending = numbers([](const CsrRow& row) { return !is_read_only(row); });
    const auto rest = std::find_if(ascending.begin(), ascending.end(), [](u16 number) { return number >= 0x100; });
    std::reverse(rest, ascending.end());
    const auto timer = std::find(rest, ascending.end(), 0x14d);
    std::rotate(rest, timer, timer + 1);
    return ascending;
  }();
  return list;
}

const std::vector<u16>& compared_csrs() {
  static const std::vector<u16> list =
      numbers([](const CsrRow& row) { return !role_of(row.number).hidden && role_of(row.number).compared; });
  return list;
}

std::vector<u64> record_of(const Program& program) {
  std::vector<u64> record(DT_R_FIRST_RUN / 8);
  const auto put = [&record](u64 offset, const auto& words) {
    for (const u64 word : words) record[offset / 8] = word, offset += 8;
  };
  std::vector<Run> runs = code_runs(program);
  runs.insert(runs.end(), program.tables.begin(), program.tables.end());
  const std::array<u64, 7> head{program.locks, program.limit, program.window, kCodePages * kPageBytes,
                                program.end,   program.seed,  runs.size()};
  put(0, head);
  put(DT_R_MODES, program.modes);
  put(DT_R_RESUME, program.resume);
  put(DT_R_X, program.x);
  put(DT_R_F, program.f);
  put(DT_R_CSRS, program.csrs);
  for (const Run& run : runs) {
    record.push_back(run.at);
    record.push_back(run.words.size());
    record.insert(record.end(), run.words.begin(), run.words.end());
  }
  return record;
}

}  // namespace retrov::difftest
