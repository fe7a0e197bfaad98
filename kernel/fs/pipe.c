/* SPDX-License-Identifier: MIT */
/*
 * Pipes and FIFOs.
 *
 * A pipe is a ring of bytes (pipe_ring.c) under a mutex: data moves straight between user memory
 * and the ring, and that may fault and sleep. The atomicity of small writes comes with it.
 *
 * Waking is what a pipe costs, so nobody is woken for nothing. Readers sleep only while the pipe is
 * empty, writers only while there is no room for what is atomic; the byte that ends such a state
 * wakes one of them, and one that leaves something behind wakes the next. Who waits in poll() is on
 * a list of its own (`watchers`), which are all woken: they take nothing away.
 *
 * poll() may not sleep for the mutex; it reads `ring.used` and the counts as they are. A change
 * is always followed by a look at the watchers' list, and a watcher puts itself there before it
 * looks.
 *
 * A FIFO is a name for a pipe: vn->pipe, which exists while somebody has the FIFO open.
 */
#include "internal.h"
#include "pipe.h"
#include "pipe_ring.h"

#include <fs.h>
#include <parvix/fcntl.h>
#include <parvix/termios.h>
#include <proc.h>
#include <usercopy.h>

struct pipe {
	mutex_t lock;
	struct pipe_ring ring;
	struct waitq rd_wait, wr_wait, watchers;
	unsigned readers, writers;   /* open files */
	unsigned rd_opens, wr_opens; /* that there ever were: open() of a FIFO waits for a change */
	bool nameless;               /* made by pipe2(): open() by /proc waits for nobody */
	unsigned users; /* open files, opens under way, links below /proc; users_lock */
	struct waitq open_wait;
	uint64_t id;
};

/* pipe->users, and vn->pipe of all FIFOs. */
static spinlock_t users_lock = SPINLOCK("pipe users");
static uint64_t next_id = 1;

/* In all pipes. With a sixteenth of memory in them, each holds PIPE_BUF bytes only: who fills pipes
 * that nobody reads does not get the memory that others work with. */
static unsigned long pages_held;

char *pipe_page_alloc(void)
{
	struct page *pg = page_alloc(0, 0);

	if (!pg)
		return NULL;
	__atomic_fetch_add(&pages_held, 1, __ATOMIC_RELAXED);
	return page_va(pg);
}

void pipe_page_free(char *page)
{
	__atomic_fetch_sub(&pages_held, 1, __ATOMIC_RELAXED);
	page_put(pfn_page(va_pfn(page)));
}

static size_t room(const struct pipe *p)
{
	size_t used = READ_ONCE(p->ring.used);

	if (READ_ONCE(pages_held) < pages_total() / 16)
		return PIPE_SIZE - used;
	return used < PIPE_BUF ? PIPE_BUF - used : 0;
}

static struct pipe *pipe_new(void)
{
	struct pipe *p = kmalloc(sizeof(*p), ALLOC_ZERO);

	if (!p)
		return NULL;
	mutex_init(&p->lock, "pipe");
	waitq_init(&p->rd_wait);
	waitq_init(&p->wr_wait);
	waitq_init(&p->watchers);
	waitq_init(&p->open_wait);
	p->users = 1;
	p->id = __atomic_fetch_add(&next_id, 1, __ATOMIC_RELAXED);
	return p;
}

static void pipe_free(struct pipe *p)
{
	ring_free(&p->ring);
	kfree(p);
}

static void wake_one(struct waitq *wq)
{
	if (!list_empty(&wq->waiters))
		waitq_wake_one(wq);
}

static void wake_all(struct waitq *wq)
{
	if (!list_empty(&wq->waiters))
		waitq_wake_all(wq);
}

/* ---- reading ---- */

/* The lock is held, and kept. 0: there is something, or (ring empty) no writer is left. */
static int wait_data(struct pipe *p, bool nonblock)
{
	while (p->ring.used == 0 && p->writers > 0) {
		int err = nonblock ? -EAGAIN
				   : sleep_on_mutex(&p->rd_wait, &p->lock, SLEEP_INTR, KTIME_NEVER);

		if (err) {
			/* The wake-up may have been the one that somebody else needs. */
			if (p->ring.used)
				wake_one(&p->rd_wait);
			return err;
		}
	}
	return 0;
}

ssize_t ring_read(struct pipe_ring *r, size_t at, struct uio *uio, size_t n)
{
	size_t end = at + min(n, uio->resid), done = at;

	while (done < end) {
		size_t part = end - done;
		char *from = ring_out(r, done, &part);
		ssize_t moved = from ? uio_to(uio, from, part) : 0;

		if (moved <= 0)
			return done > at ? (ssize_t)(done - at) : moved;
		done += part;
	}
	return (ssize_t)(done - at);
}

