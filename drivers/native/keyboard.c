/* SPDX-License-Identifier: MIT */
/*
 * The keyboard controller (Intel 8042 and all that came after it): commands and status at port
 * 0x64, data at port 0x60. Behind it two wires, keyboard and mouse; the mouse is left off. The
 * controller is told to translate the keyboard's codes to set 1, the first PC's, as it does by
 * default. Source: IBM, PC AT Technical Reference, keyboard controller.
 *
 * Every answer is waited for a bounded time: what is behind the ports may be an emulation, or
 * nothing.
 *
 * The interrupt turns codes into bytes (keymap.c) and puts them into a ring, from where the
 * console's input comes. What does not fit is lost.
 */
#include "keyboard.h"

#include <lock.h>
#include <machine.h>
#include <parvix/errno.h>
#include <pc.h>
#include "keymap.h"
#include "vga.h"

#define DATA 0x60
#define STATUS 0x64
#define COMMAND 0x64
#define KEYBOARD_IRQ 1

#define STATUS_FULL 0x01  /* a byte for us */
#define STATUS_BUSY 0x02  /* it has not taken ours yet */
#define STATUS_MOUSE 0x20 /* the byte is the mouse's */

#define READ_CONFIG 0x20
#define WRITE_CONFIG 0x60
#define MOUSE_OFF 0xa7
#define KEYBOARD_OFF 0xad
#define KEYBOARD_ON 0xae

#define CONFIG_INTERRUPT 0x01
#define CONFIG_MOUSE_INTERRUPT 0x02
#define CONFIG_KEYBOARD_OFF 0x10
#define CONFIG_TRANSLATE 0x40

#define SET_DEFAULTS 0xf6 /* to the keyboard itself */
#define START_SCANNING 0xf4
#define ACK 0xfa

#define PATIENCE_US 50000
#define STEP_US 10
#define RING 256 /* a power of two */

static spinlock_t lock = SPINLOCK("keyboard");
static struct keymap keymap;
static char ring[RING];
static unsigned head, tail; /* count up for ever */

static bool await(uint8_t bit, uint8_t want)
{
	for (unsigned us = 0; us < PATIENCE_US; us += STEP_US) {
		if ((in8(STATUS) & bit) == want)
			return true;
		udelay(STEP_US);
	}
	return false;
}

static bool send(uint16_t port, uint8_t v)
{
	if (!await(STATUS_BUSY, 0))
		return false;
	out8(port, v);
	return true;
}

static int answer(void)
{
	return await(STATUS_FULL, STATUS_FULL) ? in8(DATA) : -ETIMEDOUT;
}

static void drain(void)
{
	for (unsigned i = 0; i < 32 && in8(STATUS) & STATUS_FULL; i++)
		in8(DATA);
}

static void ring_put(const char *text, size_t n)
{
	if (n > RING - (tail - head))
		return; /* a whole key or none of it */
	for (size_t i = 0; i < n; i++)
		ring[tail++ % RING] = text[i];
}

size_t keyboard_read(char *buf, size_t n)
{
	size_t got = 0;

	spin_lock(&lock);
	while (got < n && head != tail)
		buf[got++] = ring[head++ % RING];
	spin_unlock(&lock);
	return got;
}

static void keyboard_interrupt(void *unused)
{
	char out[KEYMAP_BYTES];

	(void)unused;
	spin_lock(&lock);
	for (unsigned i = 0; i < 32; i++) {
		uint8_t status = in8(STATUS), code;

		if (!(status & STATUS_FULL) || status == 0xff)
			break;
		code = in8(DATA);
		if (!(status & STATUS_MOUSE))
			ring_put(out, keymap_code(&keymap, code, vga_app_cursor(), out));
	}
	spin_unlock(&lock);
	console_interrupt();
}

/* The wires quiet, then what we want, then the keyboard's on again. */
static int controller_init(void)
{
	int config;

	if (in8(STATUS) == 0xff || !send(COMMAND, KEYBOARD_OFF) || !send(COMMAND, MOUSE_OFF))
		return -ENODEV;
	drain();
	if (!send(COMMAND, READ_CONFIG))
		return -ENODEV;
	config = answer();
	if (config < 0)
		return -ENODEV;
	config |= CONFIG_INTERRUPT | CONFIG_TRANSLATE;
	config &= ~(CONFIG_MOUSE_INTERRUPT | CONFIG_KEYBOARD_OFF);
	if (!send(COMMAND, WRITE_CONFIG) || !send(DATA, (uint8_t)config) ||
	    !send(COMMAND, KEYBOARD_ON))
		return -ENODEV;
	return 0;
}

int keyboard_start(void)
{
	int err = controller_init();

	if (err)
		return err;
	/* The firmware may have left it in any state. Without an answer nothing is plugged in. */
	if (!send(DATA, SET_DEFAULTS) || answer() != ACK || !send(DATA, START_SCANNING) ||
	    answer() != ACK)
		err = -ENODEV;
	drain();
	if (!err)
		err = irq_bind_isa(KEYBOARD_IRQ, keyboard_interrupt, NULL, "keyboard");
	drain(); /* a byte that came before would keep the next from interrupting */
	return err;
}
