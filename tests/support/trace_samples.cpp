#include "tests/support/trace_samples.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "replay/trace_writer.hpp"

namespace retrov {

BoardConfig sample_board() {
  BoardConfig board;
  board.machine.harts = 2;
  board.machine.ram_bytes = u64{1} << 20;
  board.machine.rng_seed_at = PhysAddr{0x80001000};
  board.machine.initial_memory.push_back({PhysAddr{0x80000000}, {1, 2, 3, 4, 5, 6, 7, 8}});
  board.machine.initial_memory.push_back({PhysAddr{0x80002000}, std::vector<u8>(9000, 0x5a)});
  board.machine.initial_memory.push_back({PhysAddr{0x80008000}, {1, 2, 3, 4, 5, 6, 7, 8}});
  DiskConfig disk;
  disk.size_bytes = 65536;
  disk.id = "root";
  board.disks.push_back(disk);
  board.flash.push_back({1, true, "vars", {flash_at(1), std::vector<u8>(5000, 0x33)}});
  board.rom = {0x13, 0, 0, 0};
  board.bootargs = "console=ttyS0 \"quoted\"";
  return board;
}

TraceIdentity sample_identity() {
  TraceIdentity identity;
  identity.release = "1.2.3";
  identity.commit = "0123456789ab";
  for (std::size_t i = 0; i < identity.id.size(); ++i) identity.id[i] = static_cast<u8>(i);
  return identity;
}

u64 Dice::below(u64 n) {
  state_ = state_ * 6364136223846793005u + 1442695040888963407u;
  return (state_ >> 33) % n;
}

std::vector<u8> Dice::bytes(std::size_t count) {
  std::vector<u8> result;
  while (result.size() < count) result.push_back(static_cast<u8>(below(256)));
  return result;
}

std::shared_ptr<const PageBytes> page_of(u8 value) {
  auto page = std::make_shared<PageBytes>();
  page->fill(value);
  return page;
}

namespace {

Input random_input(Dice& dice) {
  switch (dice.below(6)) {
    case 0:
      return {3, ConsoleBytes{dice.bytes(dice.below(40))}};
    case 1:
      return {4, RtcStart{dice.below(1u << 30)}};
    case 2: {
      Seed seed;
      for (u8& byte : seed.bytes) byte = static_cast<u8>(dice.below(256));
      return {kMachineItself, seed};
    }
    case 3: {
      const bool memory = dice.below(2) == 0;
      DebuggerWrite write;
      write.space = memory ? DebuggerWrite::Space::kPhysicalMemory : DebuggerWrite::Space::kRegister;
      write.hart = static_cast<u8>(dice.below(2));
      write.where = 0x80000000 + dice.below(4096);
      write.bytes = dice.bytes(memory ? dice.below(100) : 8);
      return {kMachineItself, write};
    }
    case 4:
      return {kMachineItself, SystemReset{}};
    default:
      return {kMachineItself, SchedMask{dice.below(4)}};
  }
}

}  // namespace

void add_random_things(History& history, Dice& dice, unsigned count) {
  Position at = history.end();
  for (unsigned i = 0; i < count; ++i) {
    at.steps += dice.below(8) == 0 ? dice.below(1u << 30) : dice.below(3);
    switch (dice.below(4)) {
      case 0: {
        if (!history.events().empty() && history.events().back().at == at) break;
        Event event{at, {{}, {dice.below(2) * dice.below(1000)}}};
        for (u64 inputs = 1 + dice.below(3); inputs > 0; --inputs) event.batch.inputs.push_back(random_input(dice));
        history.add_event(event);
        break;
      }
      case 1: {
        auto page = std::make_shared<PageBytes>();
        for (u64 bytes = dice.below(60); bytes > 0; --bytes)
          (*page)[dice.below(4096)] = static_cast<u8>(dice.below(256));
        history.add_block(at, {0, dice.below(16), page});
        break;
      }
      case 2: {
        HashMark mark{at, {{"machine", dice.below(1u << 30)}, {"ram", dice.below(1u << 30)}}, dice.below(9999), 77};
        if (dice.below(2) == 0) mark.components.push_back({"uart", dice.below(1u << 30)});
        history.add_mark(mark);
        break;
      }
      default:
        history.progress(at);
    }
  }
  history.finish({Outcome::Kind::kPoweredOff, 3, "the guest powered off"});
}

void ToldLines::on_event(const Event& event) {
  std::vector<u8> bytes;
  StateWriter out(bytes);
  write_event(out, event);
  std::string line = "event " + std::to_string(event.at.steps) + ":";
  for (const u8 byte : bytes) line += " " + std::to_string(byte);
  lines.push_back(line);
}

void ToldLines::on_block(Position before, const CapturedBlock& block) {
  const std::string what = block.bytes != nullptr ? std::to_string(hash_bytes(*block.bytes)) : "hole";
  lines.push_back("block " + std::to_string(before.steps) + ": " + std::to_string(block.disk) + " " +
                  std::to_string(block.index) + " " + what);
}

void ToldLines::on_mark(const HashMark& mark) {
  std::string line = "mark " + std::to_string(mark.at.steps) + ": " + std::to_string(mark.console_bytes) + " " +
                     std::to_string(mark.console_hash);
  for (const ComponentHash& component : mark.components) {
    line += " " + component.name + "=" + std::to_string(component.hash);
  }
  lines.push_back(line);
}

void ToldLines::on_progress(Position now) { lines.push_back("progress " + std::to_string(now.steps)); }

void ToldLines::on_branch(const BranchPoint& branch) {
  lines.push_back("branch " + std::to_string(branch.at.steps) + ": " + std::to_string(branch.number) + " " +
                  std::to_string(branch.parent) + " " + branch.name + (branch.resumed ? " again" : ""));
}

void ToldLines::on_finish(Position end, const Outcome& outcome) {
  lines.push_back("end " + std::to_string(end.steps) + ": " + std::to_string(static_cast<int>(outcome.kind)) + " " +
                  std::to_string(outcome.status) + " " + outcome.why);
}

std::vector<std::string> ToldLines::things() const {
  std::vector<std::string> result = lines;
  std::erase_if(result, [](const std::string& line) { return line.starts_with("progress"); });
  return result;
}

std::vector<std::string> lines_of(const TraceReader& trace) {
  ToldLines told;
  trace.visit(told);
  return told.lines;
}

TemporaryFolder::TemporaryFolder() {
  path_ = (std::filesystem::temp_directory_path() / "retrov-test-XXXXXX").string();
  if (::mkdtemp(path_.data()) == nullptr) throw Error(Exit::kIo, "no temporary folder");
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::vector<u8> read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

void write_file(const std::string& path, std::span<const u8> bytes) {
  std::ofstream out(path, std::ios::binary);
  out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

std::vector<u8> sample_trace(u64 seed, unsigned count) {
  const TemporaryFolder folder;
  {
    TraceWriter writer(folder.file("x.rvt"), sample_board(), sample_identity());
    History history(sample_board());
    history.set_listener(&writer);
    Dice dice(seed);
    add_random_things(history, dice, count);
  }
  return read_file(folder.file("x.rvt"));
}

std::string refusal(const std::vector<u8>& bytes) {
  try {
    const TraceReader trace("x.rvt", bytes);
    (void)trace.read_branches();
    return {};
  } catch (const Error& error) {
    // An error of ours about a trace is always this one, and always names the file.
    if (error.exit_code() != Exit::kBadTrace) return std::string("wrong exit code for: ") + error.what();
    if (!std::string(error.what()).starts_with("trace x.rvt: ")) return std::string("unnamed: ") + error.what();
    return error.what();
  }
}

}  // namespace retrov
