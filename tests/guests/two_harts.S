# Two harts that add to one counter by AMO, to another under a lock of LR and SC, and interrupt each other now and then;
# hart 1 waits at the end, hart 0 powers off when the work is done and both counters agree.
#include "board.h"

        .equ    rounds, 400

        .section .text.init, "ax"
        .globl _start, loop, counter, guarded, handler, park
_start:
        csrr    s0, mhartid
        li      t0, 2
        bgeu    s0, t0, park
        la      sp, _stack_top
        slli    t0, s0, 12
        sub     sp, sp, t0
        la      t0, handler
        csrw    mtvec, t0
        li      s1, CLINT_BASE          # msip of the other hart
        xori    t0, s0, 1
        slli    t0, t0, 2
        add     s1, s1, t0
        li      t0, 1 << 3
        csrw    mie, t0
        csrsi   mstatus, 8
        li      s2, rounds
        la      s3, counter
        la      s4, lock
        la      s5, guarded
        addi    s6, s0, 1
loop:
        amoadd.d a0, s6, (s3)
acquire:
        lr.w    t0, (s4)
        bnez    t0, acquire
        li      t1, 1
        sc.w    t0, t1, (s4)
        bnez    t0, acquire
        ld      t0, 0(s5)
        add     t0, t0, s6
        sd      t0, 0(s5)
        amoswap.w.rl zero, zero, (s4)
        andi    t0, s2, 15
        bnez    t0, no_wait
        li      t1, 1
        sw      t1, 0(s1)               # interrupt the other hart
        csrr    t0, mip
        andi    t0, t0, 8
        bnez    t0, no_wait
        .word   0x0100000f              # pause: the turn ends
no_wait:
        addi    s2, s2, -1
        bnez    s2, loop
        la      t0, finished
        li      t1, 1
        amoadd.w zero, t1, (t0)
        bnez    s0, finish_waiting
wait_for_other:
        lw      t1, 0(t0)
        li      t2, 2
        bne     t1, t2, wait_for_other
        ld      a0, 0(s3)
        ld      a1, 0(s5)
        bne     a0, a1, failed
        li      t0, FINISHER_BASE
        li      t1, FINISHER_PASS
        sw      t1, 0(t0)
finish_waiting:
        li      t1, 1
        sw      t1, 0(s1)
park:
        wfi
        j       park
failed:
        li      t0, FINISHER_BASE
        li      t1, FINISHER_FAIL | 1 << 16
        sw      t1, 0(t0)
        j       park

        .balign 4
handler:
        addi    sp, sp, -32
        sd      t0, 0(sp)
        sd      t1, 8(sp)
        csrr    t0, mhartid
        slli    t0, t0, 2
        li      t1, CLINT_BASE
        add     t0, t0, t1
        sw      zero, 0(t0)
        la      t0, interrupts
        li      t1, 1
        amoadd.d zero, t1, (t0)
        ld      t0, 0(sp)
        ld      t1, 8(sp)
        addi    sp, sp, 32
        mret

        .data
        .balign 8
counter: .dword 0
guarded: .dword 0
interrupts: .dword 0
lock:   .word 0
finished: .word 0
