#include "devices/virtio_blk.hpp"

#include <algorithm>
#include <cstring>

namespace retrov {

namespace {

constexpr u32 kBlockDeviceId = 2;
constexpr std::size_t kHeaderBytes = 16;
constexpr std::size_t kIdBytes = 20;
constexpr u64 kFeatureSegMax = 1u << 2, kFeatureReadOnly = 1u << 5, kFeatureBlockSize = 1u << 6,
              kFeatureFlush = 1u << 9;
constexpr u32 kSegMax = VirtQueue::kMaxSize - 2;  // Header and status take one descriptor each.
enum : u32 { kTypeIn = 0, kTypeOut = 1, kTypeFlush = 4, kTypeGetId = 8 };
enum : u8 { kStatusOk = 0, kStatusIoError = 1, kStatusUnsupported = 2 };
// Drivers stay far below; a hostile guest must not make the host copy terabytes.
constexpr u64 kMaxRequestBytes = u64{128} << 20;

// Which blocks were written is a bitmap in the overlay's own tree, far beyond the blocks of the largest disk: it is
// shared between snapshots like the blocks themselves.
constexpr u64 kBitmapPages = u64{1} << 31;
constexpr u64 kBitsPerPage = 8 * kPageBytes;

u64 total_bytes(const std::vector<DmaBuffer>& buffers) {
  u64 total = 0;
  for (const DmaBuffer& buffer : buffers) total += buffer.size_bytes;
  return total;
}

/// Takes `size_bytes` from the front of `buffers`, dropping what becomes empty.
void drop_front(std::vector<DmaBuffer>& buffers, u64 size_bytes) {
  std::size_t used_up = 0;
  for (DmaBuffer& buffer : buffers) {
    const u32 part = static_cast<u32>(std::min<u64>(size_bytes, buffer.size_bytes));
    buffer.address += part;
    buffer.size_bytes -= part;
    size_bytes -= part;
    if (buffer.size_bytes != 0) break;
    ++used_up;
  }
  buffers.erase(buffers.begin(), buffers.begin() + static_cast<std::ptrdiff_t>(used_up));
}

/// Copies guest buffers to `out`, which they must fill.
void gather(const Memory& memory, const std::vector<DmaBuffer>& buffers, std::span<u8> out) {
  for (const DmaBuffer& buffer : buffers) {
    const std::size_t part = std::min<std::size_t>(out.size(), buffer.size_bytes);
    memory.read(PhysAddr{buffer.address}, out.first(part));
    out = out.subspan(part);
  }
}

void scatter(Memory& memory, const std::vector<DmaBuffer>& buffers, std::span<const u8> bytes) {
  for (const DmaBuffer& buffer : buffers) {
    const std::size_t part = std::min<std::size_t>(bytes.size(), buffer.size_bytes);
    memory.write(PhysAddr{buffer.address}, bytes.first(part), Writer::kDevice);
    bytes = bytes.subspan(part);
  }
}

u64 little_endian(std::span<const u8> bytes) {
  u64 value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) value = value << 8 | bytes[i];
  return value;
}

void put(std::span<u8> config, std::size_t offset, u64 value, std::size_t size_bytes) {
  for (std::size_t i = 0; i < size_bytes; ++i) config[offset + i] = static_cast<u8>(value >> (8 * i));
}

}  // namespace

VirtioBlk::VirtioBlk(const DiskConfig& disk, const DiskLatency& latency, VirtioVersion version,
                     const Connection& connection)
    : StatefulAs("virtio-blk" + std::to_string(disk.slot), disk.slot, version, kBlockDeviceId, 1, connection.memory),
      disk_(disk),
      latency_(latency),
      base_(connection.base),
      output_(connection.output),
      position_(connection.position) {
  put(config_, 0, disk_.size_bytes / kDiskSectorBytes, 8);
  put(config_, 12, kSegMax, 4);
  put(config_, 20, kDiskSectorBytes, 4);
}

u64 VirtioBlk::features() const {
  return kFeatureSegMax | kFeatureBlockSize | kFeatureFlush | (disk_.read_only ? kFeatureReadOnly : 0);
}

