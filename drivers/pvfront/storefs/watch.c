/* SPDX-License-Identifier: MIT */
/*
 * NAME.watch: reading waits for changes.
 *
 * An open file is a watch in xenstored. Each change of the node, or of anything below it, makes a
 * line with the path that changed; a read gives as many whole lines as it has room for and waits,
 * interruptibly, when there are none; poll() says POLLIN. As the protocol has it, the first line,
 * the watched path itself, is there at once: from then on nothing is missed. Who reads too slowly
 * loses lines, not the news: after LINES_MAX the rest becomes one line with the watched path.
 *
 * The number of watches that a domain may have is limited by xenstored, and the devices need some:
 * these are for root, WATCHES_MAX at a time.
 */
#include "../xenbus/xs.h"
#include "storefs.h"

#include <proc.h>
#include <string.h>

#define LINES_MAX 256
#define WATCHES_MAX 64

struct line {
	struct list link;
	size_t len, done;
	char text[];
};

struct open_watch {
	struct xs_watch watch;
	spinlock_t lock; /* below */
	struct waitq wait;
	struct list lines;
	unsigned nr_lines;
	bool lost;
};

static volatile unsigned nr_watches;

static struct line *line_new(const char *path)
{
	size_t n = strlen(path);
	struct line *l = kmalloc(sizeof(*l) + n + 1, 0);

	if (!l)
		return NULL;
	l->len = n + 1;
	l->done = 0;
	memcpy(l->text, path, n);
	l->text[n] = '\n';
	return l;
}

/* The client's watch thread. */
static void on_change(struct xs_watch *w, const char *changed)
{
	struct open_watch *o = w->arg;
	struct line *l = line_new(changed);

	spin_lock(&o->lock);
	if (l && o->nr_lines < LINES_MAX && !o->lost) {
		list_add_tail(&o->lines, &l->link);
		o->nr_lines++;
		l = NULL;
	} else {
		o->lost = true;
	}
	spin_unlock(&o->lock);
	waitq_wake_all(&o->wait);
	kfree(l);
}

/* The next line, off the list; NULL: there is none. */
static struct line *take(struct open_watch *o)
{
	struct line *l = NULL;
	bool lost = false;

	spin_lock(&o->lock);
	if (!list_empty(&o->lines)) {
		l = list_first(&o->lines, struct line, link);
		list_del(&l->link);
		o->nr_lines--;
	} else if (o->lost) {
		lost = true;
		o->lost = false;
	}
	spin_unlock(&o->lock);
	return lost ? line_new(o->watch.path) : l;
}

static void put_back(struct open_watch *o, struct line *l)
{
	spin_lock(&o->lock);
	list_add(&o->lines, &l->link);
	o->nr_lines++;
	spin_unlock(&o->lock);
}

static bool ready(const struct open_watch *o)
{
	return !list_empty(&o->lines) || o->lost;
}

static int wait_for_line(struct open_watch *o, bool wait)
{
	int err = 0;

	spin_lock(&o->lock);
	while (!err && !ready(o))
		err = wait ? sleep_on(&o->wait, &o->lock, SLEEP_INTR, KTIME_NEVER) : -EAGAIN;
	spin_unlock(&o->lock);
	return err;
}

static ssize_t watch_read(struct file *f, struct uio *uio, uint64_t *pos)
{
	struct open_watch *o = f->private;
	ssize_t done = 0, n = 0;
	struct line *l;

	(void)pos;
	if (!uio->resid)
		return 0;
	n = wait_for_line(o, !(f->flags & O_NONBLOCK));
	while (n >= 0 && uio->resid && (l = take(o))) {
		/* A second line only if it fits; the first in pieces, if it must be. */
		n = done && l->len - l->done > uio->resid
			    ? -ENOSPC
			    : uio_to(uio, l->text + l->done, l->len - l->done);
		if (n > 0) {
			done += n;
			l->done += n;
		}
		if (l->done < l->len)
			put_back(o, l);
		else
			kfree(l);
	}
	return done ? done : n;
}

static unsigned watch_poll(struct file *f, struct poll_table *pt)
{
	struct open_watch *o = f->private;

	poll_wait(pt, &o->wait);
	return ready(o) ? POLLIN | POLLRDNORM : 0;
}

static void watch_free(struct open_watch *o)
{
	struct line *l;

	while ((l = take(o)))
		kfree(l);
	kfree((void *)o->watch.path);
	kfree(o);
	__atomic_sub_fetch(&nr_watches, 1, __ATOMIC_RELAXED);
}

static void watch_release(struct file *f)
{
	struct open_watch *o = f->private;

	xs_unwatch(&o->watch);
	watch_free(o);
}

static const struct file_ops watch_file_ops = {
	.read = watch_read,
	.poll = watch_poll,
	.release = watch_release,
	.no_seek = true,
};

static struct open_watch *watch_new(const char *path)
{
	struct open_watch *o = kmalloc(sizeof(*o), ALLOC_ZERO);
	size_t n = strlen(path) + 1;
	char *copy = kmalloc(n, 0);

	if (!o || !copy) {
		kfree(o);
		kfree(copy);
		return NULL;
	}
	memcpy(copy, path, n);
	o->watch.path = copy;
	o->watch.fn = on_change;
	o->watch.arg = o;
	spin_init(&o->lock, "xenstore watch");
	waitq_init(&o->wait);
	list_init(&o->lines);
	return o;
}

int store_watch_open(struct store_vnode *sv, struct file *f)
{
	struct open_watch *o;
	int err;

	if (__atomic_add_fetch(&nr_watches, 1, __ATOMIC_RELAXED) > WATCHES_MAX ||
	    !(o = watch_new(sv->path))) {
		bool full = __atomic_fetch_sub(&nr_watches, 1, __ATOMIC_RELAXED) > WATCHES_MAX;

		return full ? -ENOSPC : -ENOMEM;
	}
	err = xs_watch(&o->watch);
	if (err) {
		watch_free(o);
		return err;
	}
	f->private = o;
	f->ops = &watch_file_ops;
	return 0;
}
