#include "replay/key_frame_codec.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <utility>

#include "core/check.hpp"
#include "core/varint.hpp"
#include "replay/trace_format.hpp"

namespace retrov {

namespace {

constexpr u8 kEbreaks = 1;
constexpr u8 kEverything = 2;

[[noreturn]] void refuse(const char* what) { throw Error(Exit::kBadTrace, what); }

u64 read_count(StateReader& in, u64 most, const char* what) {
  const u64 count = read_varint(in);
  if (count > most) refuse(what);
  return count;
}

void write_name(StateWriter& out, const std::string& name) {
  RV_CHECK(name.size() <= kMaxNameBytes);
  write_varint(out, name.size());
  out.write_bytes(name.data(), name.size());
  out(kStateSchema);
}

std::string read_name(StateReader& in, bool& foreign) {
  std::string name(read_count(in, kMaxNameBytes, "key frame with a name that is too long"), '\0');
  in.read_bytes(name.data(), name.size());
  u16 schema = 0;
  in(schema);
  foreign |= schema != kStateSchema;
  return name;
}

/// Ascending numbers as distances and lengths.
template <class Number>
void write_runs(StateWriter& out, const std::vector<Number>& numbers) {
  std::vector<std::pair<u64, u64>> runs;
  for (const Number number : numbers) {
    if (!runs.empty() && runs.back().first + runs.back().second == number) {
      ++runs.back().second;
    } else {
      runs.emplace_back(number, 1);
    }
  }
  write_varint(out, runs.size());
  u64 behind = 0;
  for (const auto& [first, count] : runs) {
    write_varint(out, first - behind);
    write_varint(out, count);
    behind = first + count;
  }
}

template <class Number>
std::vector<Number> read_runs(StateReader& in, u64 most, u64 end) {
  std::vector<Number> numbers;
  u64 at = 0;
  for (u64 left = read_count(in, in.left_bytes(), "key frame with more runs than bytes"); left > 0; --left) {
    const u64 gap = read_varint(in);
    const u64 count = read_varint(in);
    const bool fits = gap <= end - at && count <= end - at - gap && count <= most - numbers.size();
    if (!fits) refuse("key frame with too many pages");
    at += gap;
    for (u64 i = 0; i < count; ++i) numbers.push_back(static_cast<Number>(at++));
  }
  return numbers;
}

void write_tree(StateWriter& out, const PageNumbers& tree) {
  const std::vector<PageNumbers::Run> runs = tree.runs();
  write_varint(out, runs.size());
  u64 behind = 0;
  for (const PageNumbers::Run& run : runs) {
    write_varint(out, run.index - behind);
    write_varint(out, run.count);
    write_varint(out, run.number);
    behind = run.index + run.count;
  }
}

std::vector<PageNumbers::Run> read_tree(StateReader& in, u64 last_number, u64& pages_left) {
  constexpr u64 kEnd = u64{1} << 32;  // Of any tree.
  std::vector<PageNumbers::Run> runs;
  u64 at = 0;
  for (u64 left = read_count(in, in.left_bytes(), "key frame with more runs than bytes"); left > 0; --left) {
    const u64 gap = read_varint(in);
    const u64 count = read_varint(in);
    const u64 number = read_varint(in);
    if (gap > kEnd - at || count > kEnd - at - gap || count > pages_left) refuse("key frame with too many pages");
    if (number == 0 || number > last_number || count > last_number - number + 1) {
      refuse("key frame with a page that is not there");
    }
    at += gap;
    runs.push_back({at, count, static_cast<u32>(number)});
    at += count;
    pages_left -= count;
  }
  return runs;
}

void write_touched(StateWriter& out, const Touched& touched) {
  write_varint(out, touched.since.steps);
  out(static_cast<u8>((touched.ebreaks ? kEbreaks : 0) | (touched.everything ? kEverything : 0)));
  write_varint(out, touched.satps.size());
  for (const u64 satp : touched.satps) out(satp);
  write_runs(out, touched.pages);
}

Touched read_touched(StateReader& in, Position at) {
  Touched touched;
  touched.since = Position{read_varint(in)};
  if (touched.since > at) refuse("key frame that touched something after it");
  u8 flags = 0;
  in(flags);
  touched.ebreaks = (flags & kEbreaks) != 0;
  touched.everything = (flags & kEverything) != 0;
  touched.satps.resize(read_count(in, in.left_bytes() / sizeof(u64), "key frame with more roots than bytes"));
  for (u64& satp : touched.satps) in(satp);
  touched.pages = read_runs<u32>(in, kMaxKeyFramePages, u64{1} << 32);
  return touched;
}

void write_blocks(StateWriter& out, const KeyFrame& frame) {
  std::map<u8, std::vector<u64>> by_disk;
  for (const BlockName& block : frame.blocks) by_disk[block.disk].push_back(block.index);
  write_varint(out, frame.blocks_since.steps);
  write_varint(out, by_disk.size());
  for (const auto& [disk, indices] : by_disk) {
    out(disk);
    write_runs(out, indices);
  }
}

void read_blocks(StateReader& in, KeyFrame& frame) {
  constexpr u64 kMostDisks = 256;
  frame.blocks_since = Position{read_varint(in)};
  for (u64 left = read_count(in, kMostDisks, "key frame with too many disks"); left > 0; --left) {
    u8 disk = 0;
    in(disk);
    const u64 most = kMaxKeyFrameBlocks - frame.blocks.size();
    for (const u64 index : read_runs<u64>(in, most, ~u64{0})) frame.blocks.push_back({disk, index});
  }
}

KeyFrameHead read_head(StateReader& in) {
  KeyFrameHead head;
  head.at = Position{read_varint(in)};
  head.branch = read_varint(in);
  if (head.at > kMaxPosition) refuse("key frame beyond the last position");
  return head;
}

}  // namespace

void PageNumbers::set(u64 index, u32 number) { parts_[index / kPart][index % kPart] = number; }

std::vector<PageNumbers::Run> PageNumbers::runs() const {
  std::vector<Run> runs;
  for (const auto& [part, numbers] : parts_) {
    for (u64 i = 0; i < kPart; ++i) {
      if (numbers[i] == 0) continue;
      const u64 index = part * kPart + i;
      const bool goes_on = !runs.empty() && runs.back().index + runs.back().count == index &&
                           runs.back().number + runs.back().count == numbers[i];
      if (goes_on) {
        ++runs.back().count;
      } else {
        runs.push_back({index, 1, numbers[i]});
      }
    }
  }
  return runs;
}

std::vector<u8> encode_key_frame(const KeyFrame& frame, u64 branch, const std::vector<PageNumbers>& trees) {
  std::vector<u8> bytes;
  StateWriter out(bytes);
  const Snapshot& machine = frame.state->machine;
  RV_CHECK(frame.names.size() == machine.components.size() + trees.size());
  write_varint(out, machine.at.steps);
  write_varint(out, branch);
  write_varint(out, frame.state->console.bytes);
  out(frame.state->console.hash);
  auto name = frame.names.begin();
  write_varint(out, machine.components.size());
  for (const std::vector<u8>& component : machine.components) {
    write_name(out, *name++);
    write_varint(out, component.size());
    out.write_bytes(component.data(), component.size());
  }
  write_varint(out, trees.size());
  for (const PageNumbers& tree : trees) {
    write_name(out, *name++);
    write_tree(out, tree);
  }
  write_touched(out, machine.touched);
  write_blocks(out, frame);
  return bytes;
}

KeyFrameHead decode_key_frame_head(std::span<const u8> bytes) {
  StateReader in(bytes);
  return read_head(in);
}

KeyFrameBody decode_key_frame(std::span<const u8> bytes, u64 last_number) {
  StateReader in(bytes);
  KeyFrameBody body;
  body.head = read_head(in);
  KeptSnapshot kept;
  kept.machine.at = body.head.at;
  kept.console.bytes = read_varint(in);
  in(kept.console.hash);
  for (u64 left = read_count(in, kMaxComponents, "key frame with too many components"); left > 0; --left) {
    body.frame.names.push_back(read_name(in, body.foreign));
    std::vector<u8>& component = kept.machine.components.emplace_back(
        read_count(in, in.left_bytes(), "key frame with a component longer than itself"));
    in.read_bytes(component.data(), component.size());
  }
  u64 pages_left = kMaxKeyFramePages;
  for (u64 left = read_count(in, kMaxComponents, "key frame with too many trees"); left > 0; --left) {
    body.frame.names.push_back(read_name(in, body.foreign));
    body.trees.push_back(read_tree(in, last_number, pages_left));
  }
  kept.machine.touched = read_touched(in, body.head.at);
  read_blocks(in, body.frame);
  if (in.left_bytes() != 0) refuse("key frame with bytes behind its end");
  body.frame.state = std::make_shared<KeptSnapshot>(std::move(kept));
  return body;
}

}  // namespace retrov
