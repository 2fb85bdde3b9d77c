# The handler of a machine full of random code (tests/support/storm.hpp). Every trap to M-mode comes here and goes out
# again somewhere into that code, in some mode, under some page tables, with timers and interrupts about to fire and
# registers that point to what is worth hitting. All choices follow from mcycle. Locked PMP keeps these pages as they
# are.
#include "board.h"

        .equ    code, RAM_BASE + 0x40000        # 16 KiB of random instructions
        .equ    tables, RAM_BASE + 0x50000
        .equ    root_a, tables                  # Sv39: one gigapage of devices, RAM as it is
        .equ    middle_a, tables + 0x1000
        .equ    leaf_a, tables + 0x2000
        .equ    root_b, tables + 0x3000         # Sv39: the same, with pages exchanged
        .equ    middle_b, tables + 0x4000
        .equ    leaf_b, tables + 0x5000
        .equ    root_48, tables + 0x6000        # Sv48: root_a again
        .equ    data, RAM_BASE + 0x60000
        .equ    request, data + 0x7000
        .equ    ring, data + 0x8000
        .equ    ram_end, RAM_BASE + 0x200000

        .macro  mix                             # Another 64 random bits in s11.
        mul     s11, s11, s9
        srli    s10, s11, 29
        xor     s11, s11, s10
        .endm
        .macro  bits to, count                  # Takes some of them.
        slli    \to, s11, 64 - \count
        srli    \to, \to, 64 - \count
        srli    s11, s11, \count
        .endm

        .section .text.init, "ax"
        .globl  _start
        .balign 4
_start:
storm:
        csrr    s11, mcycle
        csrr    t0, mhartid
        slli    t0, t0, 40
        xor     s11, s11, t0
        li      s9, 0x9e3779b97f4a7c15
        mix
        csrr    t0, mscratch
        beqz    t0, set_up
        bits    t0, 4
        beqz    t0, set_up
        bits    t0, 1
        bnez    t0, go_on
        call    change_entry
go_on:
        mix
        bits    t0, 2
        bnez    t0, 5f                          # The hole moves: 4 bytes to 16 KiB of code or data.
        bits    t1, 12
        li      t2, code >> 2
        add     t1, t1, t2
        bits    t2, 1
        slli    t2, t2, 15
        add     t1, t1, t2
        csrw    pmpaddr1, t1
        bits    t2, 12
        add     t1, t1, t2
        csrw    pmpaddr2, t1
5:
        bits    t0, 3                           # Rarely: it drops all translations.
        bnez    t0, 4f
        bits    t0, 3
        la      t1, roots
        slli    t0, t0, 3
        add     t0, t0, t1
        ld      t0, 0(t0)
        csrw    satp, t0
4:      csrr    t0, time
        bits    t1, 8
        add     t0, t0, t1
        csrw    stimecmp, t0
        # MPP of any kind, rarely M; interrupts of M-mode, MPRV, TVM, TW and TSR mostly off, floating point on.
        li      t0, 0x5ef22
        and     t0, t0, s11
        srli    s11, s11, 20
        bits    t1, 3
        bnez    t1, 6f
        li      t1, 0x1800
        or      t0, t0, t1
6:
        bits    t1, 2
        bnez    t1, 1f
        xori    t0, t0, 0x80
1:      bits    t1, 3
        bnez    t1, 2f
        bits    t1, 6
        slli    t1, t1, 17
        or      t0, t0, t1
2:      li      t1, 0x6000
        bits    t2, 3
        beqz    t2, 3f
        or      t0, t0, t1
3:      csrw    mstatus, t0
        srli    t0, t0, 11                      # U has the later half of the code, S the earlier one
        andi    t0, t0, 3
        seqz    t0, t0
        mix
        slli    t0, t0, 13
        li      t1, code
        add     t0, t0, t1
        bits    t1, 12
        slli    t1, t1, 1
        add     t0, t0, t1
        csrw    mepc, t0
        call    aim
        mret

