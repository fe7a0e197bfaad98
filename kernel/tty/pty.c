/* SPDX-License-Identifier: MIT */
/*
 * Pseudo-terminals: a terminal whose device is a program.
 *
 *	open("/dev/ptmx")  the master: a new pair; who reads it sees what is written to the slave,
 *	                   who writes to it types
 *	/dev/pts/N         the slave: a terminal as any other, with the line discipline, sessions,
 *	                   job control; locked until the master's TIOCSPTLCK (unlockpt)
 *
 * The struct tty is the slave's. The master is its device: output goes into a ring that the
 * master's reads empty, guarded by tty->lock like everything of the terminal; what the master
 * writes is tty_input(), as far as there is room, so that nothing is lost.
 *
 * The node in /dev/pts belongs to whoever opened the master; so there is nothing to be granted.
 * When the master is closed, the terminal hangs up, as if a plug were pulled; the memory goes with
 * the last one who has the slave open, and only then may the number be used again. When the last
 * slave is closed, the master reads what is left and then EIO, until somebody opens it again.
 */
#include "ldisc.h"
#include "tty.h"

#include <parvix/fcntl.h>
#include <printk.h>
#include <proc.h>
#include <string.h>
#include <usercopy.h>

#define PTYS 64
#define RING 4096 /* a power of two */
#define PIECE 512
#define MAJOR_TTY 5
#define MAJOR_PTS 136
#define GID_TTY 5

struct pty {
	struct tty tty;
	struct tty_device dev;
	struct waitq wait; /* the master's reader and writer */
	unsigned number;
	bool locked, opened; /* opened: the slave has been, at least once */
	unsigned head, tail; /* of the ring; they count up for ever */
	char ring[RING];
};

/* Numbers stay in the list of devices once they were used. */
static struct slot {
	struct char_device cd;
	struct pty *pty;
	char name[8];
} slots[PTYS];
static spinlock_t slots_lock = SPINLOCK("ptys"); /* outside of tty->lock */

static struct pty *pty_of(struct tty_device *dev)
{
	return container_of(dev, struct pty, dev);
}

/* ---- the device below the slave; tty->lock is held unless said ---- */

static size_t pty_write(struct tty_device *dev, const char *buf, size_t n)
{
	struct pty *p = pty_of(dev);

	n = min(n, (size_t)RING - (p->tail - p->head));
	for (size_t done = 0; done < n;) {
		size_t at = p->tail % RING, part = min(n - done, RING - at);

		memcpy(p->ring + at, buf + done, part);
		p->tail += part;
		done += part;
	}
	if (n)
		waitq_wake_all(&p->wait);
	return n;
}

static void pty_drop(struct tty_device *dev)
{
	pty_of(dev)->head = pty_of(dev)->tail;
}

static void pty_idle(struct tty_device *dev)
{
	waitq_wake_all(&pty_of(dev)->wait);
}

/* Not held. */
static void pty_input_wanted(struct tty_device *dev)
{
	waitq_wake_all(&pty_of(dev)->wait);
}

/* Not held: nobody has it any more. */
static void pty_release(struct tty_device *dev)
{
	struct pty *p = pty_of(dev);

	spin_lock(&slots_lock);
	slots[p->number].pty = NULL;
	spin_unlock(&slots_lock);
	kfree(p);
}

/* ---- the master ---- */

static struct pty *master_pty(struct file *f)
{
	return container_of((struct tty *)f->private, struct pty, tty);
}

static bool slave_closed(const struct pty *p)
{
	return p->opened && p->tty.users == 1;
}

static size_t ring_take(struct pty *p, char *buf, size_t n)
{
	size_t at = p->head % RING;

	n = min(n, (size_t)(p->tail - p->head));
	n = min(n, RING - at);
	memcpy(buf, p->ring + at, n);
	p->head += n;
	return n;
}

static ssize_t master_read(struct file *f, struct uio *uio, uint64_t *pos)
{
	struct pty *p = master_pty(f);
	struct tty *tty = &p->tty;
	ssize_t done = 0, moved;
	char buf[PIECE];
	int err = 0;

	(void)pos;
	while (uio->resid > 0) {
		size_t n;

		spin_lock(&tty->lock);
		while (!(n = ring_take(p, buf, min(uio->resid, sizeof(buf)))) && !done && !err) {
			if (slave_closed(p))
				err = -EIO;
			else if (f->flags & O_NONBLOCK)
				err = -EAGAIN;
			else
				err = sleep_on(&p->wait, &tty->lock, SLEEP_INTR, KTIME_NEVER);
		}
		spin_unlock(&tty->lock);
		if (n == 0)
			break;
		tty_output_ready(tty);
		moved = uio_to(uio, buf, n);
		if (moved < 0)
			return done ? done : moved;
		done += moved;
	}
	/* With output gone there may be room for the echo of more input. */
	waitq_wake_all(&p->wait);
	return done ? done : err;
}

static int wait_room(struct pty *p, bool nonblock, size_t *room)
{
	int err = 0;

	spin_lock(&p->tty.lock);
	while (!(*room = ldisc_input_room(&p->tty)) && !err)
		err = nonblock ? -EAGAIN
			       : sleep_on(&p->wait, &p->tty.lock, SLEEP_INTR, KTIME_NEVER);
	spin_unlock(&p->tty.lock);
	return err;
}

