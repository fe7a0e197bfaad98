/* SPDX-License-Identifier: MIT */
/* Names of kernel functions, looked up in the table that the build makes: <symbols.h>. */
#include <printk.h>
#include <pte.h>
#include <symbols.h>

#define SYMBOL_REACH 0x10000u /* farther behind a symbol an address belongs to nothing we know */

/* Index of the last of @n sorted entries that is not above @addr, or -1. */
static int symbol_search(const struct symbol *table, uint32_t n, uint32_t addr)
{
	uint32_t low = 0, high = n;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (table[mid].addr <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	return (int)low - 1;
}

void symbol_name(unsigned long addr, char *buf, size_t size)
{
	uint32_t offset = addr - KERNEL_BASE;
	int i = addr >= KERNEL_BASE && addr - KERNEL_BASE < 0x40000000ul
			? symbol_search(symbol_table, symbol_count, offset)
			: -1;

	if (i < 0 || offset - symbol_table[i].addr > SYMBOL_REACH)
		snprintk(buf, size, "%#lx", addr);
	else
		snprintk(buf, size, "%s+%#x", symbol_names + symbol_table[i].name,
			 offset - symbol_table[i].addr);
}
