# Code that writes code: a function's constant is replaced before each call, and an instruction just ahead of the
# program counter is. The sum of all results is left in `sum`.
#include "board.h"

        .equ    rounds, 1000

        .section .text.init, "ax"
        .option norvc
        .globl _start, sum, function
_start:
        csrr    t0, mhartid
        bnez    t0, park
        li      s0, rounds
        li      s1, 0
        la      s2, function
        la      s3, ahead
        li      s4, 0x00050513          # addi a0, a0, 0
next:
        andi    t0, s0, 0x3ff
        slli    t0, t0, 20
        or      t0, t0, s4
        sw      t0, 0(s2)
        fence.i
        li      a0, 1
        call    function
        add     s1, s1, a0
        slli    t0, s0, 20
        srli    t0, t0, 54
        ori     t0, t0, 1
        slli    t0, t0, 20
        or      t0, t0, s4
        li      a0, 0
        sw      t0, 0(s3)               # without fence.i: stores to code take effect at once
ahead:
        addi    a0, a0, 0
        add     s1, s1, a0
        la      t0, sum
        sd      s1, 0(t0)
        addi    s0, s0, -1
        bnez    s0, next
        li      t0, FINISHER_BASE
        li      t1, FINISHER_PASS
        sw      t1, 0(t0)
park:
        wfi
        j       park

        .balign 16
function:
        addi    a0, a0, 0
        ret

        .data
        .balign 8
sum:    .dword 0
