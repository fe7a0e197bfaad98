/* SPDX-License-Identifier: MIT */
/* Consoles on rings, for the files of this folder. */
#ifndef PVFRONT_CONSOLE_H
#define PVFRONT_CONSOLE_H

#include <tty.h>
#include "console_ring.h"

/* A terminal on a ring. */
struct pvcon {
	struct tty_device dev;
	struct tty *tty;
	struct console_ring *ring; /* its page is NULL while nothing is at the other end */
	spinlock_t input_lock;     /* input reaches the terminal in the ring's order */
	bool held;                 /* input was left in the ring: the terminal is full */
};

/* @c on @tty and @ring; the caller binds @ring's port to pvcon_event(), with @c for argument. */
void pvcon_init(struct pvcon *c, struct tty *tty, struct console_ring *ring);
void pvcon_event(void *pvcon);

/* The domain's own console moves from the early console's output to its terminal. */
void console_start(void);
/* Windows that change their size and consoles that are plugged in: once there is xenstore, before
 * xenbus_start(). */
void console_bus_start(void);

#endif
