/* SPDX-License-Identifier: MIT */
/*
 * xenbus: the life of one device, which is one thread.
 *
 * The watch thread and the drivers' interrupts leave events; the thread takes them, asks xenstored
 * what is the case now (the news may be old, and one look answers for many), and acts:
 *
 *   found        the toolstack names the backend             -> waiting
 *   waiting      the backend is in InitWait                  -> driver->connect() -> up, or broken
 *   up           the backend closes, or vanishes             -> driver->disconnect() -> down
 *   down         the backend is closed but still "online":   Initialising again: that is what it
 *                it expects us back                          waits for; then as in waiting
 *   broken       as down, but the first step is the backend's
 *   any          our directory is gone                       -> disconnect for ever, end of thread
 *
 * Whatever the backend writes is read as text, and its state is a number from 0 to 8 or an error of
 * this device alone.
 */
#include <mm.h>
#include <printk.h>
#include <proc.h>
#include <string.h>
#include "bus.h"
#include "client.h"

#define RETRY_SPAN NSEC_PER_SEC /* when xenstored does not answer */
#define CLOSE_SPAN (2 * NSEC_PER_SEC)
#define DOMID_LAST 0x7feful

/* Events among @mask, which are taken; sleeps until there is one, or returns 0 at @deadline. */
static unsigned take_events(struct xenbus_device *dev, unsigned mask, ktime_t deadline)
{
	unsigned events;

	spin_lock(&bus_lock);
	while (!(dev->events & mask))
		if (sleep_on(&dev->wait, &bus_lock, 0, deadline) == -ETIMEDOUT)
			break;
	events = dev->events & mask;
	dev->events &= ~events;
	spin_unlock(&bus_lock);
	return events;
}

/* Drop what has been said about an earlier connection. */
static void clear_events(struct xenbus_device *dev, unsigned mask)
{
	spin_lock(&bus_lock);
	dev->events &= ~mask;
	spin_unlock(&bus_lock);
}

/* xenstored does not answer: @events are to be looked at again, a little later. */
static void again_later(struct xenbus_device *dev, unsigned events)
{
	ktime_t deadline = clock_now() + RETRY_SPAN;

	spin_lock(&bus_lock);
	dev->events |= events;
	while (clock_now() < deadline)
		sleep_on(&dev->wait, &bus_lock, 0, deadline);
	spin_unlock(&bus_lock);
}

static bool closes(unsigned state)
{
	return state == BUS_CLOSING || state == BUS_CLOSED || state == BUS_UNKNOWN;
}

/* It is not there, or we may not know: xenstored does not tell more about what it hides. */
static bool absent(int err)
{
	return err == -ENOENT || err == -EACCES;
}

int xenbus_fail(struct xenbus_device *dev, int err, const char *fmt, ...)
{
	char path[64];
	va_list ap;

	va_start(ap, fmt);
	vsnprintk(dev->error, sizeof(dev->error), fmt, ap);
	va_end(ap);
	printk("%s: %s: %s\n", dev->node, dev->error, error_text(err));
	snprintk(path, sizeof(path), "error/%s", dev->node);
	xs_printf(XS_NO_TX, path, "error", "%d %s", err, dev->error);
	return err;
}

int xenbus_switch(struct xenbus_device *dev, enum bus_state state)
{
	int err;

	if (dev->gone)
		return -ENODEV;
	if (dev->state == state)
		return 0;
	err = xs_printf(XS_NO_TX, dev->node, "state", "%u", state);
	if (!err)
		dev->state = state;
	return err;
}

void xenbus_broken(struct xenbus_device *dev, const char *why)
{
	spin_lock(&bus_lock);
	if (!(dev->events & EV_BROKEN))
		strlcpy(dev->error, why, sizeof(dev->error));
	spin_unlock(&bus_lock);
	bus_post(dev, EV_BROKEN);
}

void xenbus_recheck(struct xenbus_device *dev)
{
	bus_post(dev, EV_RECHECK);
}

int xenbus_grant_page(struct xenbus_device *dev, void **page, grant_t *ref)
{
	struct page *pg = page_alloc(0, ALLOC_ZERO);
	int err;

	if (!pg)
		return -ENOMEM;
	err = grant_access(dev->backend_id, page_pfn(pg), false, ref);
	if (err) {
		page_put(pg);
		return err;
	}
	*page = page_va(pg);
	return 0;
}

static void backend_event(struct xs_watch *w, const char *path)
{
	size_t len = strlen(w->path);
	const char *node = strlen(path) > len ? path + len : "";

	bus_post(w->arg, !*node || strcmp(node, "/state") == 0 ? EV_STATE : EV_CHANGED);
}

/* Is our directory still there? */
static int look_at_node(struct xenbus_device *dev)
{
	char *value;
	int err = xs_read(XS_NO_TX, dev->node, &value, NULL);

	if (!err)
		kfree(value);
	dev->gone = absent(err);
	return absent(err) ? 0 : err;
}

/* Who the backend is, as the toolstack has written it: its directory and its domain. */
struct backend {
	char dir[sizeof(((struct xenbus_device *)0)->backend)];
	unsigned id;
};

