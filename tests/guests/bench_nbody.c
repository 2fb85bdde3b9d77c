/* Benchmark: five bodies under their gravity. Double precision, with a square root and a division in the inner loop. */
#include "support/guest.h"

enum { kBodies = 5, kSteps = 400000 };

struct Body {
  double x[3];
  double v[3];
  double mass;
};

static struct Body bodies[kBodies] = {
    {{0, 0, 0}, {0, 0, 0}, 39.5},
    {{4.84, -1.16, -0.10}, {0.61, 2.81, -0.02}, 0.037},
    {{8.34, 4.12, -0.40}, {-1.01, 1.82, 0.008}, 0.011},
    {{12.89, -15.11, -0.22}, {1.08, 0.87, -0.01}, 0.0017},
    {{15.38, -25.92, 0.18}, {0.98, 0.59, -0.03}, 0.002},
};

static double square_root(double value) {
  double root;
  __asm__("fsqrt.d %0, %1" : "=f"(root) : "f"(value));
  return root;
}

static void advance(double dt) {
  for (int i = 0; i < kBodies; ++i) {
    struct Body* a = &bodies[i];
    for (int j = i + 1; j < kBodies; ++j) {
      struct Body* b = &bodies[j];
      double d[3];
      for (int k = 0; k < 3; ++k) d[k] = a->x[k] - b->x[k];
      const double distance2 = d[0] * d[0] + d[1] * d[1] + d[2] * d[2];
      const double magnitude = dt / (distance2 * square_root(distance2));
      for (int k = 0; k < 3; ++k) {
        a->v[k] -= d[k] * b->mass * magnitude;
        b->v[k] += d[k] * a->mass * magnitude;
      }
    }
  }
  for (int i = 0; i < kBodies; ++i) {
    for (int k = 0; k < 3; ++k) bodies[i].x[k] += dt * bodies[i].v[k];
  }
}

int main(uint64_t hart) {
  if (hart != 0) return 0;
  for (int step = 0; step < kSteps; ++step) advance(0.001);
  put_string("nbody ");
  for (int i = 0; i < kBodies; ++i) {
    union {
      double value;
      uint64_t bits;
    } x = {bodies[i].x[0]};
    put_hex(x.bits);
  }
  put_char('\n');
  return 0;
}
