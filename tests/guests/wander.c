/* For walks through histories: all harts wander for ever through what makes a history difficult, each by its own dice.
   They run in S-mode behind page tables whose entries begin without A and D, and clear those bits again; they patch
   code, change address spaces, share words by AMO and LR/SC, store across pages and store what is there already, sleep,
   interrupt each other, and hart 0 uses the disk and echoes what is typed. Interrupts go to M-mode. `Q` ends it. */
/* In the image, since clearing so much of .bss would be most of a walk. */
#define IN_IMAGE __attribute__((section(".data"), aligned(4096)))
#define QUEUE_SECTION IN_IMAGE
#include "support/disk.h"
#include "support/guest.h"
#include "support/harts.h"

enum { kEntries = 512, kMaxHarts = 8, kLeaf = 0xf, kNode = 1, kDevices = 0xc7, kUartReady = 1, kSectorsOfDisk = 64 };
enum { kWindow = 3, kHigh = 511, kPages = 64 /* of the image and the stacks */ };

typedef u64 table[kEntries];
static table IN_IMAGE root_a, IN_IMAGE root_b, IN_IMAGE middle, IN_IMAGE high_middle, IN_IMAGE leaves;
static table IN_IMAGE window_middle_a, IN_IMAGE window_middle_b, IN_IMAGE window_a, IN_IMAGE window_b;

volatile u64 harts = 1;
volatile u64 shared, swapped, calls, seen, constant = 7;
volatile u64 work[kMaxHarts], ticks[kMaxHarts];
volatile u8 IN_IMAGE plain[3 * 4096];  /* The two roots show pages 0 and 1 of it in a window. */

#define READ_CSR(name) ({ u64 value; __asm__ volatile("csrr %0, " #name : "=r"(value)); value; })
#define WRITE_CSR(name, value) __asm__ volatile("csrw " #name ", %0" ::"r"(value) : "memory")

static volatile u8* uart(u32 offset) { return (volatile u8*)(u64)(UART_BASE + offset); }
static volatile u64* mtimecmp(u64 hart) { return (volatile u64*)(CLINT_MTIMECMP + 8 * hart); }
static u64 page_of(const volatile void* at) { return (u64)at / 4096; }
static u64 entry(const volatile void* to, u64 flags) { return page_of(to) << 10 | flags; }
static u64 satp_of(const table root) { return 8ul << 60 | page_of(root); }

static void fail(void) { *(volatile u32*)FINISHER_BASE = 3 << 16 | FINISHER_FAIL; }

__attribute__((interrupt("machine"), aligned(4))) void handler(void) {
  const u64 cause = READ_CSR(mcause), hart = READ_CSR(mhartid);
  if (cause == (1ul << 63 | 7)) {
    ++ticks[hart];
    *mtimecmp(hart) = *(volatile u64*)CLINT_MTIME + 40 + work[hart] % 64;
  } else if (cause == (1ul << 63 | 3)) {
    ((volatile u32*)CLINT_BASE)[hart] = 0;
    fetch_add(&calls, 1);
  } else if (cause == 9) {
    WRITE_CSR(mscratch, work[hart]);
    WRITE_CSR(mepc, READ_CSR(mepc) + 4);
  } else {
    fail();
  }
}

__attribute__((noinline)) u64 dice(u64 hart) {
  u64 value = work[hart];
  value ^= value << 13;
  value ^= value >> 7;
  value ^= value << 17;
  return work[hart] = value;
}

__attribute__((noinline)) void compute(u64 hart, u64 turns) {
  for (; turns > 0; --turns) seen = seen * 31 + dice(hart);
}

__attribute__((noinline)) void store_silently(void) {
  constant = constant;
  plain[8] = plain[8];
}

__attribute__((noinline)) void add(u64 value) { fetch_add(&shared, value); }

__attribute__((noinline)) void swap(u64 value) {
  u64 old, failed;
  do {
    __asm__ volatile("lr.d %0, (%3)\n\tadd %0, %0, %2\n\tsc.d %1, %0, (%3)"
                     : "=&r"(old), "=&r"(failed)
                     : "r"(value), "r"(&swapped)
                     : "memory");
  } while (failed);
}

/* At any address: the compiler takes care of none. */
__attribute__((noinline)) void store_across(u64 value) {
  volatile u8* at = plain + 4096 - 7 + value % 14;
  __asm__ volatile("sd %1, 0(%0)" ::"r"(at), "r"(value) : "memory");
}

__asm__(".balign 4\n.option push\n.option norvc\n.globl patched\npatched: addi a0, a0, 0\nret\n.option pop");
u64 patched(u64 value);

