# Says "hello" on the UART and powers off. The smallest guest that shows loading, output and a clean end.
# The other harts of a board with several wait for ever.
#include "board.h"

        .section .text.init, "ax"
        .globl _start
_start:
        csrr    t0, mhartid
        bnez    t0, park
        la      a0, text
        li      a1, UART_BASE
next:
        lbu     a2, 0(a0)
        beqz    a2, power_off
wait_for_room:
        lbu     a3, UART_LSR(a1)
        andi    a3, a3, UART_LSR_THR_EMPTY
        beqz    a3, wait_for_room
        sb      a2, 0(a1)
        addi    a0, a0, 1
        j       next
power_off:
        li      a0, FINISHER_BASE
        li      a1, FINISHER_PASS
        sw      a1, 0(a0)
park:
        wfi
        j       park

        .section .rodata
text:   .string "hello\n"
