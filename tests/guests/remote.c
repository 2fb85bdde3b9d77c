/* What one hart does to another: interrupts it through the CLINT, all pairs, itself as well; changes an instruction
   that the others have run, and a page-table entry that they have used, with interrupts and fences as the manual asks
   for them, and without, since this machine promises more (docs/machine.md, "Memory"). `harts` says how many take part.
   main's result is the number of what went wrong. */
#include "board.h"
#include "support/guest.h"
#include "support/harts.h"

typedef uint64_t u64;

enum { kMaxHarts = 8, kRounds = 40, kPages = 3 };
enum { kMsip = 1 << 3, kMie = 1 << 3, kMprv = 1 << 17, kMppSupervisor = 1 << 11, kLoadPageFault = 13 };

volatile u64 harts = 2;

static volatile u64 wrong;
static volatile u64 sender[kMaxHarts], received[kMaxHarts][kMaxHarts], fenced[kMaxHarts], faulted[kMaxHarts];
static u64 root[512] __attribute__((aligned(4096)));
static volatile u64 middle[512] __attribute__((aligned(4096)));
static volatile u64 leaf[512] __attribute__((aligned(4096)));
static volatile u64 pages[kPages][512] __attribute__((aligned(4096)));
/* addi a0, zero, 0 and ret; in a page of its own, since it is written. */
static volatile uint32_t code[1024] __attribute__((aligned(4096))) = {0x00000513, 0x00008067};

#define READ(csr) \
  ({ u64 value_; __asm__ volatile("csrr %0, " #csr : "=r"(value_)::"memory"); value_; })
#define WRITE(csr, value) __asm__ volatile("csrw " #csr ", %0" ::"r"((u64)(value)) : "memory")

static void fence(void) { __asm__ volatile("fence rw, rw" ::: "memory"); }

static void expect(int ok, u64 number) {
  if (!ok && wrong == 0) wrong = number;
}

static volatile uint32_t* msip(u64 hart) { return (volatile uint32_t*)(CLINT_BASE + 4 * hart); }

/* Another hart asks for fences, or a load has found no page and is skipped. */
__attribute__((interrupt("machine"), aligned(4))) void handler(void) {
  const u64 self = READ(mhartid), cause = READ(mcause);
  if (cause == (1ul << 63 | 3)) {
    *msip(self) = 0;
    __asm__ volatile("fence.i\n sfence.vma" ::: "memory");
    received[self][sender[self]]++;
    fenced[self]++;
  } else {
    expect(cause == kLoadPageFault, 90);
    faulted[self]++;
    WRITE(mepc, READ(mepc) + 4);
  }
}

static void interrupt(u64 from, u64 to) {
  sender[to] = from;
  fence();
  *msip(to) = 1;
}

/* Asleep until another hart's interrupt is there, which is then taken. */
static void wait_for_interrupt(void) {
  while ((READ(mip) & kMsip) == 0) __asm__ volatile("wfi" ::: "memory");
  __asm__ volatile("csrsi mstatus, 8\n csrci mstatus, 8" ::: "memory");
}

static void all_pairs(u64 self) {
  for (u64 from = 0; from < harts; ++from) {
    for (u64 to = 0; to < harts; ++to) {
      meet();
      if (self == from && from == to) {
        __asm__ volatile("csrsi mstatus, 8" ::: "memory");
        interrupt(from, to);
        expect(received[to][from] == 1, 1);  /* Before the next instruction. */
        __asm__ volatile("csrci mstatus, 8" ::: "memory");
      } else if (self == from) {
        interrupt(from, to);
        while (received[to][from] == 0) pause_turn();
      } else if (self == to) {
        wait_for_interrupt();
        expect(received[to][from] == 1, 2);
      }
    }
  }
  meet();
  for (u64 from = 0; from < harts; ++from) expect(received[self][from] == 1, 3);
  expect((READ(mip) & kMsip) == 0 && *msip(self) == 0, 4);
}

/* Hart 0 has changed something. In odd rounds the others hear of it and fence. */
static void tell(u64 self, u64 round) {
  if (round % 2 == 0) {
    meet();
    return;
  }
  const u64 before = fenced[self];
  meet();
  if (self == 0) {
    for (u64 to = 1; to < harts; ++to) interrupt(0, to);
    __asm__ volatile("fence.i\n sfence.vma" ::: "memory");
  } else {
    wait_for_interrupt();
    expect(fenced[self] == before + 1, 5);
  }
  meet();
}

static void change_code(u64 self) {
  u64 (*const function)(void) = (u64(*)(void))(u64)code;
  expect(function() == 0, 10);
  for (u64 round = 1; round < kRounds; ++round) {
    meet();
    if (self == round % harts || round % 2 != 0) expect(function() == round - 1, 11);
    meet();
    if (self == 0) {
      code[0] = 0x00000513 | (uint32_t)(round << 20);
      fence();
    }
    tell(self, round);
    expect(function() == round, 12);
  }
}

/* A load as S-mode's, through the page tables. */
static u64 load_virtual(u64 address) {
  u64 value = ~0ul;
  const u64 bits = kMprv | kMppSupervisor;
  __asm__ volatile(
      ".option push\n.option norvc\n csrs mstatus, %2\n ld %0, 0(%1)\n csrc mstatus, %2\n.option pop"
      : "+r"(value)
      : "r"(address), "r"(bits)
      : "memory");
  return value;
}

static u64 entry(volatile void* page, u64 bits) { return (u64)page >> 12 << 10 | bits; }

/* An entry goes round the pages, and now and then to none. */
static void change_pages(u64 self) {
  const u64 address = 1ul << 30 | 1ul << 21 | 1ul << 12;
  if (self == 0) {
    root[1] = entry(middle, 1);
    middle[1] = entry(leaf, 1);
    leaf[1] = entry(pages[0], 0xc7);
    for (u64 page = 0; page < kPages; ++page) pages[page][0] = 100 + page;
  }
  WRITE(pmpaddr0, -1);
  WRITE(pmpcfg0, 0x1f);
  WRITE(mstatus, READ(mstatus) | kMppSupervisor);
  meet();
  WRITE(satp, 8ul << 60 | (u64)root >> 12);
  __asm__ volatile("sfence.vma" ::: "memory");
  u64 faults = 0;
  for (u64 round = 0; round < kRounds; ++round) {
    const u64 page = round % (kPages + 1);
    meet();
    if (self == 0) {
      if (round % 8 < 4) {
        leaf[1] = page < kPages ? entry(pages[page], 0xc7) : 0;
      } else {
        leaf[1] = entry(pages[page % kPages], 0xc7);
        middle[1] = page < kPages ? entry(leaf, 1) : 0;
      }
      fence();
    }
    tell(self, round);
    const u64 value = load_virtual(address);
    if (page == kPages) {
      expect(value == ~0ul && faulted[self] == ++faults, 20);
    } else {
      expect(value == 100 + page, 21);
    }
    meet();
    if (self == 0) middle[1] = entry(leaf, 1);
  }
}

int main(uint64_t self) {
  if (self >= harts) return 0;
  WRITE(mtvec, handler);
  WRITE(mie, kMsip);
  meet();
  all_pairs(self);
  change_code(self);
  change_pages(self);
  meet();
  return (int)wrong;
}