# What is not to be chosen anew at each trap.
set_up:
        la      t0, storm
        csrw    mtvec, t0
        la      t0, gust
        csrw    stvec, t0
        # PMP: these 16 KiB locked for good, all else open, half the time with a hole.
        li      t0, (RAM_BASE >> 2) | ((0x4000 >> 3) - 1)
        csrw    pmpaddr0, t0
        li      t0, 0x9d
        bits    t1, 1
        bnez    t1, no_hole
        bits    t1, 5                           # off, TOR, NA4 or NAPOT, with any rights
        slli    t1, t1, 16
        or      t0, t0, t1
no_hole:
        csrw    pmpcfg0, t0
        li      t0, -1
        csrw    pmpaddr15, t0
        li      t0, 0x1f << 56
        csrw    pmpcfg2, t0
        li      t0, -1
        csrw    mcounteren, t0
        csrw    scounteren, t0
        csrr    t0, mscratch
        li      t1, 1
        csrw    mscratch, t1
        csrr    t1, mhartid
        bnez    t1, 2f                          # Tables are the work of one hart.
        beqz    t0, 1f
        bits    t0, 5
        bnez    t0, 2f
1:      call    build_tables
2:      mix
        # What is delegated, enabled and pending.
        li      t0, 0xa1f8
        and     t0, t0, s11
        csrw    medeleg, t0
        srli    s11, s11, 16
        bits    t0, 12
        csrw    mideleg, t0
        bits    t0, 12
        bits    t1, 12
        and     t0, t0, t1
        csrw    mie, t0
        bits    t0, 10
        csrw    mip, t0
        mix
        bits    t0, 4                           # ADUE is mostly on, STCE half the time
        snez    t0, t0
        slli    t0, t0, 61
        bits    t1, 1
        slli    t1, t1, 63
        or      t0, t0, t1
        csrw    menvcfg, t0
        li      t0, CLINT_MTIME
        bits    t1, 6
        bnez    t1, 3f
        bits    t1, 6                           # once in a while near the end of all time
        not     t1, t1
        sd      t1, 0(t0)
3:      ld      t2, 0(t0)
        bits    t1, 8
        add     t1, t1, t2
        csrw    stimecmp, t1
        csrr    t0, mhartid
        slli    t0, t0, 3
        li      t1, CLINT_MTIMECMP
        add     t0, t0, t1
        bits    t1, 10
        add     t1, t1, t2
        sd      t1, 0(t0)
        bits    t0, 1
        slli    t0, t0, 2
        li      t1, CLINT_BASE
        add     t0, t0, t1
        bits    t1, 2
        seqz    t1, t1
        sw      t1, 0(t0)
        li      t0, data + 0xff8                # What is stored to tohost shall mostly be printed, not end it all.
        li      t1, 0x101
        sh      t1, 6(t0)
        bits    t0, 1
        bnez    t0, go_on
        call    stir_devices
        j       go_on

        .balign 8
roots:  .dword  0
        .rept   3
        .dword  8 << 60 | root_a >> 12
        .dword  8 << 60 | 5 << 44 | root_b >> 12
        .endr
        .dword  9 << 60 | root_48 >> 12

# Traps to S-mode. Fetches are never delegated, so whatever goes wrong here ends above.
        .balign 4
gust:
        csrr    s11, cycle
        li      s9, 0x9e3779b97f4a7c15
        mix
        csrw    sie, s11
        bits    t0, 12
        csrci   sip, 2
        bits    t0, 1
        beqz    t0, 1f
        csrr    t1, time
        bits    t0, 5
        add     t1, t1, t0
        csrw    stimecmp, t1
1:      bits    t0, 2
        bnez    t0, 2f
        li      t0, 8 << 60 | root_b >> 12
        csrr    t1, satp
        bne     t0, t1, 3f
        li      t0, 8 << 60 | root_a >> 12
3:      csrw    satp, t0
        sfence.vma
2:      li      t0, 0xc0122
        and     t0, t0, s11
        li      t1, 0x6000
        or      t0, t0, t1
        csrw    sstatus, t0
        srli    t0, t0, 8
        andi    t0, t0, 1
        seqz    t0, t0
        mix
        slli    t0, t0, 13
        li      t1, code
        add     t0, t0, t1
        bits    t1, 12
        slli    t1, t1, 1
        add     t0, t0, t1
        csrw    sepc, t0
        call    aim
        sret

# Pointers for the random code; compressed instructions reach s0, s1 and a0 to a5 alone.
aim:
        li      s0, code
        bits    t0, 14
        add     s0, s0, t0
        li      s1, leaf_a + 0x300
        bits    t0, 1
        li      t1, 0x3000
        mul     t0, t0, t1
        add     s1, s1, t0
        li      a0, data
        li      a1, data + 0xffd                # a page's end
        bits    t0, 12
        add     a2, a0, t0
        li      a3, UART_BASE
        li      a4, CLINT_BASE
        li      a5, data + 0xf58                # tohost is 160 bytes on
        li      sp, data + 0x2000
        li      gp, ram_end - 4
        li      tp, VIRTIO_BASE + 0x40
        li      t3, code + 0xffe
        li      t4, PLIC_BASE + 0x200004
        ret

# An entry that maps page t0 of RAM to page t1, with the rights t2.
        .macro  put_entry leaf
        li      t5, RAM_BASE >> 12
        add     t5, t5, t1
        slli    t5, t5, 10
        or      t5, t5, t2
        li      t6, \leaf
        slli    t1, t0, 3
        add     t6, t6, t1
        sd      t5, 0(t6)
        .endm

# Pages 0x40 to 0x6f are random code, tables and data; 0 to 3 are ours.
build_tables:
        li      t0, 0
1:      li      t2, 0xcb
        mv      t1, t0
        put_entry leaf_a
        mv      t1, t0
        put_entry leaf_b
        addi    t0, t0, 1
        li      t1, 4
        bne     t0, t1, 1b
        li      t0, 0x40
2:      mix
        bits    t2, 2                           # A and D
        slli    t2, t2, 6
        bits    t1, 1                           # U; of code the later half
        li      t3, 0x44
        bgeu    t0, t3, 3f
        srli    t1, t0, 1
        andi    t1, t1, 1
3:      slli    t1, t1, 4
        or      t2, t2, t1
        ori     t2, t2, 0xf
        mv      t1, t0
        put_entry leaf_a
        bits    t1, 2
        seqz    t1, t1
        xor     t1, t1, t0
        put_entry leaf_b
        addi    t0, t0, 1
        li      t1, 0x70
        bne     t0, t1, 2b
        li      t0, 0xd7                        # devices: a gigapage, for U half the time
        bits    t1, 1
        slli    t1, t1, 4
        xor     t0, t0, t1
        li      t1, root_a
        sd      t0, 0(t1)
        li      t2, root_b
        sd      t0, 0(t2)
        li      t0, middle_a >> 12 << 10 | 1
        sd      t0, 16(t1)
        li      t0, middle_b >> 12 << 10 | 1
        sd      t0, 16(t2)
        li      t0, leaf_a >> 12 << 10 | 1
        li      t1, middle_a
        sd      t0, 0(t1)
        li      t0, leaf_b >> 12 << 10 | 1
        li      t1, middle_b
        sd      t0, 0(t1)
        li      t0, root_a >> 12 << 10 | 1
        li      t1, root_48
        sd      t0, 0(t1)
        ret

# One entry anew: half the time of code, with the rights it had but A and D at random, as a kernel does that looks for
# pages out of use; now and then execute-only.
change_entry:
        mix
        bits    t2, 8
        bits    t1, 1
        bnez    t1, 1f
        bits    t0, 2
        andi    t2, t2, 0xc0
        ori     t2, t2, 0x9
        bits    t1, 1
        negw    t1, t1
        andi    t1, t1, 6
        or      t2, t2, t1
        srli    t1, t0, 1
        slli    t1, t1, 4
        or      t2, t2, t1
        addi    t0, t0, 0x40
        j       2f
