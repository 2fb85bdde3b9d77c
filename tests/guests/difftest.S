# Runs random programs one after the other (tests/difftest), from their records to their logs. M-mode belongs to it as
# far as mscratch and the base of mtvec go; everything else is the program's. A trap is logged, and the program goes on
# behind the instruction that trapped.
#include "board.h"
#include "difftest.h"

.equ STATUS_FS, 0x6000
.equ STATUS_SPP, 0x100
.equ STATUS_SPIE, 0x20
.equ STATUS_SIE, 2
.equ PAGE, 4096
.equ CAUSE_FETCH_ACCESS, 1
.equ CAUSE_BREAKPOINT, 3
.equ CAUSE_ECALL_U, 8
.equ CAUSE_ECALL_S, 9
.equ CAUSE_ECALL_M, 11
.equ CAUSE_FETCH_PAGE, 12

# Loads or stores registers, those that end in 31 last.
.macro low_registers instruction, prefix, offset, base
.irp number, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
  \instruction \prefix\number, \offset + \number * 8(\base)
.endr
.endm
.macro high_registers instruction, prefix, offset, base
.irp number, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
  \instruction \prefix\number, \offset + \number * 8(\base)
.endr
.endm

.section .text.init
.globl _start, vectors, launch, resume, done
.option norvc
_start:
  j begin

.balign 256
vectors:
.irp number, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
  j entry_\number
.endr
.irp number, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
entry_\number:
  csrrw sp, mscratch, sp
  sd t0, DT_F_X + 5 * 8(sp)
  li t0, \number
  j trapped
.endr

# No interrupt of the machine's timer. Values of stimecmp below 2^20 are in the past for every program.
begin:
  li t0, CLINT_MTIMECMP
  li t1, -1
  sd t1, 0(t0)
  li t1, 1 << 20
1:csrr t0, time
  bltu t0, t1, 1b

next:
  csrw mstatus, zero
  li sp, DT_FRAME
  ld t0, DT_F_INDEX(sp)
  ld t1, DT_F_COUNT(sp)
  beq t0, t1, finished
  li t2, DT_RECORDS
  slli t3, t0, 3
  add t2, t2, t3
  ld s1, 0(t2)
  li t2, DT_LOG_BYTES
  mul t2, t2, t0
  li s0, DT_LOGS
  add s0, s0, t2
  sd s0, DT_F_LOG(sp)
  sd s1, DT_F_RECORD(sp)
  sd zero, DT_F_TRAPS(sp)
  li t0, 1
  sd t0, DT_L_STATE(s0)
  addi t0, sp, DT_F_SCRATCH
  sc.w zero, zero, (t0)

  li a0, DT_ARENA
  li a1, DT_ARENA + DT_ARENA_PAGES * PAGE
1:sd zero, 0(a0)
  sd zero, 8(a0)
  sd zero, 16(a0)
  sd zero, 24(a0)
  addi a0, a0, 32
  bltu a0, a1, 1b

  li a0, DT_ARENA + DT_DATA_PAGE * PAGE
  li a1, DT_ARENA + (DT_DATA_PAGE + DT_DATA_PAGES) * PAGE
  ld a2, DT_R_SEED(s1)
  li a3, 0x9e3779b97f4a7c15
  li a4, 0xbf58476d1ce4e5b9
1:add a2, a2, a3
  srli a5, a2, 30
  xor a5, a5, a2
  mul a5, a5, a4
  srli a6, a5, 27
  xor a5, a5, a6
  sd a5, 0(a0)
  addi a0, a0, 8
  bltu a0, a1, 1b

  li a1, DT_R_FIRST_RUN
  add a0, s1, a1
  ld a1, DT_R_RUNS(s1)
1:beqz a1, 3f
  ld a2, 0(a0)
  ld a3, 8(a0)
  addi a0, a0, 16
  li a4, DT_ARENA
  add a2, a2, a4
2:ld a4, 0(a0)
  sd a4, 0(a2)
  addi a0, a0, 8
  addi a2, a2, 8
  addi a3, a3, -1
  bnez a3, 2b
  addi a1, a1, -1
  j 1b

3:fence.i
  sfence.vma
  li t0, STATUS_FS
  csrs mstatus, t0
  low_registers fld, f, DT_R_F, s1
  high_registers fld, f, DT_R_F, s1
  # Twice: what one register accepts may depend on another.
  li t1, DT_LOAD_CSRS
  addi a0, s1, DT_R_CSRS
  jalr t1
  li t0, STATUS_FS
  csrs mstatus, t0
  li t1, DT_LOAD_CSRS
  addi a0, s1, DT_R_CSRS
  jalr t1
  mv x31, s1
  low_registers ld, x, DT_R_X, x31
  high_registers ld, x, DT_R_X, x31
launch:
  mret

finished:
  li t0, FINISHER_BASE
  li t1, FINISHER_PASS
  sw t1, 0(t0)
1:j 1b

# sp: the frame; the program's sp is in mscratch; t0: which vector was taken.
trapped:
.irp number, 1, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
  sd x\number, DT_F_X + \number * 8(sp)
