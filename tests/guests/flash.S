# Runs in place from flash unit 0, wherever it was linked: all its references are relative to pc. Works through a script
# of accesses to unit 1 and prints what it reads, then a hash of what many random accesses read, then programs an
# instruction of its own (from RAM, for unit 0 has then no code to fetch) and executes it before and after.
#include "board.h"

#define FLASH_BASE 0x20000000
#define UNIT_1 0x22000000
#define RAM_STUB (RAM_BASE + 0x10000)
#define STORM_ROUNDS 40000

        .macro  script what, size, offset, value=0
        .byte   \what, \size, 0, 0
        .word   \offset
        .dword  \value
        .endm
        .macro  put size, offset, value
        script  1, \size, \offset, \value
        .endm
        .macro  show size, offset
        script  2, \size, \offset
        .endm
        .macro  say char
        script  3, 0, 0, \char
        .endm

        .section .text.init, "ax"
        .globl _start
_start:
        csrr    t0, mhartid
        bnez    t0, park
        li      sp, RAM_BASE + 0x8000
        auipc   s0, 0                   # where we run: 20000000
        srli    a0, s0, 16
        call    print_hex
        la      s0, steps
        li      s1, UNIT_1
next_step:
        lbu     t0, 0(s0)
        lbu     a2, 1(s0)
        lwu     a1, 4(s0)
        ld      a0, 8(s0)
        add     a1, a1, s1
        addi    s0, s0, 16
        beqz    t0, storm
        li      t1, 2
        blt     t0, t1, write_it
        beq     t0, t1, read_it
        call    print_char
        j       next_step
write_it:
        call    access_write
        j       next_step
read_it:
        call    access_read
        call    print_hex
        j       next_step

# Random commands, data and reads in the first MiB of unit 1. No buffered programming: with random counts it would
# swallow all that follows.
storm:
        li      s2, 0x9e3779b97f4a7c15  # xorshift64*
        li      s3, 0                   # hash of what was read
        li      s4, STORM_ROUNDS
storm_round:
        slli    t0, s2, 13
        xor     s2, s2, t0
        srli    t0, s2, 7
        xor     s2, s2, t0
        slli    t0, s2, 17
        xor     s2, s2, t0
        srli    t0, s2, 8
        andi    t0, t0, 3
        li      a2, 1
        sll     a2, a2, t0              # size
        srli    a1, s2, 16
        li      t1, 0xfffff
        and     a1, a1, t1
        neg     t1, a2
        and     a1, a1, t1              # aligned
        andi    t0, s2, 0x80
        beqz    t0, storm_place
        andi    a1, a1, 0x7f8           # often where the tables are
storm_place:
        add     a1, a1, s1
        srli    a0, s2, 20              # a value
        andi    t0, s2, 7
        li      t1, 4
        bgeu    t0, t1, storm_read
        li      t1, 3
        beq     t0, t1, storm_write
        la      t1, commands
        srli    t2, s2, 40
        andi    t2, t2, 15
        add     t1, t1, t2
        lbu     a0, 0(t1)               # or a command
storm_write:
        call    access_write
        j       storm_next
storm_read:
        call    access_read
        xor     s3, s3, a0
        li      t0, 0x100000001b3
        mul     s3, s3, t0
storm_next:
        addi    s4, s4, -1
        bnez    s4, storm_round
        mv      a0, s3
        call    print_hex

# `answer` before and after its first instruction was programmed anew.
        la      t0, program
        la      t1, program_end
        li      t2, RAM_STUB
copy:
        lwu     t3, 0(t0)
        sw      t3, 0(t2)
        addi    t0, t0, 4
        addi    t2, t2, 4
        bltu    t0, t1, copy
        fence.i
        call    answer
        call    print_hex
        la      a0, answer
        lwu     a1, other_answer
        li      t0, RAM_STUB
        jalr    t0
        call    answer
        call    print_hex
        lwu     a0, answer
        call    print_hex
        li      a0, '\n'
        call    print_char
        li      t0, FINISHER_BASE
        li      t1, FINISHER_PASS
        sw      t1, 0(t0)
park:
        wfi
        j       park

        .option push
        .option norvc
answer:
        li      a0, 1
        ret
other_answer:
        li      a0, 2
# Stores a1 into the flash at a0. Runs in RAM.
program:
        li      t0, 0x40
        sw      t0, 0(a0)
        sw      a1, 0(a0)
        li      t0, 0xff
        sw      t0, 0(a0)
        fence.i
        ret
program_end:
        .option pop

# a1: address, a2: size, a0: value.
access_write:
        li      t0, 2
        blt     a2, t0, 1f
        beq     a2, t0, 2f
        li      t0, 4
        beq     a2, t0, 4f
        sd      a0, 0(a1)
        ret
1:      sb      a0, 0(a1)
        ret
2:      sh      a0, 0(a1)
        ret
4:      sw      a0, 0(a1)
        ret