1:      bits    t0, 5
        addi    t0, t0, 0x50
        bits    t1, 3
        beqz    t1, 2f
        ori     t2, t2, 0xf
        andi    t2, t2, 0xdf
2:      bits    t1, 3
        seqz    t1, t1
        xor     t1, t1, t0
        bits    t3, 1
        bnez    t3, 3f
        put_entry leaf_a
        ret
3:      put_entry leaf_b
        ret

stir_devices:
        mix
        bits    t0, 7
        beqz    t0, stir_finisher
        bits    t0, 2
        beqz    t0, stir_disk
        addi    t0, t0, -1
        beqz    t0, stir_plic
        addi    t0, t0, -1
        beqz    t0, stir_rtc
        li      t0, UART_BASE
        bits    t1, 4
        sb      t1, 1(t0)
        bits    t1, 8
        sb      t1, 0(t0)
        lb      t1, 0(t0)
        lb      t1, 2(t0)
        ret
stir_finisher:
        li      t0, FINISHER_BASE
        li      t1, FINISHER_RESET
        sw      t1, 0(t0)
        ret
stir_plic:
        li      t0, PLIC_BASE
        li      t1, 1
1:      bits    t2, 3
        slli    t3, t1, 2
        add     t3, t3, t0
        sw      t2, 0(t3)
        addi    t1, t1, 1
        li      t2, 12
        bne     t1, t2, 1b
        li      t1, PLIC_BASE + 0x2000
        li      t2, 0xffe
        sw      t2, 0(t1)
        sw      t2, 0x80(t1)
        sw      t2, 0x100(t1)
        sw      t2, 0x180(t1)
        li      t1, PLIC_BASE + 0x200004
        lw      t2, 0(t1)
        sw      t2, 0(t1)
        ret
stir_rtc:
        li      t0, RTC_BASE
        lw      t1, 0(t0)
        lw      t2, 4(t0)
        bits    t3, 14
        add     t1, t1, t3
        sw      t2, 12(t0)
        sw      t1, 8(t0)
        li      t1, 1
        sw      t1, 16(t0)
        sw      t1, 28(t0)
        ret
# The driver of the disk starts anew and makes one request, into or out of any of our pages.
stir_disk:
        li      t0, VIRTIO_BASE
        sw      zero, 0x70(t0)
        li      t1, 4096
        sw      t1, 0x28(t0)
        sw      t1, 0x3c(t0)
        sw      zero, 0x30(t0)
        li      t1, 8
        sw      t1, 0x38(t0)
        li      t1, ring >> 12
        sw      t1, 0x40(t0)
        li      t1, request
        mix
        bits    t2, 1                           # 1: a write to the disk
        sw      t2, 0(t1)
        bits    t3, 4
        sd      t3, 8(t1)
        li      t3, ring
        sd      t1, 0(t3)
        li      t4, 16 | 1 << 32 | 1 << 48
        sd      t4, 8(t3)
        bits    t4, 10
        slli    t4, t4, 8
        li      t5, code
        add     t4, t4, t5
        sd      t4, 16(t3)
        bits    t4, 2
        slli    t4, t4, 9
        xori    t2, t2, 1
        slli    t2, t2, 1
        ori     t2, t2, 1
        slli    t2, t2, 32
        or      t4, t4, t2
        li      t2, 2 << 48
        or      t4, t4, t2
        sd      t4, 24(t3)
        addi    t1, t1, 16
        sd      t1, 32(t3)
        li      t4, 1 | 2 << 32
        sd      t4, 40(t3)
        li      t4, 1 << 16
        sd      t4, 128(t3)
        sw      zero, 0x50(t0)
        ret