// Any layout of buffers: 16 readable bytes of header in front, one writable byte of status at the end.
bool VirtioBlk::parse(const DescriptorChain& chain, Request& out) const {
  if (total_bytes(chain.readable) < kHeaderBytes) return false;
  std::vector<DmaBuffer> writable = chain.writable;
  while (!writable.empty() && writable.back().size_bytes == 0) writable.pop_back();
  if (writable.empty()) return false;
  std::array<u8, kHeaderBytes> header;
  gather(memory(), chain.readable, header);
  out.head = chain.head;
  out.type = static_cast<u32>(little_endian(std::span(header).first(4)));
  out.sector = little_endian(std::span(header).subspan(8, 8));
  --writable.back().size_bytes;
  out.status_at = writable.back().address + writable.back().size_bytes;
  if (out.type == kTypeOut) {
    out.data = chain.readable;
    drop_front(out.data, kHeaderBytes);
  } else {
    out.data = std::move(writable);
  }
  return true;
}

void VirtioBlk::notified(unsigned index, Ticks now) {
  DescriptorChain chain;
  while (true) {
    const Popped popped = queue(index).pop(memory(), chain);
    if (popped == Popped::kEmpty) return;
    Request request;
    // No honest driver has more requests under way than its ring has entries.
    if (popped == Popped::kBroken || requests_.size() >= queue(index).size || !parse(chain, request)) {
      break_device();
      return;
    }
    const u64 size_bytes = std::min(total_bytes(request.data), kMaxRequestBytes);
    request.queued_at = position_().steps;
    request.due = now.value + latency_.base_ticks + size_bytes / latency_.bytes_per_tick;
    const auto later = std::upper_bound(requests_.begin(), requests_.end(), request.due,
                                        [](u64 due, const Request& other) { return due < other.due; });
    requests_.insert(later, std::move(request));
  }
}

Ticks VirtioBlk::advance_to(Ticks now) {
  while (!requests_.empty() && requests_.front().due <= now.value) {
    const Request request = std::move(requests_.front());
    requests_.erase(requests_.begin());
    finish(request);
  }
  return requests_.empty() ? kNever : Ticks{requests_.front().due};
}

std::string VirtioBlk::title(const Request& request) {
  const u64 sectors = total_bytes(request.data) / kDiskSectorBytes;
  std::string range = "sector " + std::to_string(request.sector);
  if (sectors != 1) range = "sectors " + std::to_string(request.sector) + "+" + std::to_string(sectors);
  switch (request.type) {
    case kTypeIn:
      return "read of " + range;
    case kTypeOut:
      return "write of " + range;
    case kTypeFlush:
      return "flush";
    case kTypeGetId:
      return "request for the name";
    default:
      return "request of unknown type " + std::to_string(request.type);
  }
}

/// The request whose buffer or status it is; of those that are due, the last for a byte of the queue.
std::optional<QueuedWrite> VirtioBlk::queued_write(PhysAddr byte, Ticks by) const {
  std::optional<QueuedWrite> found;
  for (const Request& request : requests_) {
    if (request.due > by.value) break;
    const auto holds = [&](const DmaBuffer& buffer) { return byte.value - buffer.address < buffer.size_bytes; };
    const bool fills = request.type != kTypeOut && std::any_of(request.data.begin(), request.data.end(), holds);
    found = QueuedWrite{title(request), Position{request.queued_at}};
    if (fills) return found;
    if (byte.value == request.status_at) {
      found->what = "status of the " + found->what;
      return found;
    }
  }
  if (found) found->what = "completion of the " + found->what;
  return found;
}

void VirtioBlk::finish(const Request& request) {
  // Checked when parsed; checked again because a request can also come from a snapshot in a file.
  const auto is_ram = [&](const DmaBuffer& b) { return memory().contains(PhysAddr{b.address}, b.size_bytes); };
  if (!std::all_of(request.data.begin(), request.data.end(), is_ram) || !is_ram({request.status_at, 1})) {
    break_device();
    return;
  }
  u32 written_bytes = 0;
  const u8 status = carry_out(request, total_bytes(request.data), written_bytes);
  memory().write(PhysAddr{request.status_at}, {&status, 1}, Writer::kDevice);
  complete(0, request.head, written_bytes + 1);
}

