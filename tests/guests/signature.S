# Speaks HTIF: prints "!" and exits with code 3, with a signature in memory for whoever asks.
        .section .text.init, "ax"
        .globl _start
_start:
        csrr    t0, mhartid
        bnez    t0, park
        la      t0, tohost
        li      t1, 0x0101000000000021
        sd      t1, 0(t0)
handled:
        ld      t1, 0(t0)
        bnez    t1, handled
        li      t1, 3 << 1 | 1
        sd      t1, 0(t0)
park:
        wfi
        j       park

        .section .tohost, "aw"
        .balign 64
        .globl tohost, fromhost
tohost: .dword 0
fromhost: .dword 0

        .data
        .balign 16
        .globl begin_signature, end_signature
begin_signature:
        .word   0xdeadbeef, 1, 0x12345678
end_signature:
