/* Benchmark: heap sort of 8 MiB. Loads and stores far apart, so that the TLBs and the caches of the host count. */
#include "support/guest.h"

enum { kCount = 1 << 20 };
static uint64_t heap[kCount];

static void sift(size_t root, size_t end) {
  const uint64_t value = heap[root];
  for (size_t child = 2 * root + 1; child < end; child = 2 * root + 1) {
    if (child + 1 < end && heap[child] < heap[child + 1]) ++child;
    if (heap[child] <= value) break;
    heap[root] = heap[child];
    root = child;
  }
  heap[root] = value;
}

int main(uint64_t hart) {
  if (hart != 0) return 0;
  uint64_t seed = 1;
  for (size_t i = 0; i < kCount; ++i) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    heap[i] = seed >> 11;
  }
  for (size_t root = kCount / 2; root-- > 0;) sift(root, kCount);
  for (size_t end = kCount - 1; end > 0; --end) {
    const uint64_t largest = heap[0];
    heap[0] = heap[end];
    heap[end] = largest;
    sift(0, end);
  }
  uint64_t sum = 0;
  for (size_t i = 0; i < kCount; ++i) {
    if (i > 0 && heap[i - 1] > heap[i]) return 1;
    sum = sum * 31 + heap[i];
  }
  put_string("sort ");
  put_hex(sum);
  put_char('\n');
  return 0;
}
