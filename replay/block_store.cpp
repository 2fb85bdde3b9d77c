#include "replay/block_store.hpp"

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>

#include "core/check.hpp"
#include "core/door.hpp"

namespace retrov {

namespace {

int open_nameless_file() {
  const char* folder = std::getenv("TMPDIR");
  if (folder == nullptr || *folder == '\0') folder = "/var/tmp";
  const int file = ::open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (file >= 0) return file;
  // Not every file system has O_TMPFILE.
  std::string path = std::string(folder) + "/retrov-blocks-XXXXXX";
  const int named = ::mkostemp(path.data(), O_CLOEXEC);
  if (named >= 0) ::unlink(path.c_str());
  return named;
}

/// All of it, or false.
bool write_at(int file, std::span<iovec> parts, u64 offset) {
  while (!parts.empty()) {
    const ssize_t size = ::pwritev(file, parts.data(), static_cast<int>(parts.size()), static_cast<off_t>(offset));
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return false;
    offset += static_cast<u64>(size);
    auto done = static_cast<std::size_t>(size);
    while (!parts.empty() && done >= parts.front().iov_len) {
      done -= parts.front().iov_len;
      parts = parts.subspan(1);
    }
    if (done == 0) continue;
    parts.front().iov_base = static_cast<u8*>(parts.front().iov_base) + done;
    parts.front().iov_len -= done;
  }
  return true;
}

}  // namespace

/// Memory for blocks, all of the same size. Any thread: it is given back wherever the last owner is.
class BlockStore::Pool {
 public:
  ~Pool() {
    for (void* memory : free_) ::operator delete(memory);
  }
  [[nodiscard]] void* take(std::size_t size_bytes) {
    const std::lock_guard lock(mutex_);
    if (free_.empty()) return ::operator new(size_bytes);
    void* const memory = free_.back();
    free_.pop_back();
    return memory;
  }
  void give_back(void* memory) {
    const std::lock_guard lock(mutex_);
    if (free_.size() >= kMostWaiting) return ::operator delete(memory);
    free_.push_back(memory);
  }

 private:
  std::mutex mutex_;
  std::vector<void*> free_;
};

/// Of a shared block with its count of owners: one thing, of one size.
template <class T>
struct BlockStore::PoolAllocator {
  using value_type = T;
  explicit PoolAllocator(std::shared_ptr<Pool> of) : pool(std::move(of)) {}
  template <class Other>
  // As an allocator must: it is converted without a word.
  PoolAllocator(const PoolAllocator<Other>& other) : pool(other.pool) {}
  [[nodiscard]] T* allocate(std::size_t) { return static_cast<T*>(pool->take(sizeof(T))); }
  void deallocate(T* memory, std::size_t) { pool->give_back(memory); }
  bool operator==(const PoolAllocator&) const = default;
  std::shared_ptr<Pool> pool;
};

/// The temporary file.
class BlockStore::Spill final : public BlockHome {
 public:
  Spill() : file_(open_nameless_file()) {}
  ~Spill() override {
    if (file_ >= 0) ::close(file_);
  }
  Spill(const Spill&) = delete;
  Spill& operator=(const Spill&) = delete;

  std::optional<u64> place_of(u8, u64) override { return std::nullopt; }
  [[nodiscard]] i64 read(u64 offset, std::span<u8> out) const override {
    const ssize_t size = ::pread(file_, out.data(), out.size(), static_cast<off_t>(offset));
    return size < 0 ? -errno : size;
  }
  [[nodiscard]] const char* name() const override { return "the temporary file"; }

  /// In one piece: many small writes cost several times as much. Where the first of them begins, if it was written.
  std::optional<u64> take(std::span<Place* const> places) {
    if (file_ < 0 || failed_) return std::nullopt;
    std::vector<iovec> parts;
    // Writing does not change them.
    for (const Place* place : places) parts.push_back({const_cast<u8*>(place->bytes->data()), place->bytes->size()});
    // A failure is final: what is in the file stays readable, the rest stays in memory.
    failed_ = !write_at(file_, parts, size_bytes_);
    if (failed_) return std::nullopt;
    return std::exchange(size_bytes_, size_bytes_ + places.size() * kBlockBytes);
  }
  [[nodiscard]] u64 size_bytes() const { return size_bytes_; }

