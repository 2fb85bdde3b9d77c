/* For guests in C. Each defines main, which start.S calls on every hart; hart 0's result ends the machine (0: pass).
   Guests named sbi_… run under OpenSBI: start_sbi.S calls main on the hart that boots alone. */
#ifndef RETROV_TESTS_GUESTS_SUPPORT_GUEST_H
#define RETROV_TESTS_GUESTS_SUPPORT_GUEST_H

#include <stddef.h>
#include <stdint.h>

int main(uint64_t hart);

void put_char(char c);
void put_string(const char* text);
void put_hex(uint64_t value);

#endif
