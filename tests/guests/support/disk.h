/* A driver for virtio-blk over virtio-mmio, version 1 or 2 as the board says, for the disk in slot 0. It polls for
   completions. */
#ifndef RETROV_TESTS_GUESTS_SUPPORT_DISK_H
#define RETROV_TESTS_GUESTS_SUPPORT_DISK_H

#include "board.h"

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;

enum { kQueue = 8, kSector = 512 };

/* Where a guest wants the queue elsewhere than in .bss. */
#ifndef QUEUE_SECTION
#define QUEUE_SECTION
#endif

struct descriptor {
  u64 address;
  u32 length;
  u16 flags;
  u16 next;
};
static struct {
  struct descriptor descriptors[kQueue];
  u16 available_flags, available_index, available[kQueue];
  u8 pad[4096 - kQueue * 16 - 4 - 2 * kQueue];
  u16 used_flags;
  volatile u16 used_index;
  struct {
    u32 id, length;
  } used[kQueue];
} queue QUEUE_SECTION __attribute__((aligned(4096)));
static struct {
  u32 type, reserved;
  u64 sector;
} header;
static volatile u8 status;
static u8 buffer[kSector] __attribute__((aligned(8)));

static inline volatile u32* reg(u32 offset) { return (volatile u32*)(u64)(VIRTIO_BASE + offset); }

/* 0: reads into `data`, 1: writes it. Waits for the end; `status` is that of the device. */
static inline void transfer_data(u32 type, u64 sector, u8* data, u32 bytes) {
  header.type = type;
  header.sector = sector;
  status = 0xff;
  queue.descriptors[0] = (struct descriptor){(u64)&header, 16, 1, 1};
  queue.descriptors[1] = (struct descriptor){(u64)data, bytes, type == 0 ? 3 : 1, 2};
  queue.descriptors[2] = (struct descriptor){(u64)&status, 1, 2, 0};
  queue.available[queue.available_index % kQueue] = 0;
  __sync_synchronize();
  ++queue.available_index;
  const u16 wanted = queue.available_index;
  __sync_synchronize();
  *reg(0x50) = 0;
  while (queue.used_index != wanted) {
  }
  *reg(0x64) = *reg(0x60);
}

/* The same with a sector in `buffer`. */
static inline void transfer(u32 type, u64 sector) { transfer_data(type, sector, buffer, kSector); }

static inline void set_address(u32 offset, volatile void* address) {
  *reg(offset) = (u32)(u64)address;
  *reg(offset + 4) = (u32)((u64)address >> 32);
}

/* Version 1 takes the number of the queue's page. */
static inline void set_up_legacy(void) {
  *reg(0x28) = 4096;
  *reg(0x20) = 0;
  *reg(0x30) = 0;
  *reg(0x38) = kQueue;
  *reg(0x3c) = 4096;
  *reg(0x40) = (u32)((u64)&queue / 4096);
}

/* Version 2 takes three addresses, and wants to hear that it is meant: VIRTIO_F_VERSION_1. */
static inline void set_up_modern(void) {
  *reg(0x24) = 1;
  *reg(0x20) = 1;
  *reg(0x70) = 11;
  *reg(0x30) = 0;
  *reg(0x38) = kQueue;
  set_address(0x80, queue.descriptors);
  set_address(0x90, &queue.available_flags);
  set_address(0xa0, &queue.used_flags);
  *reg(0x44) = 1;
}

static inline void start_disk(void) {
  *reg(0x70) = 0;
  *reg(0x70) = 3;
  if (*reg(0x04) == 1) {
    set_up_legacy();
  } else {
    set_up_modern();
  }
  *reg(0x70) |= 4;
}

#endif