static int read_backend(const struct xenbus_device *dev, struct backend *out)
{
	char path[2][64];
	struct xs_question q[2] = {};
	uint64_t id = 0;
	int err;

	snprintk(path[0], sizeof(path[0]), "%s/backend", dev->node);
	snprintk(path[1], sizeof(path[1]), "%s/backend-id", dev->node);
	q[0].piece[0] = XS_TEXT0(path[0]);
	q[1].piece[0] = XS_TEXT0(path[1]);
	xs_ask(XS_NO_TX, XS_READ, q, 2);
	err = q[0].err ? q[0].err : q[1].err;
	if (!err && (strlcpy(out->dir, q[0].reply.body, sizeof(out->dir)) >= sizeof(out->dir) ||
		     strlen(out->dir) != q[0].reply.len))
		err = -E2BIG;
	if (!err)
		err = wire_number(q[1].reply.body, q[1].reply.len, 0, DOMID_LAST, &id);
	out->id = (unsigned)id;
	kfree(q[0].reply.body);
	kfree(q[1].reply.body);
	return err;
}

/*
 * Has it still the same backend? Another one is another device: also one whose directory was
 * removed and written again before we looked. 0 unless xenstored does not answer.
 */
static int look_at_ours(struct xenbus_device *dev)
{
	struct backend now;
	int err = read_backend(dev, &now);

	if (err && !absent(err) && err != -E2BIG && err != -ERANGE)
		return err;
	dev->gone = err || now.id != dev->backend_id || strcmp(now.dir, dev->backend) != 0;
	return 0;
}

static int look_at_backend(struct xenbus_device *dev)
{
	uint64_t state = BUS_UNKNOWN;
	int err = xs_scan(XS_NO_TX, dev->backend, "state", 0, BUS_RECONFIGURED, &state);

	if (err == -ERANGE)
		return xenbus_fail(dev, -EPROTO, "what is in %s/state is no state", dev->backend);
	if (err && !absent(err))
		return err;
	dev->backend_state = (enum bus_state)state;
	if (closes(state) || state == BUS_INITIALISING)
		dev->anew = true;
	return 0;
}

static void say_states(const struct xenbus_device *dev, const char *what)
{
	printk("%s: %s for %ld s: %s is in state %u (%s), we are in state %u (%s)\n", dev->node,
	       what, XENBUS_TIMEOUT / NSEC_PER_SEC, dev->backend, dev->backend_state,
	       bus_state_name(dev->backend_state), dev->state, bus_state_name(dev->state));
}

static int wait_backend(struct xenbus_device *dev, unsigned mask)
{
	ktime_t deadline = clock_now() + XENBUS_TIMEOUT;

	while (!(BUS_BIT(dev->backend_state) & mask)) {
		unsigned events;
		int err;

		if (closes(dev->backend_state))
			return -ENODEV;
		events = take_events(dev, EV_STATE | EV_FRONT | EV_BROKEN, deadline);
		if (events & EV_BROKEN)
			return -EIO;
		if (!events) {
			say_states(dev, "handshake waits");
			strlcpy(dev->error, "the backend does not go on", sizeof(dev->error));
			return -ETIMEDOUT;
		}
		err = (events & EV_FRONT) ? look_at_ours(dev) : 0;
		if (dev->gone)
			return -ENODEV;
		if (!err && (events & EV_STATE))
			err = look_at_backend(dev);
		if (err == -EPROTO)
			return err;
		if (err)
			again_later(dev, events);
	}
	return 0;
}

int xenbus_wait(struct xenbus_device *dev, unsigned mask)
{
	ktime_t start = clock_now();
	int err = wait_backend(dev, mask);

	dev->handshake_wait += clock_now() - start;
	return err;
}

/* The backend lets go of rings and grants when it sees us closed: better given back after that. */
static void wait_closed(struct xenbus_device *dev)
{
	ktime_t deadline = clock_now() + CLOSE_SPAN;

	while (dev->backend_state != BUS_CLOSED && dev->backend_state != BUS_UNKNOWN)
		if (!take_events(dev, EV_STATE, deadline) || look_at_backend(dev))
			return;
}

/* Close, and take it from the driver. */
static void bring_down(struct xenbus_device *dev, bool forever)
{
	xenbus_switch(dev, BUS_CLOSING);
	xenbus_switch(dev, BUS_CLOSED);
	if (!dev->known)
		return;
	wait_closed(dev);
	dev->driver->disconnect(dev, forever);
	if (forever)
		dev->known = false;
}

static void bring_up(struct xenbus_device *dev)
{
	ktime_t start = clock_now();
	int err;

	bus_phase(dev, BUS_CONNECTING);
	clear_events(dev, EV_BROKEN | EV_CHANGED);
	dev->error[0] = 0;
	dev->handshake_wait = 0;
	err = dev->driver->connect(dev);
	dev->handshake_work = clock_now() - start - dev->handshake_wait;
	if (!err) {
		dev->known = true;
		dev->said = false;
		bus_phase(dev, BUS_UP);
		return;
	}
	if (!dev->error[0])
		xenbus_fail(dev, err, "not connected");
	dev->anew = closes(dev->backend_state);
	bring_down(dev, true);
	bus_phase(dev, err == -ENODEV ? BUS_DOWN : BUS_BROKEN);
	/* A backend that comes and goes as fast as it can does not keep us as busy. */
	again_later(dev, EV_STATE);
}

