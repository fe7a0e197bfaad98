/* SPDX-License-Identifier: MIT */
/*
 * The console: the terminal on the machine's own console, which under PV is a hypercall (initial
 * domain) or a ring shared with a backend. The kernel's messages take the same road below the
 * terminal, without its line discipline.
 *
 *	/dev/console	the machine's console
 *	/dev/tty	whatever terminal controls the process that opens it
 */
#include "tty.h"

#include <bootarg.h>
#include <machine.h>
#include <printk.h>
#include <proc.h>
#include <string.h>

#define MAJOR_TTY 5

struct tty console_tty;

static size_t console_dev_write(struct tty_device *dev, const char *buf, size_t n)
{
	(void)dev;
	return machine->console_write(buf, n);
}

static struct tty_device console_device = {
	.write = console_dev_write,
};

void console_interrupt(void)
{
	char buf[64];
	size_t n;

	/* Somebody who types faster than we read must not keep us here. */
	for (unsigned i = 0; i < 1024; i++) {
		n = machine->console_read(buf, sizeof(buf));
		if (n == 0)
			break;
		tty_input(&console_tty, buf, min(n, sizeof(buf)));
	}
	tty_output_ready(&console_tty);
}

static int console_open(struct file *f)
{
	return tty_open(f, &console_tty);
}

static int ctty_open(struct file *f)
{
	struct tty *tty = tty_get_controlling();
	int err = tty ? tty_open(f, tty) : -ENXIO;

	if (tty)
		tty_put(tty);
	return err;
}

static struct char_device console_chrdev = {
	.name = "console",
	.dev = MKDEV(MAJOR_TTY, 1),
	.mode = 0600,
	.ops = &tty_file_ops,
	.open = console_open,
};

static struct char_device ctty_chrdev = {
	.name = "tty",
	.dev = MKDEV(MAJOR_TTY, 0),
	.mode = 0666,
	.ops = &tty_file_ops,
	.open = ctty_open,
};

static bool parse_number(const char **s, unsigned short *out)
{
	unsigned n = 0;

	while (**s >= '0' && **s <= '9' && n <= 9999)
		n = n * 10 + *(*s)++ - '0';
	*out = n;
	return n >= 1 && n <= 9999;
}

bool tty_parse_winsize(const char *text, char separator, struct winsize *size)
{
	*size = (struct winsize){0};
	return parse_number(&text, &size->ws_row) && *text++ == separator &&
	       parse_number(&text, &size->ws_col) && *text == 0;
}

/* Kernel argument winsize=ROWSxCOLS: what the window out there is at the start. */
static void read_winsize(struct tty *tty)
{
	char text[24];
	const char *s = boot_arg("winsize", text, sizeof(text));
	struct winsize size;

	if (s && tty_parse_winsize(s, 'x', &size))
		tty->winsize = size;
	else if (s)
		printk("winsize: '%s' is not ROWSxCOLS\n", text);
}

void tty_init(void)
{
	tty_setup(&console_tty, "console", &console_device);
	read_winsize(&console_tty);
	chrdev_register(&console_chrdev);
	chrdev_register(&ctty_chrdev);
	pty_init();
}
