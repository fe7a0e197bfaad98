/* SPDX-License-Identifier: MIT */
/*
 * What xenstore says about consoles: the size of the window, and consoles besides the first.
 *
 * The ring carries bytes and nothing else, so the size of the window at its other end comes by
 * another road: who knows it writes "ROWS COLS" to console/winsize of the domain's directory, and a
 * watch tells us. (Where nobody does, the program `resize` asks the terminal itself.)
 *
 * A further console is a device, device/console/N with N from 1 (`channel=` in the domain's
 * configuration). Unlike the first one, whose page and port come from the domain builder, we make
 * page and port, grant the page to the backend and write ring-ref and port; from then on they are
 * the same, but that this one can be unplugged: then its terminal hangs up. It is /dev/hvcN, and
 * init, who may have a shell to start on it, hears of it by SIGHUP.
 */
#include "console.h"

#include <fs.h>
#include <hv.h>
#include <printk.h>
#include <proc.h>
#include "xenbus/xenbus.h"

#define CONSOLES 8
#define MAJOR_HVC 229

struct plugged {
	struct pvcon con;
	struct tty tty;
	struct console_ring ring;
	struct xenbus_device *dev;
	grant_t ref;
};

static const char *const names[CONSOLES] = {"hvc0", "hvc1", "hvc2", "hvc3",
					    "hvc4", "hvc5", "hvc6", "hvc7"};
static struct char_device nodes[CONSOLES];
static struct plugged *plugged[CONSOLES];
static spinlock_t lock = SPINLOCK("consoles"); /* nodes, plugged; outside of proc_lock */

static int hvc_open(struct file *f)
{
	unsigned n = f->vnode->rdev % CONSOLES;
	int err = -ENXIO;

	spin_lock(&lock);
	if (plugged[n])
		err = tty_open(f, &plugged[n]->tty);
	spin_unlock(&lock);
	return err;
}

static void publish(unsigned n, struct plugged *p)
{
	bool first = !nodes[n].name;

	spin_lock(&lock);
	plugged[n] = p;
	nodes[n].absent = !p;
	spin_unlock(&lock);
	if (!first)
		return;
	nodes[n].name = names[n];
	nodes[n].dev = MKDEV(MAJOR_HVC, n);
	nodes[n].mode = 0600;
	nodes[n].ops = &tty_file_ops;
	nodes[n].open = hvc_open;
	chrdev_register(&nodes[n]);
}

static void tell_init(void)
{
	struct proc *init;

	spin_lock(&proc_lock);
	init = proc_find(1);
	if (init)
		signal_send(init, SIGHUP, NULL);
	spin_unlock(&proc_lock);
}

static void released(struct tty_device *dev)
{
	struct pvcon *con = dev->private;

	kfree(container_of(con, struct plugged, con));
}

static void event(void *arg)
{
	struct plugged *p = arg;

	pvcon_event(&p->con);
	if (p->ring.broken)
		xenbus_broken(p->dev, "the console ring's indexes are nonsense");
}

static int make_ring(struct xenbus_device *dev, struct plugged *p)
{
	void *page;
	int err = xenbus_grant_page(dev, &page, &p->ref);

	if (err)
		return err;
	console_ring_attach(&p->ring, page);
	err = evtchn_alloc_unbound(dev->backend_id, event, p, names[dev->id]);
	if (err < 0)
		return err;
	p->ring.port = err;
	return 0;
}

static int negotiate(struct xenbus_device *dev, struct plugged *p)
{
	int err = xs_printf(XS_NO_TX, dev->node, "ring-ref", "%u", p->ref);

	if (!err)
		err = xs_printf(XS_NO_TX, dev->node, "port", "%u", p->ring.port);
	if (!err)
		err = xenbus_switch(dev, BUS_INITIALISED);
	if (!err)
		err = xenbus_wait(dev, BUS_BIT(BUS_CONNECTED));
	return err;
}

/* Nothing of the backend's is touched any more; the terminal lives until its last user goes. */
static void unplug(struct plugged *p)
{
	struct xencons_interface *page = p->ring.page;

	if (p->ring.port)
		evtchn_close(p->ring.port);
	spin_lock(&p->ring.lock);
	p->ring.page = NULL;
	spin_unlock(&p->ring.lock);
	if (page)
		grant_end_page(p->ref, pfn_page(va_pfn(page)));
	tty_hangup(&p->tty);
}

static int console_connect(struct xenbus_device *dev)
{
	struct plugged *p;
	int err;

	if (dev->id == 0 || dev->id >= CONSOLES)
		return xenbus_fail(dev, -ENXIO, "consoles 1 to %d can be plugged in", CONSOLES - 1);
	p = kmalloc(sizeof(*p), ALLOC_ZERO);
	if (!p)
		return xenbus_fail(dev, -ENOMEM, "no memory for a console");
	p->dev = dev;
	spin_init(&p->ring.lock, "console ring");
	tty_setup(&p->tty, names[dev->id], &p->con.dev);
	pvcon_init(&p->con, &p->tty, &p->ring);
	p->con.dev.release = released;
	err = make_ring(dev, p);
	if (!err)
		err = negotiate(dev, p);
	if (err) {
		bool nonsense = p->ring.broken;

		unplug(p);
		return xenbus_fail(dev, err,
				   nonsense ? "the ring's indexes are nonsense" : "no connection");
	}
	dev->private = p;
	snprintk(dev->name, sizeof(dev->name), "hvc%u", dev->id);
	publish(dev->id, p);
	xenbus_switch(dev, BUS_CONNECTED);
	tell_init();
	return 0;
}

static void console_disconnect(struct xenbus_device *dev, bool forever)
{
	struct plugged *p = dev->private;

	(void)forever;
	if (!p)
		return;
	dev->private = NULL;
	publish(dev->id, NULL);
	unplug(p);
}

static size_t console_describe(struct xenbus_device *dev, char *buf, size_t size)
{
	return snprintk(buf, size, "/dev/%s", names[dev->id % CONSOLES]);
}

static const struct xenbus_driver driver = {
	.type = "console",
	.connect = console_connect,
	.disconnect = console_disconnect,
	.describe = console_describe,
};

static void winsize_written(struct xs_watch *w, const char *changed)
{
	struct winsize size;
	char text[16];
	ssize_t err;

	(void)w;
	(void)changed;
	err = xs_gets(XS_NO_TX, "console", "winsize", text, sizeof(text));
	if (err >= 0 && tty_parse_winsize(text, ' ', &size))
		tty_resize(&console_tty, &size);
	else if (err >= 0 || err == -E2BIG)
		printk("console: what is in console/winsize is not ROWS COLS\n");
}

void console_bus_start(void)
{
	static struct xs_watch winsize = {.path = "console/winsize", .fn = winsize_written};

	xs_watch(&winsize);
	xenbus_register(&driver);
}
