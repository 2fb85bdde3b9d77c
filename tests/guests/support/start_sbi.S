# Start of the guests written in C that OpenSBI starts, in S-mode and on one hart: a stack for each of up to 8 harts,
# zeroed .bss, then main(hart). Its result is the end of the machine by SBI's SRST: 0 is a pass. Other harts begin at
# `second_start` when main has them started (HSM) and stop when their second_main returns.
        .equ    stack_bytes, 0x2000
        .equ    hsm, 0x48534d
        .equ    srst, 0x53525354

        .macro  own_stack               # a0: the hart
        la      sp, _stack_top
        li      t0, stack_bytes
        mul     t0, t0, a0
        sub     sp, sp, t0
        .option push
        .option norelax
        la      gp, __global_pointer$
        .option pop
        la      t0, trapped
        csrw    stvec, t0
        .endm

        .section .text.init, "ax"
        .globl  _start, second_start
_start:
        own_stack
        la      t1, _bss_start
        la      t2, _bss_end
clear:
        bgeu    t1, t2, cleared
        sd      zero, 0(t1)
        addi    t1, t1, 8
        j       clear
cleared:
        call    main
end:
        snez    a1, a0                  # the reason: none, or a failure of the system
        li      a0, 0                   # shutdown
        li      a6, 0
        li      a7, srst
        ecall
1:      j       1b

# Nobody expects a trap here.
        .balign 4
trapped:
        li      a0, 1
        j       end

# a0: the hart, a1: what main wants it to know.
        .balign 4
second_start:
        csrr    a2, satp
        csrr    a3, sstatus
        own_stack
        call    second_main
        li      a6, 1                   # hart_stop
        li      a7, hsm
        ecall
1:      j       1b
