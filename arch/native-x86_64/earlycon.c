/* SPDX-License-Identifier: MIT */
/*
 * The console before (and besides) any driver: output that is outside when the call returns.
 *
 * A PC has no console that is known from birth: there may be a serial port, a screen, both, or
 * neither, each with registers at addresses agreed upon in 1981; so each is probed, before anything
 * else. How they work is in drivers/native (uart.c, vga.c, vt.c), and how they are one, in
 * console.c there. Here is what the world adds: where the screen's memory is mapped, before the
 * kernel's own page tables and after; and the lock.
 *
 * Every byte costs a wait for the port, or a write to slow memory; under full virtualisation each
 * of these is an exit. In the twin a hypercall takes a whole message.
 *
 * The lock is a leaf. Nobody waits for it in a panic, nor if this very CPU holds it: then a
 * non-maskable interrupt has come in the middle of a program's output and has something to say,
 * which appears in the middle, too.
 */
#include <lock.h>
#include <printk.h>
#include <string.h>
#include "../../drivers/native/console.h"
#include "../../drivers/native/vga.h"
#include "native.h"

static spinlock_t lock = SPINLOCK("console");

void native_console_early(void)
{
	consoles_find(boot_va(VGA_TEXT));
}

void native_console_moved(void)
{
	consoles_choose(loader.pixels ? NULL : boot_va(VGA_TEXT));
}

static bool may_lock(void)
{
	return machine && !panicking && !spin_held(&lock);
}

size_t native_console_write(const char *text, size_t n)
{
	bool locked = may_lock(), message = panicking || printk_busy();

	count_add(console_out, n);
	if (locked)
		spin_lock(&lock);
	consoles_write(text, n, message);
	if (locked)
		spin_unlock(&lock);
	if (!message)
		consoles_answer();
	return n;
}

size_t native_console_read(char *buf, size_t n)
{
	bool locked = may_lock();
	size_t got;

	if (locked)
		spin_lock(&lock);
	got = consoles_read(buf, n);
	if (locked)
		spin_unlock(&lock);
	count_add(console_in, got);
	return got;
}

/* These work with nothing set up at all. */
void native_early_print(const char *text)
{
	if (native_early_instead)
		native_early_instead->print(text);
	else
		consoles_write(text, strlen(text), true);
}

void native_early_print_hex(const char *before, unsigned long v)
{
	char buf[20] = "0x0000000000000000\n";

	for (unsigned i = 0; i < 16; i++)
		buf[17 - i] = "0123456789abcdef"[(v >> (4 * i)) & 15];
	native_early_print(before);
	native_early_print(buf);
}

void native_early_die(const char *sentence)
{
	if (native_early_instead)
		native_early_instead->die(sentence);
	native_early_print("Parvix cannot start: ");
	native_early_print(sentence);
	native_early_print("\n");
	for (;;)
		__asm__ volatile("cli; hlt" ::: "memory");
}
