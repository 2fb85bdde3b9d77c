/* What picolibc needs to run the programs of gdb's test suite on the board: the console as its streams, and an end. */
#include "board.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static volatile unsigned char* const uart = (volatile unsigned char*)UART_BASE;

static int put(char c, FILE* stream) {
  if (c == '\n') put('\r', stream);
  while ((uart[UART_LSR] & UART_LSR_THR_EMPTY) == 0) {
  }
  uart[0] = (unsigned char)c;
  return (unsigned char)c;
}

static int get(FILE* stream) {
  (void)stream;
  while ((uart[UART_LSR] & 1) == 0) {
  }
  int c = uart[0];
  return c == '\r' ? '\n' : c;
}

static FILE console = FDEV_SETUP_STREAM(put, get, NULL, _FDEV_SETUP_RW);
FILE* const stdin = &console;
FILE* const stdout = &console;
FILE* const stderr = &console;

void _exit(int status) {
  *(volatile unsigned*)FINISHER_BASE = status == 0 ? FINISHER_PASS : (unsigned)status << 16 | FINISHER_FAIL;
  for (;;) {
  }
}

/* The only process there is. */
pid_t getpid(void) { return 1; }

int kill(pid_t process, int signal) {
  (void)process;
  _exit(128 + signal);
  return 0;
}

ssize_t write(int file, const void* bytes, size_t length) {
  (void)file;
  for (size_t i = 0; i < length; ++i) put(((const char*)bytes)[i], stdout);
  return (ssize_t)length;
}

/* A line at most, as from a terminal. */
ssize_t read(int file, void* bytes, size_t length) {
  (void)file;
  size_t got = 0;
  while (got < length) {
    char c = (char)get(stdin);
    ((char*)bytes)[got++] = c;
    if (c == '\n') break;
  }
  return (ssize_t)got;
}

extern char _bss_start[], _bss_end[];
extern void (*__init_array_start[])(void);
extern void (*__init_array_end[])(void);
extern int main(int argc, char** argv, char** envp);

/* The suite takes it for granted that the start of a program writes to its initialised data. */
static volatile int starts_left = 1;

void run_program(void) {
  --starts_left;
  for (char* at = _bss_start; at != _bss_end; ++at) *at = 0;
  for (void (**at)(void) = __init_array_start; at != __init_array_end; ++at) (*at)();
  char* arguments[] = {"program", NULL};
  char* environment[] = {NULL};
  exit(main(1, arguments, environment));
}