u8 VirtioBlk::carry_out(const Request& request, u64 size_bytes, u32& written_bytes) {
  if (request.type == kTypeFlush) return kStatusOk;  // The overlay is as durable as the session.
  if (request.type == kTypeGetId) {
    std::array<u8, kIdBytes> id{};
    std::copy_n(disk_.id.begin(), std::min(disk_.id.size(), id.size()), id.begin());
    written_bytes = static_cast<u32>(std::min<u64>(size_bytes, id.size()));
    scatter(memory(), request.data, std::span(id).first(written_bytes));
    return kStatusOk;
  }
  if (request.type != kTypeIn && request.type != kTypeOut) return kStatusUnsupported;
  const u64 sectors = disk_.size_bytes / kDiskSectorBytes;
  if (size_bytes % kDiskSectorBytes != 0 || size_bytes > kMaxRequestBytes || request.sector > sectors ||
      size_bytes / kDiskSectorBytes > sectors - request.sector || (request.type == kTypeOut && disk_.read_only)) {
    return kStatusIoError;
  }
  std::vector<u8> bytes(size_bytes);
  if (request.type == kTypeOut) {
    gather(memory(), request.data, bytes);
    return write_disk(request.sector * kDiskSectorBytes, bytes) ? kStatusOk : kStatusIoError;
  }
  if (!read_disk(request.sector * kDiskSectorBytes, bytes)) return kStatusIoError;
  scatter(memory(), request.data, bytes);
  written_bytes = static_cast<u32>(size_bytes);
  return kStatusOk;
}

bool VirtioBlk::read_disk(u64 offset, std::span<u8> out) {
  std::array<u8, kBlockBytes> block;
  while (!out.empty()) {
    const u64 skip = offset % kBlockBytes;
    const std::size_t part = std::min<std::size_t>(out.size(), kBlockBytes - skip);
    if (!read_block(offset / kBlockBytes, block)) return false;
    std::memcpy(out.data(), block.data() + skip, part);
    out = out.subspan(part);
    offset += part;
  }
  return true;
}

bool VirtioBlk::write_disk(u64 offset, std::span<const u8> bytes) {
  if (!was_written_ && !bytes.empty()) {
    was_written_ = true;
    if (disk_.keeps_image) {
      output_.notice(position_(), "disk " + disk_.id +
                                      ": the guest writes; the image stays unchanged, its writes live in this session "
                                      "(snapshot=off writes them to the image)");
    }
  }
  std::array<u8, kBlockBytes> block;
  while (!bytes.empty()) {
    const u64 index = offset / kBlockBytes, skip = offset % kBlockBytes;
    const std::size_t part = std::min<std::size_t>(bytes.size(), kBlockBytes - skip);
    if (part != kBlockBytes && !read_block(index, block)) return false;
    std::memcpy(block.data() + skip, bytes.data(), part);
    overlay_.set(index, block);
    mark_written(index);
    bytes = bytes.subspan(part);
    offset += part;
  }
  return true;
}

bool VirtioBlk::read_block(u64 block, std::span<u8, kBlockBytes> out) {
  if (!is_written(block)) return base_.read_block(block, out);
  if (const Page* page = overlay_.find(block)) {
    std::copy(page->bytes.begin(), page->bytes.end(), out.begin());
  } else {
    std::fill(out.begin(), out.end(), u8{0});
  }
  return true;
}

bool VirtioBlk::is_written(u64 block) const {
  const Page* bitmap = overlay_.find(kBitmapPages + block / kBitsPerPage);
  const u64 bit = block % kBitsPerPage;
  return bitmap != nullptr && (bitmap->bytes[bit / 8] >> bit % 8 & 1) != 0;
}

void VirtioBlk::mark_written(u64 block) {
  if (is_written(block)) return;
  const u64 index = kBitmapPages + block / kBitsPerPage, bit = block % kBitsPerPage;
  PageBytes bitmap{};
  if (const Page* old = overlay_.find(index)) bitmap = old->bytes;
  bitmap[bit / 8] |= static_cast<u8>(1u << bit % 8);
  overlay_.set(index, bitmap);
}

void VirtioBlk::for_each_written(const BlockVisit& visit) const {
  static constexpr std::array<u8, kBlockBytes> kZeros{};
  overlay_.for_each([&](u64 index, const Page& bitmap) {
    if (index < kBitmapPages) return;
    for (u64 bit = 0; bit < kBitsPerPage; ++bit) {
      if ((bitmap.bytes[bit / 8] >> bit % 8 & 1) == 0) continue;
      const u64 block = (index - kBitmapPages) * kBitsPerPage + bit;
      const Page* page = overlay_.find(block);
      visit(block, page != nullptr ? page->bytes : kZeros);
    }
  });
}

}  // namespace retrov
