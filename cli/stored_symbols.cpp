#include "cli/stored_symbols.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

#include "cli/images.hpp"
#include "cli/messages.hpp"
#include "core/check.hpp"
#include "core/elf.hpp"
#include "replay/report_fields.hpp"

namespace retrov {

namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(Exit exit, const std::string& path, int error) {
  throw Error(exit, "symbols for gdb: " + path + ": " + std::generic_category().message(error));
}

void write_private_file(const std::string& path, std::span<const u8> bytes) {
  const int file = open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0) fail(Exit::kCannotCreate, path, errno);
  int error = 0;
  while (!bytes.empty() && error == 0) {
    const ssize_t done = write(file, bytes.data(), bytes.size());
    if (done > 0) bytes = bytes.subspan(static_cast<std::size_t>(done));
    if (done < 0 && errno != EINTR) error = errno;
  }
  close(file);
  if (error != 0) fail(Exit::kIo, path, error);
}

bool overlap(const Elf& a, const Elf& b) {
  for (const ElfSegment& one : a.segments) {
    for (const ElfSegment& other : b.segments) {
      const u64 begin = std::max(one.virtual_address.value, other.virtual_address.value);
      if (begin - one.virtual_address.value < one.memory_bytes &&
          begin - other.virtual_address.value < other.memory_bytes) {
        return true;
      }
    }
  }
  return false;
}

/// Nothing that is read there may throw for the trace's sake: it replays without symbols.
bool replaces(const SymbolFile& stored, const std::string& path, std::span<const u8> image) {
  try {
    if (!overlap(parse_elf(image), parse_elf(stored.bytes))) return false;
  } catch (const Error&) {
    return false;
  }
  const std::vector<u8> theirs = build_id_of(image);
  const std::vector<u8> ours = build_id_of(stored.bytes);
  if (!theirs.empty() && !ours.empty() && theirs != ours) {
    say("symbols " + path + ": build-id " + bytes_as_hex(theirs) + ", but the trace was made with " + stored.name +
        ", build-id " + bytes_as_hex(ours));
  }
  return true;
}

}  // namespace

std::vector<SymbolFile> symbols_to_store(const BootImages& images, const std::vector<std::string>& files,
                                         Dwarf dwarf) {
  std::vector<SymbolFile> result;
  const auto add = [&](const Image& image) {
    if (!is_elf(image.bytes)) return;
    result.push_back({fs::path(image.name).filename().string(), make_symbol_file(image.bytes, dwarf)});
  };
  if (images.kernel) add(*images.kernel);
  for (const std::string& file : files) add(read_image("symbols", file));
  if (images.bios) add(*images.bios);
  return result;
}

std::vector<SymbolFile> not_replaced(std::vector<SymbolFile> stored, const std::vector<std::string>& files) {
  for (const std::string& path : files) {
    const Image image = read_image("symbols", path);
    std::erase_if(stored, [&](const SymbolFile& file) { return replaces(file, path, image.bytes); });
  }
  return stored;
}

SymbolFolder::SymbolFolder(const std::vector<SymbolFile>& files) {
  if (files.empty()) return;
  std::error_code failure;
  const fs::path parent = fs::temp_directory_path(failure);
  folder_ = (failure ? fs::path("/tmp") : parent) / "retrov-symbols-XXXXXX";
  if (mkdtemp(folder_.data()) == nullptr) fail(Exit::kCannotCreate, std::exchange(folder_, {}), errno);
  for (std::size_t i = 0; i < files.size(); ++i) {
    // Two may have one name. A debugger gets what was written here, whatever stands in the trace.
    const std::string folder = folder_ + "/" + std::to_string(i);
    if (mkdir(folder.c_str(), 0700) != 0) fail(Exit::kCannotCreate, folder, errno);
    try {
      const std::vector<u8> bytes = make_symbol_file(files[i].bytes, Dwarf::kKeep);
      write_private_file(folder + "/" + files[i].name, bytes);
    } catch (const Error& error) {
      if (error.exit_code() != Exit::kNoInput) throw;
      say("the symbols of " + files[i].name + " in the trace are no use: " + error.what());
      continue;
    }
    paths_.push_back(folder + "/" + files[i].name);
  }
}

SymbolFolder::~SymbolFolder() {
  std::error_code ignored;
  if (!folder_.empty()) fs::remove_all(folder_, ignored);
}

}  // namespace retrov
