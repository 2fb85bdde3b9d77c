# Every hart does, in an order that follows from its number and mcycle, what takes part in the rules of turns: runs of
# instructions, traps, PAUSE, WRS, WFI that waits and WFI that does not, interrupts of its own timer and of other harts,
# stores to devices. It never ends. `harts` says how many there are.
#include "board.h"

        .section .text.init, "ax"
        .globl  _start, harts, handler
_start:
        la      t0, handler
        csrw    mtvec, t0
        csrr    s0, mhartid
        addi    s1, s0, 1
        li      s2, 0x9e3779b97f4a7c15
        li      s3, CLINT_BASE          # msip of hart 0
        li      s4, CLINT_MTIMECMP
        slli    t0, s0, 3
        add     s4, s4, t0              # mtimecmp of this one
        li      s5, CLINT_MTIME
        la      s6, harts
        ld      s6, 0(s6)
        li      t0, 1 << 7 | 1 << 3     # timer and software interrupts
        csrw    mie, t0
next:
        csrr    t0, mcycle
        add     s1, s1, t0
        mul     s1, s1, s2
        srli    t0, s1, 61
        beqz    t0, waits
        addi    t0, t0, -1
        beqz    t0, pauses
        addi    t0, t0, -1
        beqz    t0, waits_for_store
        addi    t0, t0, -1
        beqz    t0, traps
        addi    t0, t0, -1
        beqz    t0, interrupts_other
        addi    t0, t0, -1
        beqz    t0, does_not_wait
        addi    t0, t0, -1
        beqz    t0, opens
runs:
        srli    t0, s1, 40
        andi    t0, t0, 127
1:      addi    t0, t0, -1
        bgtz    t0, 1b
        j       next
waits:
        call    set_timer
        wfi
        j       next
pauses:
        .word   0x0100000f
        j       next
waits_for_store:
        andi    t0, s1, 16
        bnez    t0, 1f
        .word   0x00d00073              # wrs.nto
        j       next
1:      .word   0x01d00073              # wrs.sto
        j       next
traps:
        ecall
        j       next
interrupts_other:
        srli    t0, s1, 32
        srli    t0, t0, 8
        remu    t0, t0, s6
        slli    t0, t0, 2
        add     t0, t0, s3
        li      t1, 1
        sw      t1, 0(t0)
        j       next
does_not_wait:
        li      t0, 1 << 5              # STIP is pending and enabled, and stays so while M-mode's are shut.
        csrs    mip, t0
        csrs    mie, t0
        wfi
        csrc    mie, t0
        j       next
opens:
        call    set_timer
        csrsi   mstatus, 8
        srli    t0, s1, 30
        andi    t0, t0, 255
1:      addi    t0, t0, -1
        bgtz    t0, 1b
        csrci   mstatus, 8
        j       next

# The timer a little from now: up to 63 ticks.
set_timer:
        ld      t0, 0(s5)
        srli    t1, s1, 50
        andi    t1, t1, 63
        add     t0, t0, t1
        sd      t0, 0(s4)
        ret

# Clears what has come. t3 to t6 are its own.
        .balign 4
handler:
        csrr    t3, mcause
        bltz    t3, 1f
        csrr    t4, mepc
        addi    t4, t4, 4
        csrw    mepc, t4
        mret
1:      slli    t4, s0, 2
        add     t4, t4, s3
        sw      zero, 0(t4)
        li      t4, -1
        sd      t4, 0(s4)
        mret

        .data
        .balign 8
harts:  .dword  1
