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
	while (*t)
		outs(t++, 1);
}
W void native_early_print_hex(const char *b, unsigned long v)
{
	native_early_print(b);
	for (int i = 60; i >= 0; i -= 4)
		outs(&"0123456789abcdef"[v >> i & 15], 1);
	native_early_print("\n");
}
W void native_early_die(const char *s)
{
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
W bool pvh_find_xen(void)
{
	return false;
}
W void pvh_early(void)
{
}
W void pvh_boot(void)
{
	for (;;)
		;
}
W void acpi_init(uint64_t r)
{
}
W void apic_init(void)
{
	out8(0x20, 0x11);
	out8(0xa0, 0x11);
	out8(0x21, 0x20);
	out8(0xa1, 0x28);
	out8(0x21, 4);
	out8(0xa1, 2);
	out8(0x21, 1);
	out8(0xa1, 1);
	out8(0x21, 0xfe);
	out8(0xa1, 0xff);
	out8(0x43, 0x34);
	out8(0x40, 11932 & 255);
	out8(0x40, 11932 >> 8);
}
W void irq_dispatch(unsigned v)
{
	count(events);
	out8(0x20, 0x20);
	if (v == 32) {
		timer_interrupt();
		if (in8(0x3fd) & 1)
			console_interrupt();
	}
}
W size_t irq_describe(char *b, size_t s)
{
	return 0;
}
W void native_time_init(void)
{
}
W ktime_t native_clock_monotonic(void)
{
	return (ktime_t)(rdtsc_now() - boot_info.entry_tsc) + 1;
}
W ktime_t native_clock_wall_offset(void)
{
	return 1790000000ll * 1000000000;
}
W void native_timer_set(ktime_t d)
{
}
W void native_power(enum power_action w)
{
	out16(0x604, 0x2000);
	for (;;)
		__asm__ volatile("cli;hlt");
}
W void native_drivers_start(void)
{
}
