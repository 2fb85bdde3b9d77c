/* For LD_PRELOAD: write(2) to a file whose name ends in .rvt takes FAILING_AFTER bytes, then gives EIO. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static long taken;

static int is_trace(int file) {
  char link[64], name[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  const ssize_t size = readlink(link, name, sizeof name);
  return size > 4 && memcmp(name + size - 4, ".rvt", 4) == 0;
}

ssize_t write(int file, const void* bytes, size_t size) {
  static ssize_t (*next)(int, const void*, size_t);
  if (next == NULL) next = (ssize_t(*)(int, const void*, size_t))dlsym(RTLD_NEXT, "write");
  const char* limit = getenv("FAILING_AFTER");
  if (limit == NULL || !is_trace(file)) return next(file, bytes, size);
  const long room = atol(limit) - taken;
  if (room <= 0) {
    errno = EIO;
    return -1;
  }
  const ssize_t done = next(file, bytes, size < (size_t)room ? size : (size_t)room);
  if (done > 0) taken += done;
  return done;
}
