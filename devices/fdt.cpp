#include "devices/fdt.hpp"

#include <libfdt.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "core/check.hpp"

namespace retrov {

namespace {

// Ample for eight harts and any command line Linux takes; the blob is packed when it is finished.
constexpr std::size_t kRoomBytes = 256 * 1024;
// What an editor may add: the command line and a few properties.
constexpr std::size_t kEditRoomBytes = 64 * 1024;
constexpr u64 kRngSeedBytes = 32;
// Devicetree Specification 0.4, 5.2: version 17 can be read as 16. What is older names nodes by their whole path, and
// libfdt 1.6 takes the name of one without a slash from a null pointer.
constexpr u32 kOldestVersion = 16;

void must(int result) { RV_CHECK(result >= 0); }

std::array<u8, 4> big_endian(u32 value) {
  return {static_cast<u8>(value >> 24), static_cast<u8>(value >> 16), static_cast<u8>(value >> 8),
          static_cast<u8>(value)};
}

u64 read_cells(const u8* bytes, int cells) {
  u64 value = 0;
  for (int i = 0; i < 4 * cells; ++i) value = value << 8 | bytes[i];
  return value;
}

bool is_sound(std::span<const u8> blob) {
  return blob.size() >= sizeof(fdt_header) && fdt_version(blob.data()) >= kOldestVersion &&
         fdt_check_full(blob.data(), blob.size()) == 0;
}

}  // namespace

FdtBuilder::FdtBuilder() : blob_(kRoomBytes) {
  must(fdt_create(blob_.data(), static_cast<int>(blob_.size())));
  must(fdt_finish_reservemap(blob_.data()));
}

std::vector<u8> FdtBuilder::finish() {
  must(fdt_finish(blob_.data()));
  must(fdt_pack(blob_.data()));
  blob_.resize(fdt_totalsize(blob_.data()));
  return std::move(blob_);
}

FdtNode::FdtNode(std::vector<u8>& blob, const std::string& name) : blob_(blob) {
  must(fdt_begin_node(blob_.data(), name.c_str()));
}

FdtNode::~FdtNode() { must(fdt_end_node(blob_.data())); }

void FdtNode::flag(const char* name) { bytes(name, {}); }

void FdtNode::cells(const char* name, std::initializer_list<u32> values) {
  cells(name, std::span<const u32>(values.begin(), values.size()));
}

void FdtNode::cells(const char* name, std::span<const u32> values) {
  std::vector<u8> encoded;
  for (const u32 value : values) {
    const auto cell_bytes = big_endian(value);
    encoded.insert(encoded.end(), cell_bytes.begin(), cell_bytes.end());
  }
  bytes(name, encoded);
}

void FdtNode::reg(PhysAddr base, u64 size_bytes) {
  cells("reg", {static_cast<u32>(base.value >> 32), static_cast<u32>(base.value), static_cast<u32>(size_bytes >> 32),
                static_cast<u32>(size_bytes)});
}

void FdtNode::interrupt(u32 source) {
  cell("interrupt-parent", kPlicPhandle);
  cell("interrupts", source);
}

void FdtNode::text(const char* name, std::string_view value) { texts(name, {value}); }

void FdtNode::texts(const char* name, std::initializer_list<std::string_view> values) {
  texts(name, std::span(values.begin(), values.size()));
}

void FdtNode::texts(const char* name, std::span<const std::string_view> values) {
  std::vector<u8> encoded;
  for (const std::string_view value : values) {
    encoded.insert(encoded.end(), value.begin(), value.end());
    encoded.push_back(0);
  }
  bytes(name, encoded);
}

void FdtNode::bytes(const char* name, std::span<const u8> value) {
  must(fdt_property(blob_.data(), name, value.data(), static_cast<int>(value.size())));
}

std::optional<u64> find_rng_seed(std::span<const u8> blob) {
  if (!is_sound(blob)) return std::nullopt;
  const int chosen = fdt_path_offset(blob.data(), "/chosen");
  if (chosen < 0) return std::nullopt;
  int length = 0;
  const void* seed = fdt_getprop(blob.data(), chosen, "rng-seed", &length);
  if (seed == nullptr || static_cast<u64>(length) < kRngSeedBytes) return std::nullopt;
  return static_cast<u64>(static_cast<const u8*>(seed) - blob.data());
}

FdtEditor::FdtEditor(std::span<const u8> blob) {
  if (blob.size() < sizeof(fdt_header) || fdt_magic(blob.data()) != FDT_MAGIC) {
    throw Error(Exit::kNoInput, "not a device tree blob");
  }
  if (fdt_totalsize(blob.data()) > blob.size()) throw Error(Exit::kNoInput, "truncated device tree blob");
  if (fdt_version(blob.data()) < kOldestVersion) {
    throw Error(Exit::kNoInput, "device tree blob of version " + std::to_string(fdt_version(blob.data())) +
                                    ", which is older than " + std::to_string(kOldestVersion));
  }
  if (!is_sound(blob)) throw Error(Exit::kNoInput, "damaged device tree blob");
  blob_.resize(fdt_totalsize(blob.data()) + kEditRoomBytes);
  if (fdt_open_into(blob.data(), blob_.data(), static_cast<int>(blob_.size())) != 0) {
    throw Error(Exit::kNoInput, "device tree blob of an unknown version");
  }
}

std::vector<FdtEditor::Range> FdtEditor::memory() const {
  std::vector<Range> result;
  const void* blob = blob_.data();
  const int address_cells = fdt_address_cells(blob, 0), size_cells = fdt_size_cells(blob, 0);
  if (address_cells < 1 || address_cells > 2 || size_cells < 1 || size_cells > 2) return result;
  const int entry_bytes = 4 * (address_cells + size_cells);
  int node = -1;
  while ((node = fdt_node_offset_by_prop_value(blob, node, "device_type", "memory", sizeof "memory")) >= 0) {
    int length = 0;
    const auto* reg = static_cast<const u8*>(fdt_getprop(blob, node, "reg", &length));
    for (; reg != nullptr && length >= entry_bytes; reg += entry_bytes, length -= entry_bytes) {
      result.push_back({read_cells(reg, address_cells), read_cells(reg + 4 * address_cells, size_cells)});
    }
  }
  return result;
}

int FdtEditor::chosen() {
  const int found = fdt_path_offset(blob_.data(), "/chosen");
  if (found >= 0) return found;
  const int added = fdt_add_subnode(blob_.data(), 0, "chosen");
  if (added < 0) throw Error(Exit::kNoInput, "device tree blob without room for /chosen");
  return added;
}

void FdtEditor::set_bootargs(const std::string& bootargs) {
  if (fdt_setprop_string(blob_.data(), chosen(), "bootargs", bootargs.c_str()) != 0) {
    throw Error(Exit::kUsage, "the kernel command line is too long for the device tree");
  }
}

void FdtEditor::set_initrd(PhysAddr base, u64 size_bytes) {
  const int node = chosen();
  const bool done = fdt_setprop_u64(blob_.data(), node, "linux,initrd-start", base.value) == 0 &&
                    fdt_setprop_u64(blob_.data(), node, "linux,initrd-end", base.value + size_bytes) == 0;
  if (!done) throw Error(Exit::kNoInput, "device tree blob without room for the initrd's address");
}

std::vector<u8> FdtEditor::finish() {
  must(fdt_pack(blob_.data()));
  blob_.resize(fdt_totalsize(blob_.data()));
  return std::move(blob_);
}

}  // namespace retrov
