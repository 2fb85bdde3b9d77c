/* A kernel's dealings with the harts of the machine through OpenSBI, in S-mode: all others are started, asked for,
   interrupted, made to see changed code and page tables by remote fences, put to sleep and stopped, twice. Says on the
   console what went wrong, with the line, and powers off through SRST. */
#include "board.h"
#include "support/guest.h"

typedef uint64_t u64;

enum { kMaxHarts = 8, kRounds = 2, kChanges = 12 };
enum { kHsm = 0x48534d, kIpi = 0x735049, kRfence = 0x52464e43 };
enum { kStarted = 0, kStopped = 1, kSuspended = 4 };
enum { kInvalid = -3, kAlreadyAvailable = -6 };
enum { kSsip = 2, kSie = 2 };

struct result {
  long error, value;
};
extern void second_start(void);
void second_main(u64 hart, u64 wish, u64 satp, u64 sstatus);

static u64 harts, boot_hart;
static volatile u64 came[kMaxHarts], interrupted[kMaxHarts], slept[kMaxHarts], answered[kMaxHarts];
static volatile u64 step;  /* What the boot hart wants of the others now. */
static volatile u64 failed_at;

static u64 root[512] __attribute__((aligned(4096)));
static u64 middle[512] __attribute__((aligned(4096)));
static volatile u64 leaf[512] __attribute__((aligned(4096)));
static volatile u64 pages[2][512] __attribute__((aligned(4096)));
/* addi a0, zero, 0 and ret */
static volatile uint32_t code[1024] __attribute__((aligned(4096))) = {0x00000513, 0x00008067};
#define MAPPED (volatile u64*)0x140000000ul

static struct result sbi(u64 extension, u64 function, u64 a, u64 b, u64 c, u64 d) {
  register u64 a0 __asm__("a0") = a;
  register u64 a1 __asm__("a1") = b;
  register u64 a2 __asm__("a2") = c;
  register u64 a3 __asm__("a3") = d;
  register u64 a6 __asm__("a6") = function;
  register u64 a7 __asm__("a7") = extension;
  __asm__ volatile("ecall" : "+r"(a0), "+r"(a1) : "r"(a2), "r"(a3), "r"(a6), "r"(a7) : "memory");
  return (struct result){(long)a0, (long)a1};
}
static long start(u64 hart, u64 wish) { return sbi(kHsm, 0, hart, (u64)second_start, wish, 0).error; }
static struct result status(u64 hart) { return sbi(kHsm, 2, hart, 0, 0, 0); }
static void send_interrupt(u64 mask) { sbi(kIpi, 0, mask, 0, 0, 0); }

#define EXPECT(condition) \
  do { \
    if (!(condition) && failed_at == 0) failed_at = __LINE__; \
  } while (0)