/* Has the toolstack withdrawn it, so that the backend will not come back? */
static bool withdrawn(struct xenbus_device *dev)
{
	uint64_t online = 1;

	xs_scan(XS_NO_TX, dev->backend, "online", 0, 1, &online);
	return !online;
}

/* The backend closes, or is not there any more. */
static void backend_closes(struct xenbus_device *dev)
{
	if (dev->backend_state == BUS_UNKNOWN)
		look_at_ours(dev);
	if (dev->gone)
		return;
	if (dev->backend_state == BUS_CLOSING && dev->driver->may_close &&
	    !dev->driver->may_close(dev)) {
		if (!dev->said)
			printk("%s (%s): in use, stays until it is not\n", dev->node, dev->name);
		dev->said = true;
		return;
	}
	bring_down(dev, dev->backend_state != BUS_UNKNOWN && withdrawn(dev));
	bus_phase(dev, BUS_DOWN);
	bus_post(dev, EV_STATE);
}

static void found(struct xenbus_device *dev)
{
	struct backend backend;
	int err = read_backend(dev, &backend);

	/* Removed again, or just being filled. */
	if (absent(err)) {
		look_at_node(dev);
		return;
	}
	if (!err) {
		strlcpy(dev->backend, backend.dir, sizeof(dev->backend));
		dev->backend_id = backend.id;
	}
	dev->watch = (struct xs_watch){.path = dev->backend, .fn = backend_event, .arg = dev};
	if (!err)
		err = xs_watch(&dev->watch);
	if (!err) {
		bus_phase(dev, BUS_WAITING);
		return;
	}
	if (err == -ETIMEDOUT || err == -ENOMEM) {
		again_later(dev, EV_FRONT);
		return;
	}
	dev->watch.fn = NULL;
	xenbus_fail(dev, err, "its backend cannot be found");
	bus_phase(dev, BUS_BROKEN);
}

/* What to do in the phase, after a look at what is the case. */
static void act(struct xenbus_device *dev, unsigned events)
{
	unsigned state = dev->backend_state;
	bool ready = state == BUS_INITWAIT || state == BUS_INITIALISED || state == BUS_CONNECTED;

	switch (dev->phase) {
	case BUS_FOUND:
		found(dev);
		break;
	case BUS_WAITING:
		if (ready)
			bring_up(dev);
		else if (closes(state) && state != BUS_UNKNOWN)
			bus_phase(dev, BUS_DOWN);
		break;
	case BUS_UP:
		if (closes(state))
			backend_closes(dev);
		else if ((events & EV_CHANGED) && dev->driver->changed)
			dev->driver->changed(dev);
		break;
	case BUS_DOWN:
		if (state == BUS_CLOSED && dev->state == BUS_CLOSED && !withdrawn(dev))
			xenbus_switch(dev, BUS_INITIALISING);
		/* fall through */
	case BUS_BROKEN:
		if (state == BUS_INITWAIT && dev->anew) {
			xenbus_switch(dev, BUS_INITIALISING);
			bring_up(dev);
		}
		break;
	default:
		break;
	}
}

static void step(struct xenbus_device *dev)
{
	bool waiting = dev->phase == BUS_WAITING && !dev->said;
	unsigned events = take_events(dev, EV_ALL,
				      waiting ? clock_now() + XENBUS_TIMEOUT : KTIME_NEVER);
	int err = 0;

	if (!events) {
		say_states(dev, "nothing has happened");
		dev->said = true;
		return;
	}
	if ((events & EV_FRONT) && dev->phase != BUS_FOUND)
		err = look_at_ours(dev);
	if (dev->gone)
		return;
	if ((events & EV_BROKEN) && dev->phase == BUS_UP) {
		printk("%s: %s: given up\n", dev->node, dev->error);
		dev->anew = false;
		bring_down(dev, true);
		bus_phase(dev, BUS_BROKEN);
	}
	if (!err && (events & EV_STATE) && dev->phase != BUS_FOUND)
		err = look_at_backend(dev);
	if (err == -EPROTO) {
		dev->anew = false;
		bring_down(dev, true);
		bus_phase(dev, BUS_BROKEN);
	} else if (err) {
		again_later(dev, events & (EV_FRONT | EV_STATE | EV_CHANGED));
	} else {
		act(dev, events);
	}
}

void device_main(void *arg)
{
	struct xenbus_device *dev = arg;

	while (!dev->gone)
		step(dev);
	if (dev->watch.fn)
		xs_unwatch(&dev->watch);
	if (dev->known)
		dev->driver->disconnect(dev, true);
	bus_phase(dev, BUS_GONE);
	bus_forget(dev);
}
