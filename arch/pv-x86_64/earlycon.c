/* SPDX-License-Identifier: MIT */
/*
 * The console before (and besides) any driver.
 *
 * Natively: a UART's ports. Here HYPERVISOR_console_io: Xen copies the text to its own console,
 * synchronously, from the first instruction on, needing no shared page, no event and no memory of
 * ours. Xen serves it for the initial domain; for other domains a release build of Xen refuses with
 * -EPERM and the shared console ring is the way. Input: Xen raises VIRQ_CONSOLE when characters
 * came for the domain that has the console, and CONSOLEIO_read fetches them.
 *
 * Cost: a hypercall per write(), about a thousand instructions and a serial port's time per
 * character; Xen takes at most 128 bytes of input between two reads.
 */
#include <string.h>
#include "hypercall.h"
#include "pv.h"

size_t pv_console_write(const char *text, size_t n)
{
	hyp_console_io(CONSOLEIO_write, n, (char *)text);
	count_add(console_out, n);
	return n;
}

size_t pv_console_read(char *buf, size_t n)
{
	long got = hyp_console_io(CONSOLEIO_read, n, buf);

	if (got <= 0)
		return 0;
	count_add(console_in, got);
	return got;
}

static void console_event(void *unused)
{
	(void)unused;
	console_interrupt();
}

void console_bind(void)
{
	if (evtchn_bind_virq(VIRQ_CONSOLE, console_event, NULL, "console input") < 0)
		early_print("console: Xen gives us no input (VIRQ_CONSOLE refused)\n");
}

/* Uncounted and untraced: these two work with nothing set up at all. */
void early_print(const char *text)
{
	hypercall_raw(__HYPERVISOR_console_io, CONSOLEIO_write, strlen(text), HC(text), 0, 0);
}

void early_print_hex(const char *before, unsigned long v)
{
	char buf[20] = "0x0000000000000000\n";

	for (unsigned i = 0; i < 16; i++)
		buf[17 - i] = "0123456789abcdef"[(v >> (4 * i)) & 15];
	early_print(before);
	early_print(buf);
}

void early_die(const char *sentence)
{
	struct sched_shutdown crash = {.reason = SHUTDOWN_crash};

	early_print("Parvix cannot start: ");
	early_print(sentence);
	early_print("\n");
	hypercall_raw(__HYPERVISOR_sched_op, SCHEDOP_shutdown, HC(&crash), 0, 0, 0);
	for (;;)
		hypercall_raw(__HYPERVISOR_sched_op, SCHEDOP_block, 0, 0, 0, 0);
}
