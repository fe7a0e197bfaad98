/* SPDX-License-Identifier: MIT */
#include <pvh.h>
#include <printk.h>
#include <proc.h>
#include "native.h"
#define W __attribute__((weak))
/* Stands in, weakly, until the real files are there; then it goes. */
#pragma GCC diagnostic ignored "-Wunused-parameter"
static void outs(const char *t, size_t n)
{
	while (n--) {
		out8(0x3f8, (uint8_t)*t);
		out8(0xe9, (uint8_t)*t++);
	}
}
W void native_early_print(const char *t)
{
	if (native_early_instead) {
		native_early_instead->print(t);
		return;
	}
	while (*t)
		outs(t++, 1);
}
W void native_early_print_hex(const char *b, unsigned long v)
{
	native_early_print(b);
	for (int i = 60; i >= 0; i -= 4) {
		char t[2] = {"0123456789abcdef"[v >> i & 15], 0};
		native_early_print(t);
	}
	native_early_print("\n");
}
W void native_early_die(const char *s)
{
	if (native_early_instead)
		native_early_instead->die(s);
	native_early_print(s);
	for (;;)
		__asm__ volatile("cli;hlt");
}
W void native_console_early(void)
{
}
W void native_console_moved(void)
{
}
W size_t native_console_write(const char *t, size_t n)
{
	outs(t, n);
	return n;
}
W size_t native_console_read(char *b, size_t n)
{
	size_t i = 0;
	while (i < n && (in8(0x3fd) & 1))
		b[i++] = (char)in8(0x3f8);
	return i;
}
static void uart(void *unused)
{
	console_interrupt();
}
void native_consoles_start(void);
W void native_consoles_start(void)
{
	irq_bind_isa(4, uart, NULL, "serial port");
	out8(0x3fc, 0x0b);
	out8(0x3f9, 1);
}
