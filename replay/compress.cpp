#include "replay/compress.hpp"

#include <lz4.h>
#include <lz4hc.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "core/check.hpp"

namespace retrov {

bool compress(std::span<const u8> raw, std::vector<u8>& out, Compression how) {
  RV_CHECK(raw.size() <= LZ4_MAX_INPUT_SIZE);
  // With no room for more than is worth storing, LZ4 gives up early on what does not compress.
  const std::size_t worth = raw.size() - raw.size() / 16;
  out.resize(worth);
  const auto* from = reinterpret_cast<const char*>(raw.data());
  auto* to = reinterpret_cast<char*>(out.data());
  const int raw_bytes = static_cast<int>(raw.size());
  const int most_bytes = static_cast<int>(worth);
  const int size = how == Compression::kBest ? LZ4_compress_HC(from, to, raw_bytes, most_bytes, LZ4HC_CLEVEL_DEFAULT)
                                           : LZ4_compress_default(from, to, raw_bytes, most_bytes);
  out.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return size > 0;
}

bool decompress(std::span<const u8> stored, std::span<u8> raw) {
  if (stored.size() > LZ4_MAX_INPUT_SIZE || raw.size() > LZ4_MAX_INPUT_SIZE) return false;
  const int size =
      LZ4_decompress_safe(reinterpret_cast<const char*>(stored.data()), reinterpret_cast<char*>(raw.data()),
                          static_cast<int>(stored.size()), static_cast<int>(raw.size()));
  return size >= 0 && static_cast<std::size_t>(size) == raw.size();
}

u64 checksum(std::span<const u8> bytes, u64 seed) { return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed); }

u128 fingerprint(std::span<const u8> bytes, u64 seed) {
  const XXH128_hash_t hash = XXH3_128bits_withSeed(bytes.data(), bytes.size(), seed);
  return u128{hash.high64} << 64 | hash.low64;
}

}  // namespace retrov