#define READ(csr) \
  ({ u64 value_; __asm__ volatile("csrr %0, " #csr : "=r"(value_)::"memory"); value_; })
static void fence(void) { __asm__ volatile("fence rw, rw" ::: "memory"); }
static void pause_turn(void) { __asm__ volatile(".word 0x0100000f" ::: "memory"); }
static u64 others(void) { return ((1ul << harts) - 1) & ~(1ul << boot_hart); }
static u64 call_code(void) { return ((u64(*)(void))(u64)code)(); }

static void turn_paging_on(void) {
  __asm__ volatile("csrw satp, %0\n sfence.vma" ::"r"(8ul << 60 | (u64)root >> 12) : "memory");
}

/* Sv39: the lower 4 GiB are themselves; one page at MAPPED goes here and there. */
static void make_tables(void) {
  for (u64 i = 0; i < 4; ++i) root[i] = i << 28 | 0xcf;
  root[(u64)MAPPED >> 30 & 511] = (u64)middle >> 12 << 10 | 1;
  middle[0] = (u64)leaf >> 12 << 10 | 1;
  leaf[0] = (u64)pages[0] >> 12 << 10 | 0xc7;
  pages[0][0] = 0;
}

/* The boot hart has made change `n`; each other hart looks when it is told. */
static void look(u64 hart, u64 n) {
  while (step < n) pause_turn();
  EXPECT(call_code() == n);
  EXPECT(*MAPPED == n);
  answered[hart] = n;
}

void second_main(u64 hart, u64 wish, u64 satp, u64 sstatus) {
  EXPECT(hart < harts && hart != boot_hart);
  EXPECT(wish == (hart << 8 | came[hart]));
  EXPECT(satp == 0 && (sstatus & kSie) == 0);  /* SBI, "Hart State Management". */
  __asm__ volatile("csrw sie, %0" ::"r"(kSsip) : "memory");
  turn_paging_on();
  look(hart, 0);
  came[hart]++;
  /* An interrupt that another hart sends. */
  while ((READ(sip) & kSsip) == 0) __asm__ volatile("wfi" ::: "memory");
  __asm__ volatile("csrci sip, 2" ::: "memory");
  interrupted[hart]++;
  for (u64 n = 1; n <= kChanges; ++n) look(hart, n);
  /* Asleep until there is an interrupt, and on behind the call. */
  EXPECT(sbi(kHsm, 3, 0, 0, 0, 0).error == 0);
  EXPECT((READ(sip) & kSsip) != 0);
  __asm__ volatile("csrci sip, 2" ::: "memory");
  slept[hart]++;
}

static void wait_until(u64 hart, long wanted) {
  while (status(hart).value != wanted) pause_turn();
}

static void change(u64 n) {
  code[0] = 0x00000513 | (uint32_t)(n << 20);
  pages[n & 1][0] = n;
  leaf[0] = (u64)pages[n & 1] >> 12 << 10 | 0xc7;
  fence();
  EXPECT(sbi(kRfence, 0, others(), 0, 0, 0).error == 0);
  EXPECT(sbi(kRfence, 1, others(), 0, (u64)MAPPED, 4096).error == 0);
  __asm__ volatile("fence.i\n sfence.vma" ::: "memory");
}

static void run_round(u64 round) {
  for (u64 hart = 0; hart < harts; ++hart) {
    if (hart == boot_hart) continue;
    EXPECT(status(hart).error == 0 && status(hart).value == kStopped);
    EXPECT(start(hart, hart << 8 | round) == 0);
  }
  for (u64 hart = 0; hart < harts; ++hart) {
    while (hart != boot_hart && came[hart] != round + 1) pause_turn();
    EXPECT(status(hart).value == kStarted);
    EXPECT(start(hart, 0) == kAlreadyAvailable);
  }
  send_interrupt(others());
  for (u64 n = 1; n <= kChanges; ++n) {
    change(n);
    step = n;
    for (u64 hart = 0; hart < harts; ++hart) {
      while (hart != boot_hart && answered[hart] != n) pause_turn();
    }
  }
  for (u64 hart = 0; hart < harts; ++hart) {
    if (hart == boot_hart) continue;
    EXPECT(interrupted[hart] == round + 1);
    wait_until(hart, kSuspended);
    EXPECT(slept[hart] == round);
    send_interrupt(1ul << hart);
    wait_until(hart, kStopped);
    EXPECT(slept[hart] == round + 1);
  }
}

int main(uint64_t hart) {
  boot_hart = hart;
  while (harts < kMaxHarts && status(harts).error == 0) ++harts;
  EXPECT(status(hart).value == kStarted);
  EXPECT(status(99).error == kInvalid);
  EXPECT(start(99, 0) == kInvalid);
  make_tables();
  turn_paging_on();
  for (u64 round = 0; round < kRounds; ++round) {
    step = 0;
    change(0);
    run_round(round);
  }
  put_string(failed_at == 0 ? "all harts did as told: " : "failed at line: ");
  put_hex(failed_at == 0 ? harts : failed_at);
  put_string("\n");
  return failed_at != 0;
}
