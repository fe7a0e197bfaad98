/* SPDX-License-Identifier: MIT */
/*
 * Terminals on console rings: the domain's own console, and those that are plugged in
 * (console_bus.c).
 *
 * Natively a UART tells by interrupt that a byte has come, or that it can take the next one. Here
 * one event channel carries both, and moves as much as is in the ring.
 *
 * Output. The line discipline offers what it has; what the ring cannot take stays there, and the
 * program that wrote it sleeps until the event of the backend, which comes each time that it has
 * emptied the ring. A hypercall tells the backend of new bytes, and one is enough for all that come
 * before it looks: so it is made only if the ring was empty before. If it was not, the backend has
 * been told already, and may just now be leaving without having seen ours; but it tells us when it
 * has done so, and then what is still there is announced again. A program that writes without end
 * costs a hypercall and an event for every 2048 bytes, not for every line. (The console daemon
 * of Xen 4.17 looks at no more than 30 events of a domain in 200 ms, so this is also what makes
 * output fast.)
 *
 * Input. Bytes are taken out of the ring as far as the terminal has room for them, and for their
 * echo. The rest stays in the ring, then in the backend, which reads no more from whoever types or
 * pastes: nothing is lost. When a program has read, or the echo has gone out, it goes on.
 */
#include "console.h"

#include <cpu.h>
#include <hv.h>
#include <string.h>

#define PIECE 128
/* A backend that never stops must not keep us in its event: more waits for the next, or a reader.
 */
#define MOST 32768

static size_t pvcon_write(struct tty_device *dev, const char *buf, size_t n)
{
	struct pvcon *c = dev->private;
	struct console_ring *r = c->ring;
	bool tell = false;

	spin_lock(&r->lock);
	if (r->page) {
		bool idle = console_ring_unsent(r) == 0;

		/* Into a broken ring, as into one that is gone, goes everything. */
		if (!r->broken) {
			n = console_ring_put(r, buf, n);
			tell = idle && n > 0;
		}
	}
	spin_unlock(&r->lock);
	if (tell)
		evtchn_send(r->port);
	count_add(console_out, n);
	return n;
}

/* A piece of input for which there is room. */
static size_t take(struct pvcon *c, char *buf, size_t size)
{
	size_t room = tty_input_room(c->tty), n = 0;
	struct console_ring *r = c->ring;
	bool tell = false;

	/* Whoever makes room looks at this afterwards; so after it, room is looked at again. */
	if (room == 0) {
		__atomic_store_n(&c->held, true, __ATOMIC_SEQ_CST);
		room = tty_input_room(c->tty);
	}
	if (room == 0)
		return 0;
	__atomic_store_n(&c->held, false, __ATOMIC_SEQ_CST);
	spin_lock(&r->lock);
	if (r->page)
		n = console_ring_get(r, buf, min(room, size), &tell);
	spin_unlock(&r->lock);
	if (tell)
		evtchn_send(r->port);
	return n;
}

static void pump(struct pvcon *c)
{
	char buf[PIECE];
	size_t n, all = 0;

	spin_lock(&c->input_lock);
	while (all < MOST && (n = take(c, buf, sizeof(buf))) > 0) {
		tty_input(c->tty, buf, n);
		all += n;
	}
	count_add(console_in, all);
	if (all >= MOST)
		c->held = true;
	spin_unlock(&c->input_lock);
}

static void pvcon_input_wanted(struct tty_device *dev)
{
	struct pvcon *c = dev->private;

	if (__atomic_load_n(&c->held, __ATOMIC_SEQ_CST))
		pump(c);
}

void pvcon_event(void *pvcon)
{
	struct pvcon *c = pvcon;
	struct console_ring *r = c->ring;
	bool tell;

	spin_lock(&r->lock);
	tell = r->page && console_ring_unsent(r) > 0;
	spin_unlock(&r->lock);
	if (tell)
		evtchn_send(r->port);
	tty_output_ready(c->tty);
	pump(c);
}

void pvcon_init(struct pvcon *c, struct tty *tty, struct console_ring *ring)
{
	memset(c, 0, sizeof(*c));
	c->dev.write = pvcon_write;
	c->dev.input_wanted = pvcon_input_wanted;
	c->dev.private = c;
	c->tty = tty;
	c->ring = ring;
	spin_init(&c->input_lock, "console input");
}

void console_start(void)
{
	static struct pvcon console;
	struct console_ring *ring = hv_console_ring();

	if (!ring)
		return;
	pvcon_init(&console, &console_tty, ring);
	tty_set_device(&console_tty, &console.dev);
	evtchn_bind_handler(ring->port, pvcon_event, &console, "console");
	pvcon_event(&console);
}
