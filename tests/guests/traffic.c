/* About 100 million steps of everything at once: hart 0 reads and writes sectors at random, echoes what is typed and
   prints a line now and then; all harts compute, and add to what they share. What was typed, and when, is in the sum.
 */
#include "support/disk.h"
#include "support/guest.h"
#include "support/harts.h"

enum { kRounds = 900, kSectorsOfDisk = 4096, kUartReady = 1 };

volatile u64 sum, done, work[8];

static volatile u8* uart(u32 offset) { return (volatile u8*)(u64)(UART_BASE + offset); }

static void compute(u64 hart, u32 turns) {
  u64 value = work[hart] + hart;
  for (; turns > 0; --turns) value = (value ^ value >> 29) * 0x9e3779b97f4a7c15 + sum;
  work[hart] = value;
  fetch_add(&sum, value >> 60);
}

static void echo(void) {
  while ((*uart(UART_LSR) & kUartReady) != 0) {
    const u8 typed = *uart(0);
    fetch_add(&sum, typed);
    put_char((char)typed);
  }
}

int main(uint64_t hart) {
  if (hart != 0) {
    while (!done) compute(hart, 1000);
    return 0;
  }
  start_disk();
  for (u64 round = 0; round < kRounds; ++round) {
    const u64 choice = work[0] >> 20;
    for (int i = 0; i < kSector; i += 8) fetch_add((volatile u64*)(buffer + i), sum);
    transfer((choice >> 20) % 3 == 0, choice % kSectorsOfDisk);
    sum = sum + buffer[choice % kSector] + status;
    echo();
    compute(0, 500);
    if (round % 50 == 0) put_hex(sum), put_char('\n');
  }
  done = 1;
  put_hex(sum);
  put_char('\n');
  return 0;
}
