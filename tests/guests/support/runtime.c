/* What the guests written in C share: the console, and the functions that the compiler calls by itself. */
#include "guest.h"

#include "board.h"

void put_char(char c) {
  volatile unsigned char* uart = (volatile unsigned char*)UART_BASE;
  while ((uart[UART_LSR] & UART_LSR_THR_EMPTY) == 0) {
  }
  uart[0] = (unsigned char)c;
}

void put_string(const char* text) {
  while (*text != '\0') put_char(*text++);
}

void put_hex(uint64_t value) {
  for (int shift = 60; shift >= 0; shift -= 4) put_char("0123456789abcdef"[(value >> shift) & 15]);
}

void* memcpy(void* to, const void* from, size_t bytes) {
  unsigned char* out = to;
  const unsigned char* in = from;
  while (bytes-- > 0) *out++ = *in++;
  return to;
}

void* memset(void* to, int value, size_t bytes) {
  unsigned char* out = to;
  while (bytes-- > 0) *out++ = (unsigned char)value;
  return to;
}
