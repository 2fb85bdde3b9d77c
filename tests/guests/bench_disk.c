/* Benchmark: reads 256 MiB of the disk from front to back, in requests of 64 KiB, and again from the front where it
   ends: of a large disk each block once, of a small one each many times. */
#include "support/disk.h"
#include "support/guest.h"

enum { kRequest = 64 << 10, kRequests = 4096, kCapacity = 0x100 };

static u8 data[kRequest] __attribute__((aligned(4096)));

int main(uint64_t hart) {
  if (hart != 0) return 0;
  start_disk();
  const u64 requests_of_disk = *reg(kCapacity) / (kRequest / kSector);
  u64 sum = 0;
  for (u64 request = 0; request < kRequests; ++request) {
    transfer_data(0, request % requests_of_disk * (kRequest / kSector), data, kRequest);
    sum = sum * 31 + data[request % kRequest] + status;
  }
  put_string("disk ");
  put_hex(sum);
  put_char('\n');
  return 0;
}
