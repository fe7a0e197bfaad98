/* SPDX-License-Identifier: MIT */
/*
 * Messages. Text goes into a ring in memory, addressed by absolute byte positions that only grow,
 * and from there at once to the machine's console: what was printed before there was a console
 * appears with the first message after it. The console is synchronous: when printk() returns, the
 * text is outside. That is slow (under PV a hypercall for each message, natively a wait for the
 * UART), and the only thing that helps when the next instruction is the last.
 *
 * The lock is a leaf. In a panic nobody waits for it, so that a panic inside printk() is seen.
 */
#include <lock.h>
#include <machine.h>
#include <printk.h>
#include <string.h>

#define KMSG_SIZE 32768u /* power of two */

static char ring[KMSG_SIZE];
static uint64_t ring_end;     /* position behind the newest byte */
static uint64_t console_done; /* position up to which the console has it */
static bool line_open;        /* the console is inside a line of ours */
static bool console_on = true;
static spinlock_t printk_lock = SPINLOCK("printk");

bool printk_mark;

bool printk_set_console(bool on)
{
	bool was = console_on;

	console_on = on;
	return was;
}

bool printk_busy(void)
{
	return printk_lock.locked;
}

static uint64_t ring_start(void)
{
	return ring_end > KMSG_SIZE ? ring_end - KMSG_SIZE : 0;
}

/* @n bytes to the console, with the mark in front if it is the start of a line. */
static void console_piece(const char *text, size_t n)
{
	if (printk_mark && !line_open)
		machine->console_write("\x1ek", 2);
	machine->console_write(text, n);
	line_open = text[n - 1] != '\n';
}

static void console_flush(void)
{
	if (!machine || !machine->console_write)
		return;
	if (!console_on && !panicking) {
		console_done = ring_end;
		return;
	}
	if (console_done < ring_start())
		console_done = ring_start();
	while (console_done < ring_end) {
		const char *p = ring + console_done % KMSG_SIZE;
		size_t n = min(ring_end - console_done,
			       (uint64_t)KMSG_SIZE - console_done % KMSG_SIZE);
		const char *nl = memchr(p, '\n', n);

		if (printk_mark && nl)
			n = nl + 1 - p;
		console_piece(p, n);
		console_done += n;
	}
}

static void ring_put(const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		ring[ring_end++ % KMSG_SIZE] = text[i];
}

void vprintk(const char *fmt, va_list ap)
{
	char text[512];
	int n = vsnprintk(text, sizeof(text), fmt, ap);
	/* Interrupts cannot be switched off before there is a machine; and none come. */
	bool locked = machine && !panicking;

	if (locked)
		spin_lock(&printk_lock);
	ring_put(text, n);
	console_flush();
	if (locked)
		spin_unlock(&printk_lock);
}

void printk(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprintk(fmt, ap);
	va_end(ap);
}

size_t kmsg_read(uint64_t *pos, char *buf, size_t size)
{
	size_t n = 0;

	spin_lock(&printk_lock);
	if (*pos < ring_start())
		*pos = ring_start();
	while (n < size && *pos < ring_end)
		buf[n++] = ring[(*pos)++ % KMSG_SIZE];
	spin_unlock(&printk_lock);
	return n;
}

const char *error_text(int err)
{
	static const struct {
		int err;
		const char *text;
	} texts[] = {
		{EPERM, "not permitted"},
		{ENOENT, "no such file, node or device"},
		{EINTR, "interrupted"},
		{EIO, "input/output error"},
		{ENXIO, "no such device"},
		{E2BIG, "too long"},
		{EAGAIN, "disturbed again and again"},
		{ENOMEM, "no memory"},
		{EACCES, "not allowed"},
		{EBUSY, "in use"},
		{EEXIST, "is there already"},
		{ENODEV, "the device is gone"},
		{ENOTDIR, "not a directory"},
		{EINVAL, "not valid"},
		{ENOSPC, "no space left"},
		{EROFS, "read-only"},
		{ERANGE, "out of range"},
		{EPROTO, "against the protocol"},
		{EOPNOTSUPP, "not supported"},
		{ETIMEDOUT, "no answer in time"},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(texts); i++)
		if (texts[i].err == err || texts[i].err == -err)
			return texts[i].text;
	return "an error without a name";
}
