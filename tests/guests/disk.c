/* Reads blocks of the disk, changes one, reads it again, and writes a sum of all it saw into `sum`. */
#include "support/disk.h"
#include "support/guest.h"

enum { kSectors = 16 };

volatile u64 sum;

static void transfer_and_add(u32 type, u64 sector) {
  transfer(type, sector);
  sum = sum * 31 + status;
}

static void add_buffer(void) {
  for (int i = 0; i < kSector; ++i) sum = sum * 31 + buffer[i];
}

int main(uint64_t hart) {
  if (hart != 0) return 0;
  start_disk();
  for (u64 sector = 0; sector < kSectors; sector += 3) {
    transfer_and_add(0, sector);
    add_buffer();
  }
  for (int i = 0; i < kSector; ++i) buffer[i] = (u8)(buffer[i] + i);
  transfer_and_add(1, 9);
  for (int i = 0; i < kSector; ++i) buffer[i] = 0;
  transfer_and_add(0, 9);
  add_buffer();
  return 0;
}
