# Start of the guests written in C: a stack for each of up to 8 harts, floating point on, zeroed .bss, then main(hart).
# Hart 0's result is the end of the machine: 0 is a pass. The others wait for ever when their main returns.
#include "board.h"

        .equ    stack_bytes, 0x2000
        .section .text.init, "ax"
        .globl _start
_start:
        .option push
        .option norelax
        la      gp, __global_pointer$
        .option pop
        csrr    a0, mhartid
        la      sp, _stack_top
        li      t0, stack_bytes
        mul     t0, t0, a0
        sub     sp, sp, t0
        li      t0, 0x2000              # mstatus.FS = initial
        csrs    mstatus, t0
        la      t3, bss_is_clear
        bnez    a0, wait_for_bss
        la      t1, _bss_start
        la      t2, _bss_end
clear:
        bgeu    t1, t2, cleared
        sd      zero, 0(t1)
        addi    t1, t1, 8
        j       clear
cleared:
        fence
        li      t4, 1
        sw      t4, 0(t3)
        j       go
wait_for_bss:
        lw      t4, 0(t3)
        beqz    t4, wait_for_bss
        fence
go:
        mv      s0, a0
        call    main
        bnez    s0, park
        li      t0, FINISHER_BASE
        li      t1, FINISHER_PASS
        beqz    a0, end
        slli    t1, a0, 16
        li      t2, FINISHER_FAIL
        or      t1, t1, t2
end:
        sw      t1, 0(t0)
park:
        wfi
        j       park

        .section .data
        .balign 8
bss_is_clear:
        .word   0
