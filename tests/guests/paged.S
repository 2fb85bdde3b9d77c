# Runs in M-mode, then in S-mode at the last gigabyte of addresses, where nothing is mapped before satp is written: like
# a kernel. `high` is executed eight times there, with the round in s0, which it stores to `round`, and not before.
#include "board.h"

        .equ    high_base, 0xffffffffc0000000   # RAM at 0x80000000 appears here
        .equ    rounds, 8

        .section .text.init, "ax"
        .globl  _start, high
_start:
        csrr    t0, mhartid
        bnez    t0, park
        la      t0, root                # entry 0: devices, entry 511: RAM; gigapages, RWX, A and D set
        li      t1, 0xcf
        sd      t1, 0(t0)
        li      t1, (RAM_BASE >> 2) | 0xcf
        li      t2, 511 * 8
        add     t2, t2, t0
        sd      t1, 0(t2)
        srli    t0, t0, 12
        li      t1, 8 << 60
        or      t0, t0, t1
        csrw    satp, t0
        li      t0, -1                  # PMP: all of memory
        csrw    pmpaddr0, t0
        li      t0, 0x1f
        csrw    pmpcfg0, t0
        li      t0, 1 << 11             # MPP = S
        csrw    mstatus, t0
        la      t0, high_start
        li      t1, high_base - RAM_BASE
        add     t0, t0, t1
        csrw    mepc, t0
        mret

high_start:
        li      s0, 0
next:
        call    high
        addi    s0, s0, 1
        li      t0, rounds
        bne     s0, t0, next
        li      t0, FINISHER_BASE
        li      t1, FINISHER_PASS
        sw      t1, 0(t0)
park:
        wfi
        j       park

high:
        la      t0, round
        sd      s0, 0(t0)
        ret

        .bss
        .balign 8
        .globl  round
round:  .zero   8
        .balign 4096
root:   .zero   4096