.endr
  high_registers sd, x, DT_F_X, sp
  csrrw t1, mscratch, sp
  sd t1, DT_F_X + 2 * 8(sp)
  ld s0, DT_F_LOG(sp)
  ld s1, DT_F_RECORD(sp)
  ld s2, DT_F_TRAPS(sp)
  csrr s3, mcause
  csrr s4, mepc
  csrr s5, mstatus
  li t1, DT_TRAP_WORDS * 8
  mul t1, t1, s2
  add s6, s0, t1
  addi s6, s6, DT_L_TRAP
  sd t0, 0(s6)
  sd s3, 8(s6)
  sd s4, 16(s6)
  csrr t0, mtval
  sd t0, 24(s6)
  sd s5, 32(s6)
  csrr t0, scause
  sd t0, 40(s6)
  csrr t0, sepc
  sd t0, 48(s6)
  csrr t0, stval
  sd t0, 56(s6)
  addi a0, sp, DT_F_X + 8
  li a1, 31
  jal hash
  sd a2, 64(s6)
  li t0, STATUS_FS
  csrs mstatus, t0
  low_registers fsd, f, DT_F_F, sp
  high_registers fsd, f, DT_F_F, sp
  csrr t0, fcsr
  sd t0, DT_F_F + 32 * 8(sp)
  csrw mstatus, s5
  addi a0, sp, DT_F_F
  li a1, 33
  jal hash
  sd a2, 72(s6)

  addi s2, s2, 1
  sd s2, DT_F_TRAPS(sp)
  ld t0, DT_R_LIMIT(s1)
  bgeu s2, t0, ended
  ld s7, DT_R_WINDOW(s1)
  bltz s3, interrupted
  li t0, CAUSE_BREAKPOINT
  bne s3, t0, 1f
  # A breakpoint behind the end.
  ld t0, DT_R_CODE(s1)
  sub t1, s4, s7
  bgeu t1, t0, 1f
  ld t0, DT_R_END(s1)
  bgeu s4, t0, ended
1:li t0, CAUSE_ECALL_S
  bne s3, t0, 2f
  li t0, DT_HANDLER_PAGE * PAGE
  add t0, t0, s7
  sub t0, s4, t0
  li t1, DT_HANDLER_BYTES
  bltu t0, t1, handled
2:li t0, CAUSE_ECALL_U
  beq s3, t0, 3f
  li t0, CAUSE_ECALL_S
  beq s3, t0, 3f
  li t0, CAUSE_ECALL_M
  beq s3, t0, 3f
  li t0, CAUSE_FETCH_ACCESS
  beq s3, t0, 3f
  li t0, CAUSE_FETCH_PAGE
  bne s3, t0, behind
3:slli t0, s2, 3
  add t0, t0, s1
  ld t0, DT_R_MODES(t0)
  li t1, 3 << 11
  csrc mstatus, t1
  slli t0, t0, 11
  csrs mstatus, t0

# Goes on behind the instruction at s4.
behind:
  ld t0, DT_R_CODE(s1)
  sub t1, s4, s7
  bgeu t1, t0, astray
  andi t0, t1, 1
  bnez t0, astray
  li t0, DT_ARENA
  add t0, t0, t1
  lhu t0, 0(t0)
  andi t0, t0, 3
  addi s4, s4, 2
  li t1, 3
  bne t0, t1, go_on
  addi s4, s4, 2
  j go_on
astray:
  slli t0, s2, 3
  add t0, t0, s1
  ld s4, DT_R_RESUME(t0)
go_on:
  csrw mepc, s4
  mv x31, sp
  low_registers ld, x, DT_F_X, x31
  high_registers ld, x, DT_F_X, x31
resume:
  mret

interrupted:
  li t0, 1
  sll t0, t0, s3
  csrc mie, t0
  j go_on

# The supervisor's handler has handed its trap up: back to where it came from, as sret would.
handled:
  li t1, 3 << 11
  csrc mstatus, t1
  andi t0, s5, STATUS_SPP
  slli t0, t0, 3
  csrs mstatus, t0
  csrci mstatus, STATUS_SIE
  andi t0, s5, STATUS_SPIE
  srli t0, t0, 4
  csrs mstatus, t0
  csrr s4, sepc
  csrr s3, scause
  bgez s3, behind
  li t0, 1
  sll t0, t0, s3
  csrc mie, t0
  j go_on

ended:
  sd s2, DT_L_TRAPS(s0)
  addi a0, sp, DT_F_X
  addi a1, s0, DT_L_X - 2048
  addi a1, a1, 2047
  addi a1, a1, 1
  li a2, 32 + 33
1:ld t0, 0(a0)
  sd t0, 0(a1)
  addi a0, a0, 8
  addi a1, a1, 8
  addi a2, a2, -1
  bnez a2, 1b
  li s3, DT_ARENA
  li s4, DT_ARENA_PAGES
  li t0, DT_L_PAGES
  add s6, s0, t0
1:mv a0, s3
  li a1, PAGE / 8
  jal hash
  sd a2, 0(s6)
  addi s6, s6, 8
  li t0, PAGE
  add s3, s3, t0
  addi s4, s4, -1
  bnez s4, 1b
  li t0, STATUS_FS
  csrs mstatus, t0
  li t0, DT_L_CSRS
  add a0, s0, t0
  li t1, DT_DUMP_CSRS
  jalr t1
  li t0, 2
  sd t0, DT_L_STATE(s0)
done:
  ld t0, DT_F_INDEX(sp)
  addi t0, t0, 1
  sd t0, DT_F_INDEX(sp)
  ld t0, DT_R_LAST(s1)
  beqz t0, next
  j finished

# a2: a hash of a1 words from a0 on.
hash:
  li a2, 0xcbf29ce484222325
  li t1, 0x00000100000001b3
1:ld t0, 0(a0)
  xor a2, a2, t0
  mul a2, a2, t1
  srli t0, a2, 29
  xor a2, a2, t0
  addi a0, a0, 8
  addi a1, a1, -1
  bnez a1, 1b
  ret
