/* SPDX-License-Identifier: MIT */
/*
 * xenbus: how a device that is only an agreement between two domains comes to life.
 *
 * Natively a bus is enumerated by reading configuration space. Here the toolstack writes a
 * directory device/TYPE/ID into our part of xenstore and one into the backend's, each naming the
 * other. Both sides have a node `state`, and watch the other's:
 *
 *   frontend                      backend
 *   Initialising (1)              Initialising -> InitWait (2): features are written
 *   rings granted, ports made,
 *   written -> Initialised (3)    maps them -> Connected (4)
 *   Connected (4)
 *   Closing (5) -> Closed (6)     Closing -> Closed, when either begins
 *
 * Each device has a thread of its own, so that a handshake is written, and read, from top to
 * bottom: the thread waits in xenbus_wait() while the backend is at work, and the devices of a
 * domain come up at the same time. The watch thread only notes states and wakes.
 */
#ifndef XENBUS_H
#define XENBUS_H

#include <hv.h>
#include "xs.h"

/* XenbusState of xen/io/xenbus.h, by the same numbers. */
enum bus_state {
	BUS_UNKNOWN = 0,
	BUS_INITIALISING = 1,
	BUS_INITWAIT = 2,
	BUS_INITIALISED = 3,
	BUS_CONNECTED = 4,
	BUS_CLOSING = 5,
	BUS_CLOSED = 6,
	BUS_RECONFIGURING = 7,
	BUS_RECONFIGURED = 8,
};
#define BUS_BIT(state) (1u << (state))

/* Where a device is on its way. The last four are ends of it, as far as boot is concerned. */
enum bus_phase {
	BUS_FOUND,   /* the toolstack has not yet written who the backend is */
	BUS_WAITING, /* for a backend in InitWait */
	BUS_CONNECTING,
	BUS_UP,
	BUS_BROKEN,
	BUS_DOWN, /* closed; may come back */
	BUS_GONE,
};

struct xenbus_driver;
struct xenbus_device {
	struct list link;
	char type[16];     /* "vbd" */
	unsigned id;       /* 51712 */
	char node[48];     /* "device/vbd/51712", relative to our domain */
	char name[16];     /* "xvda", what users call it: connect() fills it in */
	char backend[128]; /* path of the other side; filled before connect() */
	unsigned backend_id;
	const struct xenbus_driver *driver;
	void *private; /* the driver's */
	volatile enum bus_state state, backend_state;
	char error[96];                         /* why it is broken; "" */
	ktime_t handshake_work, handshake_wait; /* of the last connect(): for boot spans */
	/* the bus's own: */
	enum bus_phase phase;
	struct xs_watch watch; /* of `backend` */
	struct waitq wait;
	unsigned events;
	volatile bool gone; /* its directory has been removed */
	bool known;         /* the driver has it, connected or hoping */
	bool anew;          /* the backend has been closed or absent since the last failure */
	bool said;          /* on the console: why it does not move */
};

/*
 * All of these are called by the device's thread, one after another, and may sleep.
 */
struct xenbus_driver {
	const char *type;
	/*
	 * The backend is in InitWait or further. Negotiate, from features to Connected: read the
	 * backend's nodes, make rings, write ours, xenbus_switch(Initialised),
	 * xenbus_wait(Connected), publish the device, xenbus_switch(Connected). Called again when a
	 * backend comes back. An error makes the device broken until the backend starts anew: the
	 * driver has undone what it did.
	 */
	int (*connect)(struct xenbus_device *dev);
	/* The backend wrote to its directory while connected (a disk was resized). May be NULL. */
	void (*changed)(struct xenbus_device *dev);
	/*
	 * The backend closes or is gone: rings, grants and ports are given back; nothing of it is
	 * touched any more. @forever: the device is being removed, all that waits fails; otherwise
	 * it may come back, and requests may be kept for then. A device that misbehaved is
	 * disconnected for ever, too: if its backend starts anew after all, connect() is called as
	 * for a new device. disconnect(forever) can follow a disconnect that was not.
	 */
	void (*disconnect)(struct xenbus_device *dev, bool forever);
	/* May the toolstack take it away now? false: in use (mounted); asked again after
	 * xenbus_recheck(). NULL: always. */
	bool (*may_close)(struct xenbus_device *dev);
	/* A line for /proc/xen/devices: rings, features, counters. Bytes. May be NULL. */
	size_t (*describe)(struct xenbus_device *dev, char *buf, size_t size);
};

#define XENBUS_TIMEOUT (30 * NSEC_PER_SEC)

/* After xs_start() and all registrations: finds devices, watches for more. 0 or an error of xs_*.
 */
int xenbus_start(void);
int xenbus_register(const struct xenbus_driver *driver); /* 0, or -ENOSPC: more than 8 */
/* Until no device known at the time of the call is on its way to Connected, or @deadline. */
void xenbus_settle(ktime_t deadline);
/* Write our state. 0 or an error of xs_*. */
int xenbus_switch(struct xenbus_device *dev, enum bus_state state);
/*
 * Sleep until the backend's state is one of @mask (BUS_BIT), 0; it closes or goes meanwhile:
 * -ENODEV; xenbus_broken(): -EIO; nonsense as its state: -EPROTO; XENBUS_TIMEOUT passes:
 * -ETIMEDOUT, and a line on the console that names the path and both states.
 */
int xenbus_wait(struct xenbus_device *dev, unsigned mask);
/* Note why, say it on the console, write it to error/<node> of xenstore; returns @err. */
int xenbus_fail(struct xenbus_device *dev, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The device misbehaves (nonsense in a ring): from an interrupt too; its thread disconnects it. */
void xenbus_broken(struct xenbus_device *dev, const char *why);
/* What may_close() said may have changed: ask again. Any context. */
void xenbus_recheck(struct xenbus_device *dev);
/* A frame for the other side, zeroed: page in *@page, reference in *@ref; -ENOMEM, -ENOSPC. */
int xenbus_grant_page(struct xenbus_device *dev, void **page, grant_t *ref);
/* For /proc/xen/devices, a line for each device and the driver's own behind it:
 *   device/vbd/51712 up ours Connected backend Connected /local/domain/0/backend/vbd/1/51712
 *   handshake-us 850 wait-us 7100
 * and `error: TEXT` if it has one. Bytes. */
size_t xenbus_describe(char *buf, size_t size);

#endif
