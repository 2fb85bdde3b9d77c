# An interrupt handler that never returns, as one that has switched to another task: it counts for ever.
#include "board.h"

        .section .text.init, "ax"
        .globl _start, main_loop, spin
_start:
        csrr    t0, mhartid
        bnez    t0, park
        la      t0, handler
        csrw    mtvec, t0
        li      t0, CLINT_MTIME
        ld      t1, 0(t0)
        addi    t1, t1, 20
        li      t0, CLINT_MTIMECMP
        sd      t1, 0(t0)
        li      t0, 1 << 7
        csrw    mie, t0
        csrsi   mstatus, 8
main_loop:
        addi    a0, a0, 1
        j       main_loop

        .balign 4
handler:
        li      a1, 0
spin:
        addi    a1, a1, 1
        j       spin
park:
        wfi
        j       park
