#include "replay/trace_symbols.hpp"

#include <algorithm>
#include <utility>

#include "core/check.hpp"
#include "core/state.hpp"
#include "core/varint.hpp"
#include "replay/trace_format.hpp"

namespace retrov {

namespace {

/// It becomes the name of a file, and stands in messages.
std::string plain(std::string name) {
  if (name.size() > kMaxNameBytes) name.resize(kMaxNameBytes);
  for (char& c : name) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!letter && c != '.' && c != '_' && c != '-') c = '_';
  }
  if (name.empty()) name.push_back('_');
  if (name.front() == '.' || name.front() == '-') name.front() = '_';
  return name;
}

}  // namespace

std::vector<std::vector<u8>> encode_symbols(const std::vector<SymbolFile>& files) {
  std::vector<std::vector<u8>> payloads;
  u64 total_bytes = 0;
  u64 number = 0;
  for (const SymbolFile& file : files) {
    if (number == kMaxSymbolFiles || file.bytes.empty() || file.bytes.size() > kMaxSymbolBytes - total_bytes) continue;
    total_bytes += file.bytes.size();
    for (std::size_t done = 0; done < file.bytes.size(); done += kSymbolChunkBytes) {
      StateWriter out(payloads.emplace_back());
      write_varint(out, number);
      write_varint(out, done);
      if (done == 0) {
        const std::string name = plain(file.name);
        write_varint(out, name.size());
        out.write_bytes(name.data(), name.size());
        write_varint(out, file.bytes.size());
        out(hash_bytes(file.bytes));
      }
      out.write_bytes(file.bytes.data() + done, std::min<std::size_t>(kSymbolChunkBytes, file.bytes.size() - done));
    }
    ++number;
  }
  return payloads;
}

void SymbolCollector::add(std::span<const u8> payload) {
  try {
    StateReader in(payload);
    const u64 number = read_varint(in);
    const u64 offset = read_varint(in);
    if (number >= kMaxSymbolFiles) return;
    Part& part = parts_[number];
    if (offset == 0 && part.size_bytes == 0) {
      const u64 name_bytes = read_varint(in);
      in.require(name_bytes);
      part.file.name.resize(static_cast<std::size_t>(name_bytes));
      in.read_bytes(part.file.name.data(), part.file.name.size());
      part.file.name = plain(part.file.name);
      part.size_bytes = read_varint(in);
      in(part.hash);
    }
    const std::span<const u8> bytes = payload.last(in.left_bytes());
    // Grows with what is there, not with what is claimed.
    const bool fits = offset == part.file.bytes.size() && bytes.size() <= part.size_bytes - part.file.bytes.size() &&
                      bytes.size() <= kMaxSymbolBytes - total_bytes_;
    if (!fits) part.broken = true;
    if (part.broken) return;
    part.file.bytes.insert(part.file.bytes.end(), bytes.begin(), bytes.end());
    total_bytes_ += bytes.size();
  } catch (const Error& error) {
    if (error.exit_code() != Exit::kBadTrace) throw;
  }
}

std::vector<SymbolFile> SymbolCollector::take() {
  std::vector<SymbolFile> files;
  for (auto& [number, part] : parts_) {
    const bool whole = !part.broken && part.size_bytes != 0 && part.file.bytes.size() == part.size_bytes;
    if (whole && hash_bytes(part.file.bytes) == part.hash) files.push_back(std::move(part.file));
  }
  parts_.clear();
  return files;
}

}  // namespace retrov