access_read:
        li      t0, 2
        blt     a2, t0, 1f
        beq     a2, t0, 2f
        li      t0, 4
        beq     a2, t0, 4f
        ld      a0, 0(a1)
        ret
1:      lbu     a0, 0(a1)
        ret
2:      lhu     a0, 0(a1)
        ret
4:      lwu     a0, 0(a1)
        ret

print_char:
        li      t1, UART_BASE
        sb      a0, 0(t1)
        ret
# A space and a0 without leading zeros.
print_hex:
        li      t1, UART_BASE
        li      t2, ' '
        sb      t2, 0(t1)
        li      t3, 60
skip_zeros:
        beqz    t3, digit
        srl     t2, a0, t3
        bnez    t2, digit
        addi    t3, t3, -4
        j       skip_zeros
digit:
        srl     t2, a0, t3
        andi    t2, t2, 15
        li      t4, 10
        blt     t2, t4, decimal
        addi    t2, t2, 'a' - '0' - 10
decimal:
        addi    t2, t2, '0'
        sb      t2, 0(t1)
        addi    t3, t3, -4
        bgez    t3, digit
        ret

        .balign 8
commands:
        .byte   0x00, 0x10, 0x20, 0x40, 0x50, 0x60, 0x70, 0x90
        .byte   0x98, 0xff, 0xd0, 0xf0, 0x01, 0xb0, 0xd0, 0xff

        .balign 8
steps:
        say     '\n'
        show    4, 0                    # as it comes: zeros
        show    8, 0x1fffff8
        say     '\n'
        put     4, 0x154, 0x980098      # query: QRY, the geometry, narrow and wide reads
        show    4, 0x40
        show    4, 0x44
        show    4, 0x48
        show    8, 0x4c * 2
        show    4, 0x9c
        show    4, 0xa8
        show    4, 0xb0
        show    4, 0xb4
        show    4, 0xc0
        show    4, 0xc4
        show    4, 0xfc
        show    4, 0x144
        show    4, 0x148
        show    2, 0x40
        show    1, 0x41
        show    2, 0x42
        put     4, 0, 0x900090          # not heard in query mode
        show    4, 0x40
        put     4, 0, 0xff00ff
        say     '\n'
        put     4, 0, 0x900090          # identity
        show    4, 0
        show    4, 4
        show    4, 8
        show    8, 0
        show    1, 5
        put     4, 0, 0x700070          # status
        show    4, 0
        show    2, 0
        show    1, 3
        show    8, 0x100
        put     4, 0, 0xff
        show    4, 0
        say     '\n'
        put     4, 0x40000, 0x200020    # erase the second sector
        show    4, 0x40000
        put     4, 0x40000, 0xd000d0
        show    4, 0x40000
        put     4, 0, 0xff
        show    4, 0x3fffc
        show    8, 0x40000
        show    4, 0x7fffc
        show    4, 0x80000
        say     '\n'
        put     4, 0x40000, 0x400040    # program: a word, a byte, half a word, bits back to 1
        put     4, 0x40000, 0x12345678
        show    4, 0
        put     1, 0x40005, 0x10
        put     1, 0x40005, 0xab
        put     2, 0x40008, 0x40
        put     2, 0x40008, 0xcdef
        put     4, 0, 0xff
        show    8, 0x40000
        show    8, 0x40008
        put     4, 0x40000, 0x400040
        put     4, 0x40000, 0xf0f0f0f0
        put     4, 0, 0xff
        show    4, 0x40000
        say     '\n'
        put     4, 0x41000, 0xe800e8    # a buffer of four words
        show    4, 0x41000
        put     4, 0x41000, 0x30003
        put     4, 0x41000, 0x11111111
        put     4, 0x41004, 0x22222222
        put     4, 0x41008, 0x33333333
        put     4, 0x4100c, 0x44444444
        put     4, 0x41000, 0xd000d0
        show    4, 0x41000
        put     4, 0, 0xff
        show    8, 0x41000
        show    8, 0x41008
        show    4, 0x41010
        put     4, 0x42000, 0xe800e8    # and of one
        put     4, 0x42000, 0
        put     4, 0x42ffc, 0x55555555
        put     4, 0x42000, 0xd000d0
        show    4, 0x42000
        put     4, 0, 0xff
        show    4, 0x42ffc
        say     '\n'
        put     4, 0x40000, 0x600060    # unlock, lock, and no such locking command
        put     4, 0x40000, 0xd000d0
        show    4, 0x40000
        put     4, 0x40000, 0x600060
        put     4, 0x40000, 0x010001
        show    4, 0x40000
        put     4, 0x40000, 0x600060
        put     4, 0x40000, 0x2f002f
        show    4, 0x40000
        put     4, 0, 0x500050          # clear the status
        show    4, 0x40000
        put     4, 0, 0x700070
        show    4, 0x40000
        put     4, 0, 0xb000b0          # suspend: no command
        show    4, 0x40000
        say     '\n'
        script  0, 0, 0
