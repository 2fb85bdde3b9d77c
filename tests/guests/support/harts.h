/* For guests whose harts all run main: what they share. `harts`, how many there are, is the guest's own. */
#ifndef RETROV_TESTS_GUESTS_SUPPORT_HARTS_H
#define RETROV_TESTS_GUESTS_SUPPORT_HARTS_H

#include <stdint.h>

extern volatile uint64_t harts;

static inline void pause_turn(void) { __asm__ volatile(".word 0x0100000f" ::: "memory"); }

static inline uint64_t fetch_add(volatile uint64_t* to, uint64_t value) {
  uint64_t old;
  __asm__ volatile("amoadd.d.aqrl %0, %1, (%2)" : "=&r"(old) : "r"(value), "r"(to) : "memory");
  return old;
}

/* Returns when all harts have called it. */
static inline void meet(void) {
  static volatile uint64_t arrived, phase;
  const uint64_t here = phase;
  if (fetch_add(&arrived, 1) + 1 == harts) {
    arrived = 0;
    phase = here + 1;
  } else {
    while (phase == here) pause_turn();
  }
}

#endif
