/* What picolibc needs to run the programs of gdb's test suite on the board: the console as its streams, and an end. */
#include "board.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static volatile unsigned char* const uart = (volatile unsigned char*)UART_BASE;

static int put(char c, FILE* stream) {
  (void)stream;
  while ((uart[UART_LSR] & UART_LSR_THR_EMPTY) == 0) {
  }
  uart[0] = (unsigned char)c;
  return (unsigned char)c;
}

/* Input comes in lines, echoed while they are typed, as native programs have it from their terminal. */
enum { kEndOfFile = 4 /* Ctrl-D */, kLineBytes = 256 };
static char line[kLineBytes];
static size_t line_end, line_at;

static void read_line(void) {
  line_end = line_at = 0;
  while (line_end < kLineBytes) {
    while ((uart[UART_LSR] & 1) == 0) {
    }
    const char c = (char)uart[0];
    if (c == kEndOfFile) return;
    line[line_end++] = c == '\r' ? '\n' : c;
    put(line[line_end - 1], NULL);
    if (line[line_end - 1] == '\n') return;
  }
}

static int get(FILE* stream) {
  (void)stream;
  if (line_at == line_end) read_line();
  return line_at == line_end ? _FDEV_EOF : (unsigned char)line[line_at++];
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

pid_t getppid(void) { return 0; }

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

ssize_t read(int file, void* bytes, size_t length) {
  (void)file;
  if (line_at == line_end) read_line();
  size_t got = 0;
  while (got < length && line_at < line_end) ((char*)bytes)[got++] = line[line_at++];
  return (ssize_t)got;
}

int close(int file) { return file < 3 ? 0 : -1; }
int isatty(int file) { return file < 3; }

/* Waits in WFI, as idle programs of the board do: interrupts stay disabled, a pending one ends it. */
int usleep(useconds_t microseconds) {
  volatile unsigned long* const now = (volatile unsigned long*)CLINT_MTIME;
  const unsigned long end = *now + microseconds * 10UL;
  *(volatile unsigned long*)CLINT_MTIMECMP = end;
  __asm__ volatile("csrs mie, %0" ::"r"(1 << 7));
  while (*now < end) __asm__ volatile("wfi" ::: "memory");
  __asm__ volatile("csrc mie, %0" ::"r"(1 << 7));
  return 0;
}

unsigned sleep(unsigned seconds) {
  while (seconds-- > 0) usleep(1000000);
  return 0;
}

/* The suite's programs end themselves by it should their test never do so; here the test's end does. */
unsigned alarm(unsigned seconds) {
  (void)seconds;
  return 0;
}

int pause(void) {
  for (;;) __asm__ volatile("wfi" ::: "memory");
}

void __riscv_flush_icache(void) { __asm__ volatile("fence.i" ::: "memory"); }

extern char _bss_start[], _bss_end[];
extern void (*__init_array_start[])(void);
extern void (*__init_array_end[])(void);
extern int main(int argc, char** argv, char** envp);

/* The suite takes it for granted that the start of a program writes to its initialised data. */
static volatile int starts_left = 1;

void start_program(void) {
  --starts_left;
  for (char* at = _bss_start; at != _bss_end; ++at) *at = 0;
  for (void (**at)(void) = __init_array_start; at != __init_array_end; ++at) (*at)();
  char* arguments[] = {"program", NULL};
  char* environment[] = {NULL};
  exit(main(1, arguments, environment));
}