 private:
  const int file_;
  bool failed_ = false;
  u64 size_bytes_ = 0;
};

BlockStore::BlockStore(u64 budget_bytes)
    : pool_(std::make_shared<Pool>()),
      budget_bytes_(budget_bytes),
      zero_(std::make_shared<const PageBytes>(PageBytes{})) {}

BlockStore::~BlockStore() = default;

void BlockStore::set_home(std::shared_ptr<BlockHome> home) {
  const std::lock_guard lock(mutex_);
  if (home == home_) return;
  if (home != nullptr) homes_.push_back(home);
  home_ = std::move(home);
}

std::shared_ptr<PageBytes> BlockStore::fresh() {
  return std::allocate_shared_for_overwrite<PageBytes>(PoolAllocator<PageBytes>(pool_));
}

void BlockStore::send_away() {
  const std::size_t count = waiting_.size() / 2;
  std::vector<Place*> homeless;
  for (const Waiting& waiting : std::span(waiting_).first(count)) {
    const auto index = waiting.key & (block_key(1, 0) - 1);
    const auto disk = static_cast<u8>(waiting.key >> 56);
    const auto offset = home_ != nullptr ? home_->place_of(disk, index) : std::nullopt;
    if (offset) {
      *waiting.place = {nullptr, home_.get(), *offset};
    } else {
      homeless.push_back(waiting.place);
    }
  }
  waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(count));
  if (homeless.empty()) return;
  if (spill_ == nullptr) spill_ = std::make_shared<Spill>();
  auto offset = spill_->take(homeless);
  if (!offset) return;
  for (Place* place : homeless) {
    *place = {nullptr, spill_.get(), *offset};
    *offset += kBlockBytes;
  }
}

bool BlockStore::put(u8 disk, u64 index, std::shared_ptr<const PageBytes> bytes) {
  const u64 key = block_key(disk, index);
  const std::lock_guard lock(mutex_);
  const auto [at, is_new] = places_.try_emplace(key);
  if (!is_new) return false;
  Place& place = at->second;
  if (bytes == nullptr) return true;
  if (*bytes == *zero_) {
    place.bytes = zero_;
    return true;
  }
  place.bytes = std::move(bytes);
  const u64 budget_bytes = home_ != nullptr ? std::min(budget_bytes_, kHomeBudgetBytes) : budget_bytes_;
  if (memory_bytes_ + kBlockBytes <= budget_bytes) {
    memory_bytes_ += kBlockBytes;
    return true;
  }
  // Pointers into the map stay valid, and nothing is ever taken out of it.
  waiting_.push_back({key, &place});
  if (waiting_.size() >= kMostWaiting) send_away();
  return true;
}

std::shared_ptr<const PageBytes> BlockStore::find(u8 disk, u64 index) const {
  const std::lock_guard lock(mutex_);
  const auto at = places_.find(block_key(disk, index));
  return at != places_.end() ? read(at->second) : nullptr;
}

std::shared_ptr<const PageBytes> BlockStore::read(const Place& place) {
  if (place.bytes != nullptr || place.home == nullptr) return place.bytes;
  auto bytes = std::make_shared<PageBytes>();
  for (std::span<u8> rest = *bytes; !rest.empty();) {
    const i64 size = place.home->read(place.offset + (kBlockBytes - rest.size()), rest);
    if (size == -EINTR) continue;
    if (size <= 0) {
      const std::string why = size < 0 ? std::strerror(static_cast<int>(-size)) : "it is shorter than it was";
      const std::string from = place.home->name();
      throw Error(Exit::kIo, "cannot read captured disk blocks back from " + from + ": " + why);
    }
    rest = rest.subspan(static_cast<std::size_t>(size));
  }
  return bytes;
}

bool BlockStore::is_hole(u8 disk, u64 index) const {
  const std::lock_guard lock(mutex_);
  const auto at = places_.find(block_key(disk, index));
  return at != places_.end() && at->second.bytes == nullptr && at->second.home == nullptr;
}

void BlockStore::for_each(const Visit& visit) const {
  std::vector<u64> keys;
  {
    const std::lock_guard lock(mutex_);
    keys.reserve(places_.size());
    for (const auto& [key, place] : places_) keys.push_back(key);
  }
  std::sort(keys.begin(), keys.end());
  // Without the lock: whoever is told may have one that a home takes, too.
  for (const u64 key : keys) {
    const auto disk = static_cast<u8>(key >> 56);
    const u64 index = key & (block_key(1, 0) - 1);
    visit(disk, index, find(disk, index));
  }
}

u64 BlockStore::count() const {
  const std::lock_guard lock(mutex_);
  return places_.size();
}

u64 BlockStore::spilled_bytes() const {
  const std::lock_guard lock(mutex_);
  return spill_ != nullptr ? spill_->size_bytes() : 0;
}

}  // namespace retrov