static ssize_t master_write(struct file *f, struct uio *uio, uint64_t *pos)
{
	struct pty *p = master_pty(f);
	ssize_t done = 0, n = 0;
	char buf[PIECE];
	size_t room;

	(void)pos;
	while (uio->resid > 0 && n >= 0) {
		n = wait_room(p, f->flags & O_NONBLOCK, &room);
		if (!n)
			n = uio_from(uio, buf, min(room, sizeof(buf)));
		if (n > 0) {
			tty_input(&p->tty, buf, n);
			done += n;
		}
	}
	return done ? done : n;
}

static unsigned master_poll(struct file *f, struct poll_table *pt)
{
	struct pty *p = master_pty(f);
	unsigned events = 0;

	poll_wait(pt, &p->wait);
	spin_lock(&p->tty.lock);
	if (p->tail != p->head)
		events |= POLLIN | POLLRDNORM;
	if (slave_closed(p))
		events |= POLLHUP;
	if (ldisc_input_room(&p->tty))
		events |= POLLOUT | POLLWRNORM;
	spin_unlock(&p->tty.lock);
	return events;
}

static int master_ioctl(struct file *f, unsigned long req, uaddr_t arg)
{
	struct pty *p = master_pty(f);
	int n;

	switch (req) {
	case TIOCGPTN:
		return put_user(arg, p->number);
	case TIOCSPTLCK:
		if (get_user(n, arg))
			return -EFAULT;
		p->locked = n != 0;
		return 0;
	case FIONREAD:
		n = p->tail - p->head;
		return put_user(arg, n);
	default:
		return tty_ioctl(f, req, arg);
	}
}

static void master_release(struct file *f)
{
	struct pty *p = master_pty(f);

	slots[p->number].cd.absent = true;
	tty_hangup(&p->tty);
}

const struct file_ops pty_master_ops = {
	.read = master_read,
	.write = master_write,
	.poll = master_poll,
	.ioctl = master_ioctl,
	.release = master_release,
	.no_seek = true,
};

/* ---- opening ---- */

static int slave_open(struct file *f)
{
	struct slot *s = &slots[f->vnode->rdev % PTYS];
	struct pty *p;
	bool have;

	spin_lock(&slots_lock);
	p = s->pty;
	have = p && !p->locked && tty_get(&p->tty);
	if (have)
		p->opened = true;
	spin_unlock(&slots_lock);
	if (!have)
		return -EIO;
	tty_open(f, &p->tty);
	tty_put(&p->tty);
	return 0;
}

/* Put @p in the first free place. -EAGAIN: there is none. */
static int take_slot(struct pty *p)
{
	struct slot *s = NULL;

	spin_lock(&slots_lock);
	for (p->number = 0; p->number < PTYS && !s; p->number++)
		if (!slots[p->number].pty)
			s = &slots[p->number];
	if (s) {
		s->pty = p;
		p->number = s - slots;
	}
	spin_unlock(&slots_lock);
	return s ? 0 : -EAGAIN;
}

/* The node in /dev/pts: a new one, though the number may have been there before. */
static void publish(struct slot *s)
{
	struct char_device *cd = &s->cd;
	bool known = cd->ops != NULL;

	cd->uid = current_proc() ? current_proc()->cred.euid : 0;
	cd->gid = GID_TTY;
	cd->serial++;
	if (known) {
		cd->absent = false;
		return;
	}
	*cd = (struct char_device){.name = s->name,
				   .dev = MKDEV(MAJOR_PTS, s - slots),
				   .mode = 0620,
				   .uid = cd->uid,
				   .gid = cd->gid,
				   .serial = cd->serial,
				   .ops = &tty_file_ops,
				   .open = slave_open};
	chrdev_register(cd);
}

static int ptmx_open(struct file *f)
{
	struct pty *p = kmalloc(sizeof(*p), ALLOC_ZERO);
	struct slot *s;
	int err;

	if (!p)
		return -ENOMEM;
	waitq_init(&p->wait);
	p->locked = true;
	p->dev = (struct tty_device){.write = pty_write,
				     .drop_output = pty_drop,
				     .idle = pty_idle,
				     .input_wanted = pty_input_wanted,
				     .release = pty_release};
	tty_setup(&p->tty, "pts/?", &p->dev);
	p->tty.winsize = (struct winsize){0};
	err = take_slot(p);
	if (err) {
		kfree(p);
		return err;
	}
	s = &slots[p->number];
	snprintk(s->name, sizeof(s->name), "pts/%u", p->number);
	p->tty.name = s->name;
	publish(s);
	f->ops = &pty_master_ops;
	f->private = &p->tty;
	return 0;
}

static struct char_device ptmx_chrdev = {
	.name = "ptmx",
	.dev = MKDEV(MAJOR_TTY, 2),
	.mode = 0666,
	.gid = GID_TTY,
	.ops = &pty_master_ops,
	.open = ptmx_open,
};

void pty_init(void)
{
	chrdev_register(&ptmx_chrdev);
}
