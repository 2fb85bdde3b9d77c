/* Reads a block of the disk, works for a while in memory, and reads the same block again at the end; `sum` is of all it
   saw. */
#include "support/disk.h"
#include "support/guest.h"

enum { kRounds = 60, kWords = 8192 };

volatile u64 sum;
static u64 words[kWords];

static void read_and_add(u64 sector) {
  transfer(0, sector);
  for (int i = 0; i < kSector; ++i) sum = sum * 31 + buffer[i];
}

int main(uint64_t hart) {
  if (hart != 0) return 0;
  start_disk();
  read_and_add(8);
  for (u64 round = 0; round < kRounds; ++round) {
    for (u64 i = 0; i < kWords; i += 8) words[i] = (words[i] + i + round) * 0x9e3779b97f4a7c15;
  }
  read_and_add(8);
  sum = sum + words[64];
  return 0;
}
