# Start of the programs of gdb's test suite: M-mode, one hart, floating point on, a trap stays where it is.
        .section .text.start, "ax"
        .globl _start
_start:
        .cfi_startproc
        .cfi_undefined ra               # nobody called this
        .option push
        .option norelax
        la      gp, __global_pointer$
        .option pop
        la      sp, _stack_top
        la      tp, _tls
        la      t0, trapped
        csrw    mtvec, t0
        li      t0, 0x2000              # mstatus.FS = initial
        csrs    mstatus, t0
        li      t0, -1                  # registers that change by themselves would spoil comparisons of all
        csrw    mcountinhibit, t0
        call    start_program
trapped:
        j       trapped
        .cfi_endproc
