/* SPDX-License-Identifier: MIT */
/*
 * The consoles. All that answer get all output, and either of them gives input, unless the kernel
 * argument `console=` names those that are to be used: com1, vga, or both with a comma between.
 *
 *   com1    serial port (uart.c)
 *   vga     screen (vga.c, vt.c) and keyboard (keyboard.c)
 *
 * And one that is not chosen: QEMU's debug port, if it is there (it reads as its own address).
 * Bytes written to it arrive at the other end as they are and in order; tools/parvix listens there.
 *
 * The kernel's messages end their lines with a newline; a terminal wants a carriage return besides,
 * which for programs the line discipline adds. Xen's console and the console daemon do it by
 * themselves.
 */
#include "console.h"

#include <bootarg.h>
#include <lock.h>
#include <machine.h>
#include <pc.h>
#include <printk.h>
#include <proc.h>
#include <string.h>
#include <tty.h>
#include "keyboard.h"
#include "start.h"
#include "uart.h"
#include "vga.h"
#include "vt.h"

#define DEBUG_PORT 0xe9 /* address, and what it reads as */

#define COM1 1u
#define VGA 2u
#define UNKNOWN 4u

static const char *const names[] = {"com1", "vga"}; /* bit 0, bit 1 */
static unsigned found, used;
static bool debug_port;
static char wanted[32]; /* console= */

void consoles_find(void *screen)
{
	debug_port = in8(DEBUG_PORT) == DEBUG_PORT;
	found = (uart_find() ? COM1 : 0) | (vga_find(screen) ? VGA : 0);
	used = found;
}

/* The consoles in "com1,vga", and UNKNOWN if there is a word that is none. */
static unsigned parse(const char *list)
{
	unsigned set = 0;

	while (*list) {
		const char *end = strchr(list, ',');
		size_t n = end ? (size_t)(end - list) : strlen(list);
		unsigned i = 0;

		while (i < ARRAY_SIZE(names) &&
		       (n != strlen(names[i]) || memcmp(list, names[i], n) != 0))
			i++;
		set |= i < ARRAY_SIZE(names) ? 1u << i : UNKNOWN;
		list += end ? n + 1 : n;
	}
	return set;
}

void consoles_choose(void *screen)
{
	unsigned set = ~0u;

	if (!screen)
		found &= ~VGA;
	vga_moved(screen);
	if (boot_arg("console", wanted, sizeof(wanted)))
		set = parse(wanted);
	used = found & set ? found & set : found;
}

static void put(const char *text, size_t n)
{
	if (used & VGA)
		vga_write(text, n);
	if (used & COM1)
		uart_write(text, n);
}

static void put_message(const char *text, size_t n)
{
	while (n > 0) {
		const char *end = memchr(text, '\n', n);
		size_t line = end ? (size_t)(end - text) : n;

		put(text, line);
		if (end)
			put("\r\n", 2);
		line += end != NULL;
		text += line;
		n -= line;
	}
}

void consoles_write(const char *text, size_t n, bool message)
{
	if (debug_port)
		out8_all(DEBUG_PORT, text, n);
	if (message)
		put_message(text, n);
	else
		put(text, n);
	if (used & VGA)
		vga_show();
}

size_t consoles_read(char *buf, size_t n)
{
	size_t got = 0;

	if (used & VGA) {
		got = keyboard_read(buf, n);
		if (used == VGA) /* the terminal at the serial port answers for itself */
			got += vga_reply(buf + got, n - got);
	}
	if (used & COM1)
		got += uart_read(buf + got, n - got);
	return got;
}

/*
 * "Where is the cursor?" (ESC [ 6 n) is answered as if it had been typed. The question is noticed
 * while the program's output is under way, with the terminal's lock held, which the input needs,
 * too: so a thread goes and fetches it.
 */
static struct waitq asked = WAITQ(asked);

void consoles_answer(void)
{
	if (used == VGA && vga_asked())
		waitq_wake_all(&asked);
}

static void answer_thread(void *unused)
{
	struct waiter w;

	(void)unused;
	waiter_add(&asked, &w);
	for (;;) {
		thread_prepare_sleep();
		if (vga_asked())
			thread_cancel_sleep();
		else
			thread_sleep(0, KTIME_NEVER);
		console_interrupt();
	}
}

/* A terminal that has the screen to itself answers, and is as large as the screen. */
static void screen_alone(void)
{
	static const struct winsize size = {.ws_row = VT_ROWS, .ws_col = VT_COLS};
	char arg[8];

	if (!boot_arg("winsize", arg, sizeof(arg)))
		tty_resize(&console_tty, &size);
	if (!kthread_create("screen", answer_thread, NULL))
		printk("console: no memory for the thread that answers\n");
}

static void say_which(bool keyboard)
{
	unsigned set = parse(wanted);

	if (set & UNKNOWN)
		printk("console: '%s' is not com1, vga, or both with a comma between\n", wanted);
	else if (set && !(set & found))
		printk("console: none of '%s' is there\n", wanted);
	printk("console:%s%s%s%s\n", used & COM1 ? " com1" : "", used & VGA ? " vga" : "",
	       used & VGA && !keyboard ? " without keyboard" : "", debug_port ? " debug-port" : "");
}

void native_consoles_start(void)
{
	int err = used & COM1 ? uart_start() : 0;

	if (err)
		printk("com1: no input: %s\n", error_text(err));
	err = used & VGA ? keyboard_start() : 0;
	say_which(!err);
	if (used == VGA)
		screen_alone();
}
