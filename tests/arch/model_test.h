/* What the official RISC-V architectural tests ask of a machine: how a test begins and ends, and where its signature
   is. A test ends by HTIF, as retrov and Spike know it, in M-mode and without translation. */
#ifndef RETROV_ARCH_MODEL_TEST_H
#define RETROV_ARCH_MODEL_TEST_H

/* What menvcfg holds after reset is a machine's choice (here hardware that updates A and D, and PBMT in table entries);
   the tests begin without any of it and enable what they want. */
#define RVMODEL_BOOT csrw menvcfg, x0;

#define RVMODEL_HALT          \
  fence;                      \
  li t0, 1;                   \
  la t1, tohost;              \
  sd t0, 0(t1);               \
  j .;

/* HTIF wants `tohost` aligned and in a cache line of its own. */
#define RVMODEL_DATA_BEGIN               \
  .pushsection .tohost, "aw", @progbits; \
  .balign 64;                            \
  .global tohost;                        \
  tohost: .dword 0;                      \
  .balign 64;                            \
  .global fromhost;                      \
  fromhost: .dword 0;                    \
  .popsection;                           \
  .balign 16;                            \
  .global begin_signature;               \
  begin_signature:

#define RVMODEL_DATA_END   \
  .balign 16;              \
  .global end_signature;   \
  end_signature:

/* Interrupts that a test asks for: those of hart 0 in the CLINT. */
#define RVMODEL_SET_MSW_INT \
  li t1, 1;                 \
  li t2, 0x2000000;         \
  sw t1, 0(t2);

#define RVMODEL_CLR_MSW_INT \
  li t2, 0x2000000;         \
  sw x0, 0(t2);

#define RVMODEL_SET_MTIMER_INT \
  li t2, 0x2004000;            \
  sd x0, 0(t2);

#define RVMODEL_CLR_MTIMER_INT \
  li t1, -1;                   \
  li t2, 0x2004000;            \
  sd t1, 0(t2);

#define RVMODEL_CLR_MEXT_INT
#define RVMODEL_SET_SSW_INT
#define RVMODEL_CLR_SSW_INT
#define RVMODEL_CLR_STIMER_INT
#define RVMODEL_CLR_SEXT_INT

/* Tests can say things on the way; the signature says all that counts. */
#define RVMODEL_IO_INIT
#define RVMODEL_IO_WRITE_STR(register, text)
#define RVMODEL_IO_CHECK()
#define RVMODEL_IO_ASSERT_GPR_EQ(stack, register, value)
#define RVMODEL_IO_ASSERT_SFPR_EQ(register, from, value)
#define RVMODEL_IO_ASSERT_DFPR_EQ(register, from, value)

#endif