static ssize_t pipe_read(struct file *f, struct uio *uio, uint64_t *pos)
{
	struct pipe *p = f->private;
	bool roomy, more;
	ssize_t done;
	int err;

	(void)pos;
	if (uio->resid == 0)
		return 0;
	mutex_lock(&p->lock);
	err = wait_data(p, f->flags & O_NONBLOCK);
	if (err) {
		mutex_unlock(&p->lock);
		return err;
	}
	done = ring_read(&p->ring, 0, uio, p->ring.used);
	if (done > 0)
		ring_take(&p->ring, (size_t)done);
	more = p->ring.used > 0;
	roomy = room(p) >= PIPE_BUF;
	mutex_unlock(&p->lock);
	if (more)
		wake_one(&p->rd_wait);
	if (roomy) {
		wake_one(&p->wr_wait);
		wake_all(&p->watchers);
	}
	if (f->vnode && done > 0)
		vnode_touch_access(f->vnode);
	return done;
}

/* ---- writing ---- */

/* Room for a first piece of @n bytes: all of it if it must go in as one. */
static bool enough_room(const struct pipe *p, size_t n)
{
	return room(p) >= (n <= PIPE_BUF ? n : 1);
}

static int wait_room(struct pipe *p, size_t n, bool nonblock)
{
	while (p->readers > 0 && !enough_room(p, n)) {
		int err;

		if (nonblock)
			return -EAGAIN;
		/* Somebody may wait for what is in there, and not know yet. */
		wake_one(&p->rd_wait);
		wake_all(&p->watchers);
		err = sleep_on_mutex(&p->wr_wait, &p->lock, SLEEP_INTR, KTIME_NEVER);
		if (err) {
			if (room(p) >= PIPE_BUF)
				wake_one(&p->wr_wait);
			return err;
		}
	}
	return p->readers > 0 ? 0 : -EPIPE;
}

ssize_t ring_write(struct pipe_ring *r, struct uio *uio, size_t n, bool whole)
{
	size_t used = r->used;

	if (whole && !ring_prepare(r, n))
		return -ENOMEM;
	for (size_t done = 0; done < n;) {
		size_t part = n - done;
		char *to = ring_in(r, &part);
		ssize_t moved = to ? uio_from(uio, to, part) : -ENOMEM;

		if (moved < 0) {
			if (whole)
				r->used = used;
			else if (done)
				return (ssize_t)done;
			return moved;
		}
		ring_put(r, part);
		done += part;
	}
	return (ssize_t)n;
}

static ssize_t pipe_write(struct file *f, struct uio *uio, uint64_t *pos)
{
	struct pipe *p = f->private;
	bool was_empty, roomy;
	ssize_t done = 0;
	int err = 0;

	(void)pos;
	if (uio->resid == 0)
		return 0;
	mutex_lock(&p->lock);
	was_empty = p->ring.used == 0;
	while (uio->resid > 0) {
		ssize_t n;

		err = wait_room(p, done ? 1 : uio->resid, f->flags & O_NONBLOCK);
		if (err)
			break;
		was_empty |= p->ring.used == 0;
		n = (ssize_t)min(uio->resid, room(p));
		/* A small write goes in as a whole or not at all. */
		n = ring_write(&p->ring, uio, (size_t)n, n <= PIPE_BUF);
		if (n < 0) {
			err = n;
			break;
		}
		done += n;
	}
	roomy = room(p) >= PIPE_BUF;
	mutex_unlock(&p->lock);
	if (was_empty && done) {
		wake_one(&p->rd_wait);
		wake_all(&p->watchers);
	}
	if (roomy)
		wake_one(&p->wr_wait);
	if (f->vnode && done && !mount_readonly(f->vnode->mount))
		vnode_touch(f->vnode, false, true);
	if (err == -EPIPE)
		signal_tkill(current->tid, SIGPIPE);
	return done ? done : err;
}

/* ---- the rest of a file ---- */

static unsigned pipe_poll(struct file *f, struct poll_table *pt)
{
	struct pipe *p = f->private;
	unsigned mode = f->flags & O_ACCMODE, events = 0;

	poll_wait(pt, &p->watchers);
	if (mode != O_WRONLY) {
		if (READ_ONCE(p->ring.used) > 0)
			events |= POLLIN | POLLRDNORM;
		/* f->pos: writers that had come before this open. No hang-up before the first. */
		if (READ_ONCE(p->writers) == 0 && READ_ONCE(p->wr_opens) != f->pos)
			events |= POLLHUP;
	}
	if (mode != O_RDONLY) {
		if (room(p) >= PIPE_BUF)
			events |= POLLOUT | POLLWRNORM;
		if (READ_ONCE(p->readers) == 0)
			events |= POLLERR;
	}
	return events;
}

static int pipe_ioctl(struct file *f, unsigned long req, uaddr_t arg)
{
	struct pipe *p = f->private;

	if (req != FIONREAD)
		return -ENOTTY;
	return put_user(arg, (int)READ_ONCE(p->ring.used));
}

