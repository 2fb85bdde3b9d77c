#include "tests/difftest/duel.hpp"

#include <algorithm>

#include "core/check.hpp"
#include "core/csr.hpp"
#include "core/disasm.hpp"
#include "core/insn.hpp"
#include "core/registers.hpp"

namespace retrov::difftest {
namespace {

constexpr u32 kNop = 0x00000013, kShortNop = 0x0001;

u32 nop_for(u32 raw) { return insn_length_bytes(raw) == 4 ? kNop : kShortNop; }

/// `chunk` slots from `first` on do nothing. Absent: they did nothing before.
std::optional<Program> silenced(const Program& program, std::size_t first, std::size_t chunk) {
  Program result = program;
  bool changed = false;
  for (std::size_t i = first; i < std::min(first + chunk, result.code.size()); ++i) {
    Slot& slot = result.code[i];
    if (program.window + slot.at >= program.end || slot.raw == nop_for(slot.raw)) continue;
    slot.raw = nop_for(slot.raw);
    changed = true;
  }
  if (!changed) return std::nullopt;
  return result;
}

}  // namespace

/// False: the batch is full. A program that is refused is left out.
bool Duel::prepare(Prepared& prepared, Program program) {
  const auto place = prepared.batch.next_place();
  if (!place) return false;
  Outcome outcome = ours_.run(program, *place, tally_.coverage);
  if (!outcome.refused.empty()) {
    ++tally_.refused[std::string(outcome.refused)];
    return true;
  }
  tally_.steps += outcome.steps;
  program.locks |= outcome.locked;
  prepared.logs.push_back(std::move(outcome.log));
  prepared.batch.add(std::move(program), *place);
  return true;
}

std::vector<std::optional<Disagreement>> Duel::settle(Prepared prepared, Translation translation) {
  const auto theirs = theirs_.run(prepared.batch, translation);
  std::vector<std::optional<Disagreement>> result(theirs.size());
  for (std::size_t i = 0; i < theirs.size(); ++i) {
    auto first = compare(prepared.logs[i], theirs[i]);
    if (!first) continue;
    result[i] =
        Disagreement{prepared.batch.programs[i], std::move(*first), all_differences(prepared.logs[i], theirs[i])};
  }
  return result;
}

std::vector<Disagreement> Duel::draw(u64& seed, u64 count, u64& drawn) {
  Prepared prepared;
  while (prepared.batch.programs.size() < count && prepare(prepared, generate(seed, runner_.vectors))) ++seed;
  drawn = prepared.batch.programs.size();
  std::vector<Disagreement> found;
  bool excused = false;
  for (auto& each : settle(std::move(prepared), Translation::kBlocks)) {
    if (!each) continue;
    const Tally before = tally_;
    const bool alone = about({each->program}).front().has_value();
    const bool itself = alone && !about({each->program}, Translation::kSingle).front();
    tally_ = before;
    // What QEMU does wrong in one program may stay, and show in those behind it.
    const bool left_over = !alone && excused;
    if (itself) ++tally_.refused["QEMU differs from QEMU that translates single instructions"];
    if (left_over) ++tally_.refused["left over from such a program"];
    excused |= itself;
    if (!itself && !left_over) found.push_back(std::move(*each));
  }
  return found;
}

std::vector<std::optional<Disagreement>> Duel::about(const std::vector<Program>& programs, Translation translation) {
  Prepared prepared;
  std::vector<std::size_t> ran;
  for (std::size_t i = 0; i < programs.size(); ++i) {
    const std::size_t before = prepared.logs.size();
    RV_CHECK(prepare(prepared, programs[i]));
    if (prepared.logs.size() != before) ran.push_back(i);
  }
  std::vector<std::optional<Disagreement>> result(programs.size());
  if (ran.empty()) return result;
  auto settled = settle(std::move(prepared), translation);
  for (std::size_t i = 0; i < ran.size(); ++i) result[ran[i]] = std::move(settled[i]);
  return result;
}

/// All chunks of that size that can each go: as many of them at once as possible.
std::optional<Disagreement> Duel::without(const Disagreement& found, std::size_t chunk) {
  const auto alike = [&](const std::optional<Disagreement>& other) {
    return other && other->first.kind == found.first.kind;
  };
  std::vector<Program> candidates;
  std::vector<std::size_t> places;
  for (std::size_t first = 0; first < found.program.code.size(); first += chunk) {
    if (auto candidate = silenced(found.program, first, chunk)) {
      candidates.push_back(std::move(*candidate));
      places.push_back(first);
    }
  }
  const auto each = about(candidates);
  Program all = found.program;
  std::vector<Program> prefixes;
  for (std::size_t i = 0; i < each.size(); ++i) {
    if (!alike(each[i])) continue;
    if (auto next = silenced(all, places[i], chunk)) prefixes.push_back(all = std::move(*next));
  }
  auto together = about(prefixes);
  const auto best = std::find_if(together.rbegin(), together.rend(), alike);
  return best == together.rend() ? std::nullopt : *best;
}

Disagreement Duel::shrink(Disagreement found) {
  const Tally before = tally_;
  for (std::size_t chunk = 64; chunk != 0; chunk /= 2) {
    while (auto smaller = without(found, chunk)) found = std::move(*smaller);
  }
  tally_ = before;
  return found;
}

std::string headline(const Disagreement& found) {
  return "seed 0x" + hex_text(found.program.seed) + ": " + found.first.text + "\n";
}

std::string describe(const Disagreement& found) {
  const Program& program = found.program;
  std::string text = headline(found) + found.all;
  text += "  starts at " + hex_text(program.entry) + " in mode " + std::to_string(program.modes[0]) + "; the code:\n";
  bool gap = false;
  for (const Slot& slot : program.code) {
    const u64 at = program.window + slot.at;
    if (at >= program.end) break;
    if (slot.raw == nop_for(slot.raw)) {
      gap = true;
      continue;
    }
    if (gap) text += "    …\n";
    gap = false;
    text += "    " + hex_text(at) + "  " + hex_text(slot.raw) + "  " + disassemble(slot.raw, VirtAddr{at}) + "\n";
  }
  text += "  registers:";
  for (unsigned i = 1; i < 32; ++i) text += " " + register_list()[i].name + "=" + hex_text(program.x[i]);
  text += "\n  CSRs:";
  for (std::size_t i = 0; i < loaded_csrs().size(); ++i) {
    if (program.csrs[i] != 0) text += " " + std::string(csr_name(loaded_csrs()[i])) + "=" + hex_text(program.csrs[i]);
  }
  return text + "\n";
}

}  // namespace retrov::difftest
