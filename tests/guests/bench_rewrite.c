/* Benchmark: writes every word of 256 MiB, again and again, each time another value. Needs 320 MiB of memory. */
#include "support/guest.h"

#define FIRST ((volatile uint64_t *)0x84000000)
#define WORDS ((256ul << 20) / sizeof(uint64_t))

int main(uint64_t hart) {
  if (hart != 0) return 0;
  for (uint64_t round = 1;; ++round) {
    for (uint64_t i = 0; i < WORDS; ++i) FIRST[i] = i ^ round << 32;
  }
}
