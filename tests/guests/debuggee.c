/* For the tests with gdb: two harts that compute, call, recurse and store, with timer interrupts on hart 0.
   What it does after ROUNDS rounds is `mode`'s to say, which a debugger may set before the first instruction. */
#include "board.h"
#include "support/guest.h"

enum { kPowerOff = 1, kSpin = 2, kSleep = 3, kEcho = 4 };
enum { kRounds = 40, kSlots = 8, kTimerTicks = 4 };

struct Account {
  int owner;
  long balance;
};

volatile int mode = kPowerOff;
volatile int limit = 3; /* Read once a round, never written. */
int table[kSlots];
long total;
struct Account account = {7, 100};
volatile unsigned long ticks;      /* Counted by the interrupt handler. */
volatile unsigned long worked;     /* Counted by hart 1. */
volatile unsigned long spins;
volatile int worker_done;
volatile long scaled;
double ratio = 0.5;

static void set_timer(void) {
  *(volatile uint64_t*)CLINT_MTIMECMP = *(volatile uint64_t*)CLINT_MTIME + kTimerTicks;
}

__attribute__((interrupt("machine"), aligned(4))) void on_timer(void) {
  ++ticks;
  set_timer();
}

__attribute__((noinline)) long factorial(int n) {
  if (n <= 1) return 1;
  return n * factorial(n - 1);
}

__attribute__((noinline)) int mix(int a, int b) {
  int sum = a + b;
  sum = sum * 5;
  return sum ^ b;
}

__attribute__((noinline)) void store(int slot, int value) {
  table[slot] = value;
}

__attribute__((noinline)) void pay(struct Account* to, long amount) {
  to->balance += amount;
}

__attribute__((noinline)) long run_round(int round) {
  int mixed = mix(round, 3);
  store(round % kSlots, mixed);
  long product = factorial(round % limit + 2);
  pay(&account, product);
  total += product;
  ratio = ratio * 0.5 + round;
  return product;
}

static void pause_turn(void) { __asm__ volatile(".word 0x0100000f" ::: "memory"); }
static void wait_for_interrupt(void) { __asm__ volatile("wfi" ::: "memory"); }

__attribute__((noinline)) void work(void) {
  ++worked;
  if (worked % 16 == 0) pause_turn();
}

__attribute__((noinline)) void spin(void) {
  for (;;) ++spins;
}

__attribute__((noinline)) void sleep_for_ever(void) {
  __asm__ volatile("csrw mie, zero");
  for (;;) wait_for_interrupt();
}

/* Echoes what is typed; 'q' ends it. Looks at the UART once for each timer interrupt. */
__attribute__((noinline)) void echo(void) {
  volatile unsigned char* uart = (volatile unsigned char*)UART_BASE;
  for (;;) {
    wait_for_interrupt();
    while ((uart[UART_LSR] & 1) != 0) {
      const char typed = (char)uart[0];
      put_char(typed);
      if (typed == 'q') return;
    }
  }
}

static int run_worker(void) {
  while (!worker_done) work();
  __asm__ volatile("csrw mie, zero");
  for (;;) wait_for_interrupt();
}

int main(uint64_t hart) {
  if (hart == 1) return run_worker();
  if (hart != 0) return 0;
  put_string("start\n");
  __asm__ volatile("csrw mtvec, %0" ::"r"(on_timer));
  set_timer();
  __asm__ volatile("csrw mie, %0; csrsi mstatus, 8" ::"r"(1 << 7));
  for (int round = 0; round < kRounds; ++round) {
    scaled = run_round(round) * 2;
    if (round % 4 == 3) pause_turn();
  }
  put_string("rounds done\n");
  worker_done = mode != kPowerOff;
  if (mode == kSpin) spin();
  if (mode == kSleep) sleep_for_ever();
  if (mode == kEcho) echo();
  put_string("off\n");
  return 0;
}
