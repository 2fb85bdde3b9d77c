# Timer interrupts, a console that interrupts, and a main loop that computes, stores and waits. What is typed is echoed
# from the handler; 'q' powers off. One hart; the others of a board wait for ever.
#include "board.h"

        .equ    period, 500             # ticks between timer interrupts
        .equ    plic_priority, PLIC_BASE + 4 * 10
        .equ    plic_enable, PLIC_BASE + 0x2000
        .equ    plic_claim, PLIC_BASE + 0x200004

        .section .text.init, "ax"
        .globl _start, main_loop, work, work_next, handler, timer_interrupt, total, flags, ticks, typed, last_byte
_start:
        csrr    t0, mhartid
        bnez    t0, park
        la      sp, _stack_top
        la      t0, handler
        csrw    mtvec, t0
        li      t0, UART_BASE
        li      t1, 1
        sb      t1, 1(t0)               # IER: a byte has arrived
        li      t0, plic_priority
        sw      t1, 0(t0)
        li      t0, plic_enable
        li      t1, 1 << 10
        sw      t1, 0(t0)
        call    arm_timer
        li      t0, (1 << 7) | (1 << 11)
        csrw    mie, t0
        csrsi   mstatus, 8
main_loop:
        li      a0, 40
        call    work
        wfi
        j       main_loop

# Adds a scrambled number to `total`, a0 times; `flags` is written with the same value each time.
work:
        la      a1, total
        la      a4, flags
        li      a5, 7
work_next:
        ld      a2, 0(a1)
        slli    a3, a2, 3
        xor     a2, a2, a3
        addi    a2, a2, 17
        sd      a2, 0(a1)
        sw      a5, 0(a4)
        addi    a0, a0, -1
        bnez    a0, work_next
        ret

arm_timer:
        li      t0, CLINT_MTIME
        ld      t1, 0(t0)
        addi    t1, t1, period
        li      t0, CLINT_MTIMECMP
        sd      t1, 0(t0)
        ret

        .balign 4
handler:
        addi    sp, sp, -64
        sd      ra, 0(sp)
        sd      t0, 8(sp)
        sd      t1, 16(sp)
        sd      t2, 24(sp)
        csrr    t0, mcause
        andi    t0, t0, 0xff
        li      t1, 7
        beq     t0, t1, timer_interrupt
        li      t0, plic_claim
        lw      t2, 0(t0)
        li      t0, UART_BASE
next_byte:
        lbu     t1, UART_LSR(t0)
        andi    t1, t1, 1
        beqz    t1, claimed
        lbu     t1, 0(t0)
        sb      t1, 0(t0)
        la      t0, last_byte
        sb      t1, 0(t0)
        la      t0, typed
        ld      t1, 0(t0)
        addi    t1, t1, 1
        sd      t1, 0(t0)
        la      t0, last_byte
        lbu     t1, 0(t0)
        li      t0, 'q'
        beq     t1, t0, power_off
        li      t0, UART_BASE
        j       next_byte
claimed:
        li      t0, plic_claim
        sw      t2, 0(t0)
        j       done
timer_interrupt:
        call    arm_timer
        la      t0, ticks
        ld      t1, 0(t0)
        addi    t1, t1, 1
        sd      t1, 0(t0)
done:
        ld      ra, 0(sp)
        ld      t0, 8(sp)
        ld      t1, 16(sp)
        ld      t2, 24(sp)
        addi    sp, sp, 64
        mret

power_off:
        li      t0, FINISHER_BASE
        li      t1, FINISHER_PASS
        sw      t1, 0(t0)
park:
        wfi
        j       park

        .data
        .balign 8
total:  .dword 1
flags:  .dword 7
ticks:  .dword 0
typed:  .dword 0
last_byte: .byte 0