__attribute__((noinline)) u64 patch(u64 value) {
  *(volatile u32*)(u64)patched = 0x00050513 | (u32)(value & 0x7ff) << 20;
  return patched(value);
}

/* What the walker set, cleared: as a kernel looks for pages out of use. */
__attribute__((noinline)) void age(u64 value) {
  const u64 first = page_of(plain) % kEntries + value % 3;
  leaves[first] &= ~(u64)((value >> 8 & 1) != 0 ? 0xc0 : 0x80);
  window_a[0] &= ~0xc0ul;
  if ((value >> 9 & 3) == 0) leaves[page_of(&work) % kEntries] &= ~0xc0ul;
  if ((value >> 11 & 3) == 0) leaves[page_of(compute) % kEntries] &= ~0xc0ul;
  if ((value >> 13 & 1) != 0) __asm__ volatile("sfence.vma" ::: "memory");
}

__attribute__((noinline)) void look_through_window(u64 value) {
  WRITE_CSR(satp, satp_of(value % 2 == 0 ? root_a : root_b));
  volatile u64* at = (volatile u64*)(kWindow * (1ul << 30) + value / 2 % 2 * 64);
  *at = *at + (value >> 8 & 1);
  at = (volatile u64*)(-(1ul << 30) + ((u64)&shared - RAM_BASE));
  *at = *at ^ (value >> 12 & 1);
}

static void talk(void) {
  while ((*uart(UART_LSR) & kUartReady) != 0) {
    const u8 typed = *uart(0);
    if (typed == 'Q') *(volatile u32*)FINISHER_BASE = FINISHER_PASS;
    fetch_add(&shared, typed);
    put_char((char)typed);
  }
}

static void use_disk(u64 value) {
  for (int i = 0; i < kSector; i += 64) buffer[i] = (u8)(buffer[i] + value);
  transfer(value % 3 == 0, value % kSectorsOfDisk);
  seen = seen + buffer[value % kSector] + status;
}

static void wander(u64 hart) {
  for (;;) {
    const u64 value = dice(hart) >> 7;
    switch (value % 16) {
      case 0: store_silently(); break;
      case 1: add(value >> 60); add(value & 1); break;
      case 2: swap(value); break;
      case 3: store_across(value >> 8); break;
      case 4: seen = patch(value >> 8); break;
      case 5: age(value >> 8); break;
      case 6: case 7: look_through_window(value >> 8); break;
      case 8: __asm__ volatile("wfi"); break;
      case 9: pause_turn(); break;
      case 10: __asm__ volatile("ecall" ::: "memory"); break;
      case 11: ((volatile u32*)CLINT_BASE)[(value >> 8) % harts] = 1; break;
      case 12: if (hart == 0) use_disk(value >> 8); break;
      case 13: if (hart == 0) talk(); break;
      default: compute(hart, value >> 8 & 31);
    }
  }
}

static void map(void) {
  for (u64 i = 0; i < kPages; ++i) leaves[i] = entry((void*)(RAM_BASE + 4096 * i), kLeaf);
  window_a[0] = entry(plain, kLeaf);
  window_b[0] = entry(plain + 4096, kLeaf);
  window_middle_a[0] = entry(window_a, kNode);
  window_middle_b[0] = entry(window_b, kNode);
  middle[0] = high_middle[0] = entry(leaves, kNode);
  root_a[0] = root_b[0] = kDevices;
  root_a[RAM_BASE >> 30] = root_b[RAM_BASE >> 30] = entry(middle, kNode);
  root_a[kHigh] = root_b[kHigh] = entry(high_middle, kNode);
  root_a[kWindow] = entry(window_middle_a, kNode);
  root_b[kWindow] = entry(window_middle_b, kNode);
}

int main(uint64_t hart) {
  static volatile u64 mapped;
  if (hart == 0) {
    map();
    start_disk();
    mapped = 1;
  }
  while (!mapped) pause_turn();
  work[hart] = 0x9e3779b97f4a7c15 * (hart + 1);
  WRITE_CSR(mtvec, (u64)handler);
  WRITE_CSR(pmpaddr0, -1ul);
  WRITE_CSR(pmpcfg0, 0x1ful);
  WRITE_CSR(satp, satp_of(root_a));
  WRITE_CSR(mie, 1ul << 7 | 1ul << 3);
  *mtimecmp(hart) = *(volatile u64*)CLINT_MTIME + 50;
  const u64 supervisor = 1ul << 11;
  __asm__ volatile("csrc mstatus, %0\n\tcsrs mstatus, %1" ::"r"(3ul << 11), "r"(supervisor));
  __asm__ volatile("mv a0, %0\n\tcsrw mepc, %1\n\tmret" ::"r"(hart), "r"(wander) : "a0", "memory");
  return 1;
}
