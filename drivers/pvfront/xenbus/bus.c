/* SPDX-License-Identifier: MIT */
/*
 * xenbus: which devices there are.
 *
 * Natively a bus driver asks every slot in turn, and a device that is plugged in later raises an
 * interrupt. Here the toolstack makes a directory device/TYPE/ID, and one watch on `device` tells
 * of all that happens below it: of new devices, of removed ones, and, since a watch covers the
 * whole tree below its path, of every node that our own drivers write there. So most of its calls
 * are sorted out by the form of the path alone, without asking xenstored anything.
 *
 * The watch's first call comes at once, for `device` itself: that is the enumeration at boot.
 */
#include <mm.h>
#include <printk.h>
#include <proc.h>
#include <string.h>
#include "bus.h"
#include "client.h"

#define DRIVERS_MAX 8

spinlock_t bus_lock = SPINLOCK("xenbus");
/* The list does not change, and no device is freed, while this is held: for those that sleep. */
static mutex_t list_mutex = MUTEX(list_mutex);
static struct list devices = LIST_INIT(devices);
static struct waitq settled = WAITQ(settled);
static const struct xenbus_driver *drivers[DRIVERS_MAX];
static bool enumerated;

int xenbus_register(const struct xenbus_driver *driver)
{
	for (unsigned i = 0; i < DRIVERS_MAX; i++)
		if (!drivers[i]) {
			drivers[i] = driver;
			return 0;
		}
	return -ENOSPC;
}

void bus_post(struct xenbus_device *dev, unsigned events)
{
	spin_lock(&bus_lock);
	dev->events |= events;
	waitq_wake_all(&dev->wait);
	spin_unlock(&bus_lock);
}

void bus_phase(struct xenbus_device *dev, enum bus_phase phase)
{
	spin_lock(&bus_lock);
	dev->phase = phase;
	waitq_wake_all(&settled);
	spin_unlock(&bus_lock);
}

/* bus_lock is held. */
static struct xenbus_device *find(const struct xenbus_driver *driver, unsigned id)
{
	struct xenbus_device *dev;

	list_for_each (dev, &devices, link)
		if (dev->driver == driver && dev->id == id)
			return dev;
	return NULL;
}

static struct xenbus_device *device_new(const struct xenbus_driver *driver, unsigned id)
{
	struct xenbus_device *dev = kmalloc(sizeof(*dev), ALLOC_ZERO);

	if (!dev)
		return NULL;
	dev->driver = driver;
	dev->id = id;
	strlcpy(dev->type, driver->type, sizeof(dev->type));
	snprintk(dev->node, sizeof(dev->node), "device/%s/%u", dev->type, id);
	dev->state = BUS_INITIALISING;
	dev->anew = true;
	dev->events = EV_FRONT;
	waitq_init(&dev->wait);
	return dev;
}

/* A directory of this name has been seen. */
static void device_seen(const struct xenbus_driver *driver, unsigned id)
{
	struct xenbus_device *dev = device_new(driver, id), *old;
	char name[16];

	if (!dev) {
		printk("xenbus: no memory for device/%s/%u\n", driver->type, id);
		return;
	}
	mutex_lock(&list_mutex);
	spin_lock(&bus_lock);
	old = find(driver, id);
	if (!old)
		list_add_tail(&devices, &dev->link);
	spin_unlock(&bus_lock);
	mutex_unlock(&list_mutex);
	if (old) {
		kfree(dev);
		return;
	}
	snprintk(name, sizeof(name), "%s-%u", dev->type, id);
	if (!kthread_create(name, device_main, dev)) {
		printk("xenbus: no memory for a thread of %s\n", dev->node);
		bus_forget(dev);
	}
}

/* The device, if the directory is there, or is there again. */
static void device_check(const struct xenbus_driver *driver, unsigned id)
{
	char node[48], *value;

	snprintk(node, sizeof(node), "device/%s/%u", driver->type, id);
	if (xs_read(XS_NO_TX, node, &value, NULL))
		return;
	kfree(value);
	device_seen(driver, id);
}

void bus_forget(struct xenbus_device *dev)
{
	const struct xenbus_driver *driver = dev->driver;
	unsigned id = dev->id;
	bool vanished = dev->gone;

	mutex_lock(&list_mutex);
	spin_lock(&bus_lock);
	list_del(&dev->link);
	waitq_wake_all(&settled);
	spin_unlock(&bus_lock);
	mutex_unlock(&list_mutex);
	kfree(dev);
	if (vanished)
		device_check(driver, id);
}

/* A name in device/TYPE. */
static void name_seen(const struct xenbus_driver *driver, const char *name)
{
	uint64_t id;

	if (!wire_number(name, strlen(name), 0, UINT32_MAX, &id))
		device_seen(driver, id);
}

/* Names, each with a 0. */
static void take_listing(const struct xenbus_driver *driver, const struct xs_reply *listing)
{
	const char *name = listing->body;

	for (int n = wire_strings(listing->body, listing->len); n > 0; n--) {
		name_seen(driver, name);
		name += strlen(name) + 1;
	}
}

/* More of them than go into a message. */
static void take_long_listing(const struct xenbus_driver *driver, const char *path)
{
	char **names;
	unsigned n;

	if (xs_directory(XS_NO_TX, path, &names, &n))
		return;
	for (unsigned i = 0; i < n; i++)
		name_seen(driver, names[i]);
	kfree(names);
}