static void close_end(struct pipe *p, unsigned mode)
{
	mutex_lock(&p->lock);
	if (mode != O_WRONLY)
		p->readers--;
	if (mode != O_RDONLY)
		p->writers--;
	mutex_unlock(&p->lock);
	/* The other end looks again: end of file, or EPIPE. */
	wake_all(&p->rd_wait);
	wake_all(&p->wr_wait);
	wake_all(&p->watchers);
}

/* Give up a use; the last one frees the pipe. @vn: the FIFO that it was opened by, or NULL. */
static void pipe_unuse(struct vnode *vn, struct pipe *p)
{
	bool last;

	spin_lock(&users_lock);
	last = --p->users == 0;
	if (last && vn)
		vn->pipe = NULL;
	spin_unlock(&users_lock);
	if (last)
		pipe_free(p);
}

static void pipe_release(struct file *f)
{
	close_end(f->private, f->flags & O_ACCMODE);
	pipe_unuse(f->vnode, f->private);
}

static const struct file_ops pipe_file_ops = {
	.read = pipe_read,
	.write = pipe_write,
	.poll = pipe_poll,
	.ioctl = pipe_ioctl,
	.release = pipe_release,
	.no_seek = true,
};

int pipe_create(struct file **rd, struct file **wr, unsigned flags)
{
	struct pipe *p = pipe_new();

	if (!p)
		return -ENOMEM;
	flags &= O_NONBLOCK;
	p->users = 2;
	p->nameless = true;
	*rd = file_alloc(&pipe_file_ops, NULL, O_RDONLY | flags, p);
	*wr = file_alloc(&pipe_file_ops, NULL, O_WRONLY | flags, p);
	p->readers = p->rd_opens = 1;
	p->writers = p->wr_opens = 1;
	if (*rd && *wr)
		return 0;
	if (*rd)
		file_put(*rd);
	if (*wr)
		file_put(*wr);
	/* The uses of those that were not made. */
	if (!*rd)
		pipe_unuse(NULL, p);
	if (!*wr)
		pipe_unuse(NULL, p);
	*rd = *wr = NULL;
	return -ENFILE;
}

/* ---- FIFOs ---- */

/* The FIFO's pipe with one more use; NULL: no memory. */
static struct pipe *fifo_use(struct vnode *vn)
{
	struct pipe *fresh = NULL, *p;

	for (;;) {
		spin_lock(&users_lock);
		p = vn->pipe;
		if (p)
			p->users++;
		else
			vn->pipe = p = fresh;
		spin_unlock(&users_lock);
		if (p && p != fresh && fresh)
			pipe_free(fresh);
		if (p)
			return p;
		fresh = pipe_new();
		if (!fresh)
			return NULL;
	}
}

/* Wait until somebody has opened the other end since we came: @opens changes from @seen. */
static int wait_peer(struct pipe *p, const unsigned *opens, unsigned seen)
{
	int err = 0;

	while (!err && *opens == seen)
		err = sleep_on_mutex(&p->open_wait, &p->lock, SLEEP_INTR, KTIME_NEVER);
	return err;
}

int fifo_open(struct vnode *vn, struct file *f)
{
	unsigned mode = f->flags & O_ACCMODE;
	bool nonblock = f->flags & O_NONBLOCK;
	struct pipe *p = fifo_use(vn);
	int err = 0;

	if (!p)
		return -ENOMEM;
	mutex_lock(&p->lock);
	if (mode == O_WRONLY && nonblock && p->readers == 0 && !p->nameless) {
		mutex_unlock(&p->lock);
		pipe_unuse(vn, p);
		return -ENXIO;
	}
	if (mode != O_WRONLY) {
		p->readers++;
		p->rd_opens++;
	}
	if (mode != O_RDONLY) {
		p->writers++;
		p->wr_opens++;
	}
	wake_all(&p->open_wait);
	f->pos = p->writers ? p->wr_opens - 1 : p->wr_opens; /* see pipe_poll() */
	if (!p->nameless && mode == O_RDONLY && p->writers == 0 && !nonblock)
		err = wait_peer(p, &p->wr_opens, p->wr_opens);
	else if (!p->nameless && mode == O_WRONLY && p->readers == 0)
		err = wait_peer(p, &p->rd_opens, p->rd_opens);
	mutex_unlock(&p->lock);
	if (err) {
		close_end(p, mode);
		pipe_unuse(vn, p);
		return err;
	}
	f->ops = &pipe_file_ops;
	f->private = p;
	return 0;
}

/* ---- for /proc/PID/fd ---- */

struct pipe *pipe_of(struct file *f)
{
	return f->ops == &pipe_file_ops ? f->private : NULL;
}

uint64_t pipe_id(const struct pipe *p)
{
	return p->id;
}

void pipe_hold(struct pipe *p)
{
	spin_lock(&users_lock);
	p->users++;
	spin_unlock(&users_lock);
}

void pipe_drop(struct pipe *p)
{
	pipe_unuse(NULL, p);
}
