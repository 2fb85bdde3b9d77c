/* Runs every floating-point instruction over many operands and prints a hash of results and flags for each (operation,
   rounding mode, chunk). Bare metal, so that the same program runs on retrov and on QEMU. The operations come from
   _fp_vectors.py as stubs and a table; VECTORS is the size of a chunk and CHUNKS their number. With ONLY_OPERATION,
   ONLY_MODE and ONLY_CHUNK it prints each vector of that chunk instead. */
#include "support/guest.h"

struct result {
  uint64_t value, fcsr;
};
typedef struct result (*stub)(uint64_t a, uint64_t b, uint64_t c, uint64_t fcsr);

struct operation {
  stub dynamic;       /* With rm = 7, or without a rounding mode. */
  stub fixed[5];      /* With each rm, or null. */
  char operands[4];   /* h s d: a number of that format; x: an integer; n: none. */
};
extern const struct operation operations[];
extern const uint64_t operation_count;

static uint64_t state;

static uint64_t random_bits(void) {
  state += 0x9e3779b97f4a7c15;
  uint64_t z = state;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

struct format {
  unsigned exponent_bits, fraction_bits;
};

static struct format format_of(char letter) {
  if (letter == 'h') return (struct format){5, 10};
  if (letter == 's') return (struct format){8, 23};
  return (struct format){11, 52};
}

/* Random, or with long runs of equal bits at either end: the makings of ties and carries. */
static uint64_t fraction(uint64_t random, unsigned bits) {
  const unsigned shift = (unsigned)(random >> 8) % (bits + 1);
  switch (random & 7) {
    case 0: return 1ull << shift;
    case 1: return ~0ull << shift;
    case 2: return ~0ull >> (63 - shift);
    case 3: return random_bits() << shift;
    case 4: return 0;
    default: return random_bits();
  }
}

static uint64_t make(struct format f, uint64_t field, uint64_t fraction, uint64_t sign) {
  const uint64_t mask = (1ull << f.exponent_bits) - 1;
  return (sign & 1) << (f.exponent_bits + f.fraction_bits) | (field & mask) << f.fraction_bits |
         (fraction & ((1ull << f.fraction_bits) - 1));
}

/* Where implementations go wrong: at both ends of the range, about 1, where integers end, and near or against the
   operand before, so that sums cancel and products and quotients come to a border. */
static uint64_t number(struct format f, uint64_t before) {
  const uint64_t random = random_bits(), sign = random >> 60, more = random >> 32;
  const uint64_t top = (1ull << f.exponent_bits) - 1, bias = top >> 1;
  const uint64_t digits = fraction(random >> 8, f.fraction_bits);
  const uint64_t field = before >> f.fraction_bits & top;
  switch (random & 15) {
    case 0: return random_bits() & ((2ull << (f.exponent_bits + f.fraction_bits)) - 1);
    case 1: return make(f, (more & 1) != 0 ? top : 0, (more & 6) != 0 ? 0 : digits, sign);
    case 2: return make(f, 0, digits, sign);
    case 3: return make(f, 1 + more % 4, digits, sign);
    case 4: return make(f, top - 1 - more % 4, digits, sign);
    case 5: return make(f, more, digits, sign);
    case 6: return (before ^ sign << (f.exponent_bits + f.fraction_bits)) + more % 5 - 2;
    case 7: return make(f, field + more % (2 * f.fraction_bits + 6) - f.fraction_bits - 3, digits, sign);
    case 8: return make(f, bias - field + more % 4 - 2, digits, sign);
    case 9: return make(f, 3 * bias - field + more % 4 - 2, digits, sign);
    case 10: return make(f, field + bias + more % 4 - 2, digits, sign);
    case 11: return make(f, field - bias + more % 4 - 2, digits, sign);
    case 12: return make(f, bias - 3 + more % 100, digits, sign);
    default: return make(f, bias - 3 + more % 7, digits, sign);
  }
}

static uint64_t operand(char letter, uint64_t before) {
  if (letter == 'n') return 0;
  const uint64_t random = random_bits();
  if (letter == 'x') {
    const uint64_t value = random_bits() >> (random & 63);
    const uint64_t kept = (random & 0x300) == 0 ? value & ~0ull << (random >> 16 & 63) : value;
    return (random & 0x1000) != 0 ? ~kept : kept;
  }
  const struct format f = format_of(letter);
  const uint64_t value = number(f, before);
  const unsigned width = f.exponent_bits + f.fraction_bits + 1;
  if (width == 64) return value;
  const uint64_t box = ~0ull << width;
  /* Boxed, but for one in 64, of which a bit of the box is wrong. */
  const uint64_t hole = (random & 63) == 0 ? 1ull << (width + (random >> 8) % (64 - width)) : 0;
  return (value & ~box) | (box ^ hole);
}

static uint64_t flags_before(uint64_t random) {
  /* Inexact is what lets an implementation use the host's arithmetic. */
  return (random & 3) == 0 ? 0 : (random & 3) == 1 ? random >> 8 & 31 : 1;
}

static void put_number(uint64_t value) {
  put_hex(value);
  put_char(' ');
}

static void run_chunk(const struct operation* op, unsigned mode, unsigned chunk, int show) {
  const int is_fixed = op->fixed[mode] != 0 && (chunk & 1) != 0;
  const stub run = is_fixed ? op->fixed[mode] : op->dynamic;
  /* Where the instruction names a mode, that of fcsr must not matter. */
  const uint64_t frm = is_fixed ? (mode + 1 + chunk / 2) % 5 : mode;
  uint64_t hash = 0xcbf29ce484222325;
  for (unsigned i = 0; i < VECTORS; ++i) {
    const uint64_t a = operand(op->operands[0], 0);
    const uint64_t b = operand(op->operands[1], a);
    const uint64_t c = operand(op->operands[2], (i & 1) != 0 ? a : b);
    const uint64_t fcsr = frm << 5 | flags_before(random_bits());
    const struct result result = run(a, b, c, fcsr);
    hash = (hash ^ result.value) * 0x100000001b3;
    hash ^= hash >> 29;
    hash = (hash ^ result.fcsr) * 0x100000001b3;
    if (!show) continue;
    put_number(a);
    put_number(b);
    put_number(c);
    put_number(fcsr);
    put_number(result.value);
    put_hex(result.fcsr);
    put_char('\n');
  }
  if (!show) put_hex(hash);
}

int main(uint64_t hart) {
  if (hart != 0) return 0;
  for (uint64_t index = 0; index < operation_count; ++index) {
    const struct operation* op = &operations[index];
    const unsigned modes = op->fixed[0] != 0 ? 5 : 1;
    for (unsigned mode = 0; mode < modes; ++mode) {
      for (unsigned chunk = 0; chunk < CHUNKS; ++chunk) {
        state = SEED + (index << 40) + (mode << 20) + chunk;
#ifdef ONLY_OPERATION
        if (index == ONLY_OPERATION && mode == ONLY_MODE && chunk == ONLY_CHUNK) run_chunk(op, mode, chunk, 1);
#else
        put_number(index);
        put_number(mode);
        put_number(chunk);
        run_chunk(op, mode, chunk, 0);
        put_char('\n');
#endif
      }
    }
  }
  return 0;
}