/* The devices of all drivers, or of one; a type without any is not there. */
static void enumerate(const struct xenbus_driver *only)
{
	struct xs_question q[DRIVERS_MAX] = {};
	const struct xenbus_driver *asked[DRIVERS_MAX];
	char path[DRIVERS_MAX][32];
	unsigned n = 0;

	for (unsigned i = 0; i < DRIVERS_MAX && drivers[i]; i++) {
		if (only && drivers[i] != only)
			continue;
		snprintk(path[n], sizeof(path[n]), "device/%s", drivers[i]->type);
		q[n].piece[0] = XS_TEXT0(path[n]);
		asked[n++] = drivers[i];
	}
	xs_ask(XS_NO_TX, XS_DIRECTORY, q, n);
	for (unsigned i = 0; i < n; i++) {
		if (!q[i].err)
			take_listing(asked[i], &q[i].reply);
		else if (q[i].err == -E2BIG)
			take_long_listing(asked[i], path[i]);
		kfree(q[i].reply.body);
	}
	if (only)
		return;
	spin_lock(&bus_lock);
	enumerated = true;
	waitq_wake_all(&settled);
	spin_unlock(&bus_lock);
}

/* What is behind "@word/" in @path, "" if only the word; NULL if it begins otherwise. */
static const char *behind(const char *path, const char *word)
{
	size_t len = strlen(word);

	if (strncmp(path, word, len) != 0)
		return NULL;
	if (!path[len])
		return path + len;
	return path[len] == '/' ? path + len + 1 : NULL;
}

/* Something at device/TYPE/@rest: ID, or a node below it. */
static void type_event(const struct xenbus_driver *driver, const char *rest)
{
	const char *node = strchr(rest, '/');
	size_t len = node ? (size_t)(node - rest) : strlen(rest);
	struct xenbus_device *dev;
	uint64_t id;

	if (wire_number(rest, len, 0, UINT32_MAX, &id))
		return;
	/* Of its nodes, only what names the backend is not written by ourselves. */
	if (node && strcmp(node, "/backend") != 0 && strcmp(node, "/backend-id") != 0)
		return;
	spin_lock(&bus_lock);
	dev = find(driver, id);
	if (dev) {
		dev->events |= EV_FRONT;
		waitq_wake_all(&dev->wait);
	}
	spin_unlock(&bus_lock);
	if (!dev)
		device_check(driver, id);
}

static void front_event(struct xs_watch *w, const char *path)
{
	const char *rest = behind(path, w->path);

	if (!rest || !*rest) {
		struct xenbus_device *dev;

		/* All of it may have gone at once. */
		spin_lock(&bus_lock);
		list_for_each (dev, &devices, link) {
			dev->events |= EV_FRONT;
			waitq_wake_all(&dev->wait);
		}
		spin_unlock(&bus_lock);
		enumerate(NULL);
		return;
	}
	for (unsigned i = 0; i < DRIVERS_MAX && drivers[i]; i++) {
		const char *id = behind(rest, drivers[i]->type);

		if (id && *id)
			type_event(drivers[i], id);
		else if (id)
			enumerate(drivers[i]);
	}
}

int xenbus_start(void)
{
	static struct xs_watch watch = {.path = "device", .fn = front_event};

	return xs_watch(&watch);
}

/* bus_lock is held. */
static bool on_its_way(void)
{
	struct xenbus_device *dev;

	if (!enumerated)
		return true;
	list_for_each (dev, &devices, link)
		if (dev->phase < BUS_UP)
			return true;
	return false;
}

void xenbus_settle(ktime_t deadline)
{
	if (!xs_running())
		return;
	spin_lock(&bus_lock);
	while (on_its_way())
		if (sleep_on(&settled, &bus_lock, 0, deadline) == -ETIMEDOUT)
			break;
	spin_unlock(&bus_lock);
}

const char *bus_state_name(unsigned state)
{
	static const char *const names[] = {
		"Unknown", "Initialising", "InitWait",      "Initialised",  "Connected",
		"Closing", "Closed",       "Reconfiguring", "Reconfigured",
	};

	return state < ARRAY_SIZE(names) ? names[state] : "?";
}

size_t xenbus_describe(char *buf, size_t size)
{
	static const char *const phases[] = {"found",  "waiting", "connecting", "up",
					     "broken", "down",    "gone"};
	struct xenbus_device *dev;
	size_t len = 0;

	mutex_lock(&list_mutex);
	list_for_each (dev, &devices, link) {
		len += snprintk(buf + len, size - len, "%s %s ours %s backend %s %s\n", dev->node,
				phases[dev->phase], bus_state_name(dev->state),
				bus_state_name(dev->backend_state), dev->backend);
		if (dev->handshake_work)
			len += snprintk(buf + len, size - len, "  handshake-us %ld wait-us %ld\n",
					dev->handshake_work / NSEC_PER_USEC,
					dev->handshake_wait / NSEC_PER_USEC);
		if (dev->error[0])
			len += snprintk(buf + len, size - len, "  error: %s\n", dev->error);
		if (dev->driver->describe && dev->known)
			len += dev->driver->describe(dev, buf + len, size - len);
	}
	mutex_unlock(&list_mutex);
	return len;
}
