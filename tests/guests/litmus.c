/* Harts against each other. First shared counts, exact whatever the order: by AMO, by LR and SC, under a lock of each
   kind, under Peterson's, which needs nothing but loads and stores in order. Then rounds of litmus tests, each on fresh
   words, with every hart at another place in its turn; what was read is left in `seen` for who looks from outside.
   `harts` says how many take part: 2, 4 or 8. main's result is a number of the count that is wrong. */
#include "board.h"
#include "support/guest.h"
#include "support/harts.h"

typedef uint64_t u64;

enum { kMaxHarts = 8, kAdds = 60, kRounds = 48, kTests = 6 };

volatile u64 harts = 2;

/* By round, test, hart: what it read first and second. Tests are in pairs of harts, except for the last. */
volatile unsigned char seen[kRounds][kTests][kMaxHarts][2];

static volatile u64 words[kRounds][kTests][kMaxHarts][8];
static volatile u64 by_amo, by_lr_sc, by_swap_lock, by_ticket_lock, by_peterson[kMaxHarts / 2];
static volatile u64 bits, parity, most, least = ~0ul;
static volatile u64 swap_lock, ticket_next, ticket_now;
static volatile u64 wants[kMaxHarts], yields[kMaxHarts / 2];
static volatile unsigned char drawn[kMaxHarts * kAdds];

#define AMO(name, old, value, address) \
  __asm__ volatile(name " %0, %1, (%2)" : "=&r"(old) : "r"((u64)(value)), "r"(address) : "memory")

static void linger(u64 hart, u64 round) {
  u64 turns = (hart * 0x9e3779b97f4a7c15 + round * 0xbf58476d1ce4e5b9) >> 20;
  turns = (turns ^ turns >> 17) & 127;
  for (; turns > 0; --turns) __asm__ volatile("");
}

static void add_by_lr_sc(volatile u64* to, u64 value) {
  u64 old, failed;
  __asm__ volatile(
      "1: lr.d.aq %0, (%3)\n add %0, %0, %2\n sc.d.rl %1, %0, (%3)\n bnez %1, 1b"
      : "=&r"(old), "=&r"(failed)
      : "r"(value), "r"(to)
      : "memory");
}

static void under_swap_lock(u64 value) {
  u64 old;
  do {
    AMO("amoswap.d.aq", old, 1, &swap_lock);
  } while (old != 0);
  by_swap_lock = by_swap_lock + value;
  AMO("amoswap.d.rl", old, 0, &swap_lock);
}

static void under_ticket_lock(u64 value) {
  const u64 mine = fetch_add(&ticket_next, 1);
  while (ticket_now != mine) pause_turn();
  by_ticket_lock = by_ticket_lock + value;
  ticket_now = mine + 1;
}

static void under_peterson(u64 hart, u64 value) {
  const u64 pair = hart / 2;
  wants[hart] = 1;
  yields[pair] = hart;
  while (wants[hart ^ 1] != 0 && yields[pair] == hart) {
  }
  by_peterson[pair] = by_peterson[pair] + value;
  wants[hart] = 0;
}

static void count(u64 hart) {
  for (u64 i = 0; i < kAdds; ++i) {
    u64 old;
    linger(hart, i);
    drawn[fetch_add(&by_amo, 1)]++;
    add_by_lr_sc(&by_lr_sc, hart + 1);
    under_swap_lock(hart + 1);
    under_ticket_lock(hart + 1);
    under_peterson(hart, hart + 1);
    AMO("amoor.d", old, 1ul << (hart * 7 + i % 7), &bits);
    AMO("amoxor.d", old, (hart + 1) * (i + 1), &parity);
    AMO("amomaxu.d", old, hart * kAdds + i, &most);
    AMO("amominu.d", old, 1000 - (hart * kAdds + i), &least);
  }
}

static int check_counts(void) {
  u64 sum = 0, expected_parity = 0;
  for (u64 hart = 0; hart < harts; ++hart) sum += (hart + 1) * kAdds;
  for (u64 hart = 0; hart < harts; ++hart) {
    for (u64 i = 0; i < kAdds; ++i) expected_parity ^= (hart + 1) * (i + 1);
  }
  if (by_amo != harts * kAdds) return 1;
  for (u64 i = 0; i < harts * kAdds; ++i) {
    if (drawn[i] != 1) return 2;
  }
  if (by_lr_sc != sum) return 3;
  if (by_swap_lock != sum) return 4;
  if (by_ticket_lock != sum) return 5;
  for (u64 pair = 0; pair < harts / 2; ++pair) {
    if (by_peterson[pair] != (4 * pair + 3) * kAdds) return 6;
  }
  if (bits != (1ul << 7 * harts) - 1) return 7;
  if (parity != expected_parity) return 8;
  if (most != harts * kAdds - 1) return 9;
  if (least != 1001 - harts * kAdds) return 10;
  return 0;
}

/* The words of one test: x and y are for the two of a pair, 64 bytes apart as the others. */
static void litmus(u64 hart, u64 round) {
  const u64 second = hart & 1;
  volatile unsigned char(*out)[kMaxHarts][2] = seen[round];
#define X(test) (&words[round][test][hart & ~1ul][0])
#define Y(test) (&words[round][test][hart | 1][0])
  linger(hart, 4 * round);
  /* 0, store buffering: each writes its own and reads the other's. */
  *(second ? Y(0) : X(0)) = 1;
  out[0][hart][0] = (unsigned char)*(second ? X(0) : Y(0));
  linger(hart, 4 * round + 1);
  /* 1, message passing: data, then flag; the other reads flag, then data. */
  if (!second) {
    *X(1) = 1;
    *Y(1) = 1;
  } else {
    out[1][hart][0] = (unsigned char)*Y(1);
    out[1][hart][1] = (unsigned char)*X(1);
  }
  linger(hart, 4 * round + 2);
  /* 2, load buffering: each reads the other's and writes its own. */
  out[2][hart][0] = (unsigned char)*(second ? X(2) : Y(2));
  *(second ? Y(2) : X(2)) = 1;
  linger(hart, 4 * round + 3);
  /* 3, coherence: one writes 1 and 2, the other reads twice. */
  if (!second) {
    *X(3) = 1;
    *X(3) = 2;
  } else {
    out[3][hart][0] = (unsigned char)*X(3);
    out[3][hart][1] = (unsigned char)*X(3);
  }
  linger(hart, 4 * round + 5);
  /* 4, of two swaps exactly one finds what was there before both. */
  u64 old;
  AMO("amoswap.d", old, hart + 1, X(4));
  out[4][hart][0] = (unsigned char)old;
  linger(hart, 4 * round + 6);
  /* 5, IRIW: two writers and two readers of each four harts; in a pair alone both are both. */
  volatile u64* const x = &words[round][5][hart & ~3ul][0];
  volatile u64* const y = &words[round][5][hart & ~3ul][4];
  switch (hart & 3) {
    case 0: *x = 1; break;
    case 1: *y = 1; break;
    case 2:
      out[5][hart][0] = (unsigned char)*x;
      out[5][hart][1] = (unsigned char)*y;
      break;
    default:
      out[5][hart][0] = (unsigned char)*y;
      out[5][hart][1] = (unsigned char)*x;
  }
}

int main(uint64_t hart) {
  if (hart >= harts) return 0;
  meet();
  count(hart);
  meet();
  const int wrong = check_counts();
  meet();
  for (u64 round = 0; round < kRounds; ++round) {
    meet();
    litmus(hart, round);
  }
  meet();
  return wrong;
}
