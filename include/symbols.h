/* SPDX-License-Identifier: MIT */
/*
 * The kernel's own function names, for backtraces. The build links twice: from the first result it
 * makes this table (tools: mk/kernel.mk), which the second link places behind the text, so that no
 * function moves. Sorted by address.
 */
#ifndef SYMBOLS_H
#define SYMBOLS_H

#include <types.h>

struct symbol {
	uint32_t addr; /* minus KERNEL_BASE */
	uint32_t name; /* offset of the 0-terminated name in symbol_names */
};

extern const struct symbol symbol_table[];
extern const uint32_t symbol_count;
extern const char symbol_names[];

#endif
