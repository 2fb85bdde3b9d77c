/* Where things lie while random programs run (tests/difftest), for the guest that runs them and for the program that
   makes and compares them. All places are physical addresses. */
#ifndef DIFFTEST_H
#define DIFFTEST_H

#define DT_RAM 0x80000000
#define DT_RAM_BYTES 0x08000000
#define DT_RUNNER_BYTES 0x00020000

/* Code that difftest makes of the table of CSRs: loads all of them from a0 on, stores all of them from a0 on. */
#define DT_LOAD_CSRS 0x80010000
#define DT_DUMP_CSRS 0x80018000

/* What programs see of memory: code, a supervisor's trap handler, data, page tables. The superpage around it is theirs,
   the rest of it stays zero. */
#define DT_ARENA 0x80200000
#define DT_ARENA_PAGES 24
#define DT_DATA_PAGE 4
#define DT_DATA_PAGES 12
#define DT_HANDLER_PAGE 3
#define DT_HANDLER_BYTES 64

/* The runner's variables. */
#define DT_FRAME 0x80400000
#define DT_F_INDEX 0     /* The program in hand … */
#define DT_F_COUNT 8     /* … of so many. */
#define DT_F_LOG 16
#define DT_F_RECORD 24
#define DT_F_TRAPS 32
#define DT_F_SCRATCH 40
#define DT_F_X 64        /* Registers of the program that trapped; f and then fcsr. */
#define DT_F_F 320

/* A pointer to the record of each program. */
#define DT_RECORDS 0x80410000

/* A record. */
#define DT_R_LAST 0      /* Not 0: power off behind it, for it has locked PMP entries. */
#define DT_R_LIMIT 8     /* So many traps end the program, at most DT_TRAPS. */
#define DT_R_WINDOW 16   /* The virtual address at which the program sees the arena. */
#define DT_R_CODE 24     /* Bytes of code from there on; what traps outside resumes at the next of DT_R_RESUME. */
#define DT_R_END 32      /* An ebreak there or behind ends the program. */
#define DT_R_SEED 40     /* Of the contents of data pages. */
#define DT_R_RUNS 48     /* How many runs of words there are. */
#define DT_R_MODES 64    /* By number of the trap: the privilege after an ecall or a failed fetch. */
#define DT_R_RESUME 320  /* By number of the trap: a virtual address. */
#define DT_R_X 576
#define DT_R_F 832
#define DT_R_CSRS 1088
#define DT_R_FIRST_RUN 3136 /* Offset in the arena, number of words, words. */

#define DT_TRAPS 32
#define DT_CSRS 256

/* What a program leaves behind. */
#define DT_LOGS 0x80800000
#define DT_LOG_BYTES 0x1600
#define DT_L_STATE 0     /* 1: begun, 2: ended. */
#define DT_L_TRAPS 8
#define DT_L_TRAP 16     /* Of each trap DT_TRAP_WORDS words. */
#define DT_L_X 2576
#define DT_L_F 2832
#define DT_L_PAGES 3104  /* A hash of each page of the arena. */
#define DT_L_CSRS 3296
#define DT_TRAP_WORDS 10

#endif
