/* SPDX-License-Identifier: MIT */
/*
 * The serial port. Eight registers at consecutive I/O ports; a byte written to the first is sent,
 * a byte read from it has come. A FIFO of 16 bytes each way. Source: National Semiconductor,
 * PC16550D data sheet.
 *
 * Output waits for the FIFO to be empty and fills it. It is synchronous, so that a message is
 * outside before the next instruction goes wrong, and programs' output takes the same road: at
 * 115200 baud 16 bytes take 1.4 ms, with interrupts off, and a full piece of a terminal's output
 * 44 ms; in an emulator, next to nothing. A port that takes nothing for PATIENCE is left alone
 * until it says that it is ready again, and then what was lost is said. The wait is counted in
 * ticks of the time-stamp counter, whatever they are, because it must work before there is a clock.
 *
 * Input interrupts when the FIFO is half full, or when it is not empty and nothing has come for
 * four characters' time.
 *
 * Under PV each byte would be two exits or more; the ring (drivers/pvfront/console_ring.h) moves
 * thousands for one hypercall.
 */
#include "uart.h"

#include <machine.h>
#include <pc.h>
#include <printk.h>

#define COM1 0x3f8
#define COM1_IRQ 4

#define UART_DATA (COM1 + 0)
#define UART_IER (COM1 + 1) /* interrupt enable */
#define UART_FCR (COM1 + 2) /* FIFO control (write), */
#define UART_IIR (COM1 + 2) /* interrupt identification (read) */
#define UART_LCR (COM1 + 3) /* line control */
#define UART_MCR (COM1 + 4) /* modem control */
#define UART_LSR (COM1 + 5) /* line status */
#define UART_SCRATCH (COM1 + 7)

#define IER_INPUT 0x01
#define FCR_FIFO_HALF 0x81 /* on, interrupt at 8 bytes; what is in it stays */
#define IIR_FIFO 0xc0
#define LCR_8N1 0x03
#define LCR_DIVISOR 0x80 /* the first two registers are the divisor of 115200 */
#define MCR_READY 0x0b   /* DTR, RTS, and OUT2, which lets interrupts out on a PC */
#define LSR_INPUT 0x01
#define LSR_BREAK 0x10
#define LSR_EMPTY 0x20 /* the output FIFO */

#define FIFO 16
#define PATIENCE (1ull << 33) /* ticks: 3 s on a processor of 3 GHz */

static unsigned burst; /* bytes that it takes when it is empty */
static bool stuck;
static uint64_t lost; /* bytes, since it is stuck */

static bool keeps(uint8_t v)
{
	out8(UART_SCRATCH, v);
	return in8(UART_SCRATCH) == v;
}

bool uart_find(void)
{
	if (!keeps(0x5a) || !keeps(0xa5))
		return false;
	out8(UART_IER, 0);
	out8(UART_LCR, LCR_DIVISOR);
	out8(UART_DATA, 1);
	out8(UART_IER, 0);
	out8(UART_LCR, LCR_8N1);
	out8(UART_FCR, FCR_FIFO_HALF);
	out8(UART_MCR, MCR_READY);
	burst = (in8(UART_IIR) & IIR_FIFO) == IIR_FIFO ? FIFO : 1;
	return true;
}

static bool room(void)
{
	uint64_t since = rdtsc_now(), patience = stuck ? 0 : PATIENCE;

	while (!(in8(UART_LSR) & LSR_EMPTY)) {
		stuck = rdtsc_now() - since > patience;
		if (stuck)
			return false;
	}
	stuck = false;
	return true;
}

static size_t send(const char *text, size_t n)
{
	size_t sent = 0, now;

	for (; sent < n && room(); sent += now) {
		now = min(n - sent, (size_t)burst);
		out8_all(UART_DATA, text + sent, now);
	}
	return sent;
}

void uart_write(const char *text, size_t n)
{
	char words[64];

	if (lost && room()) {
		send(words, snprintk(words, sizeof(words),
				     "\r\n[com1: %lu bytes were lost here]\r\n", lost));
		lost = 0;
	}
	lost += n - send(text, n);
}

size_t uart_read(char *buf, size_t n)
{
	size_t got = 0;

	/* A port that is gone reads as all ones: for ever "input". */
	for (unsigned i = 0; got < n && i < 2 * n; i++) {
		uint8_t status = in8(UART_LSR), b;

		if (!(status & LSR_INPUT) || status == 0xff)
			break;
		b = in8(UART_DATA);
		if (!(status & LSR_BREAK))
			buf[got++] = (char)b;
	}
	return got;
}

static void uart_interrupt(void *unused)
{
	(void)unused;
	console_interrupt(); /* reads until there is nothing left */
}

int uart_start(void)
{
	int err = irq_bind_isa(COM1_IRQ, uart_interrupt, NULL, "com1");

	if (!err)
		out8(UART_IER, IER_INPUT);
	return err;
}
