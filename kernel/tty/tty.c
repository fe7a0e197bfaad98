/* SPDX-License-Identifier: MIT */
/*
 * Terminals as files: read, write, poll; and the side of the device: bytes typed, output accepted.
 *
 * The line discipline (ldisc.c) does the work on bytes under tty->lock, interrupts off. User memory
 * cannot be touched under a spinlock, so data goes through a buffer on the kernel stack, a piece at
 * a time; that also bounds how long interrupts stay off, and makes one call to the device of each
 * piece: under a hypervisor the call costs more than the bytes.
 */
#include "ldisc.h"
#include "tty.h"

#include <machine.h>
#include <parvix/fcntl.h>
#include <printk.h>
#include <proc.h>
#include <record.h>
#include <string.h>

#define PIECE 512

void tty_setup(struct tty *tty, const char *name, struct tty_device *dev)
{
	memset(tty, 0, sizeof(*tty));
	spin_init(&tty->lock, "tty");
	waitq_init(&tty->read_wait);
	waitq_init(&tty->write_wait);
	tty->name = name;
	tty->dev = dev;
	tty->users = 1;
	ldisc_init(tty);
}

const char *tty_name(const struct tty *tty)
{
	return tty ? tty->name : "-";
}

struct tty *file_tty(struct file *f)
{
	return f->ops == &tty_file_ops || f->ops == &pty_master_ops ? f->private : NULL;
}

bool tty_get(struct tty *tty)
{
	bool gone;

	spin_lock(&tty->lock);
	gone = tty->gone;
	tty->users += !gone;
	spin_unlock(&tty->lock);
	return !gone;
}

void tty_put(struct tty *tty)
{
	struct tty_device *dev = tty->dev;
	bool last;

	spin_lock(&tty->lock);
	last = --tty->users == 0;
	if (tty->users == 1 && !tty->gone && dev->idle)
		dev->idle(dev);
	spin_unlock(&tty->lock);
	if (last && dev->release)
		dev->release(dev);
}

static void tty_release(struct file *f)
{
	tty_put(f->private);
}

int tty_open(struct file *f, struct tty *tty)
{
	if (!tty_get(tty))
		return -EIO;
	f->ops = &tty_file_ops;
	f->private = tty;
	if (!(f->flags & O_NOCTTY))
		tty_acquire(tty, false); /* where it is not due, nothing happens */
	return 0;
}

/* ---- the device's side ---- */

void tty_input(struct tty *tty, const char *buf, size_t n)
{
	size_t i = 0;

	while (i < n) {
		bool writable, ready;
		pid_t pgrp;
		int sig = 0;

		spin_lock(&tty->lock);
		writable = ldisc_writable(tty);
		while (i < n && !sig)
			sig = ldisc_input(tty, buf[i++]);
		ldisc_flush(tty);
		ready = ldisc_ready(tty);
		writable = !writable && ldisc_writable(tty);
		pgrp = tty->pgrp;
		spin_unlock(&tty->lock);
		if (sig && pgrp > 0)
			signal_send_group(pgrp, sig, NULL);
		if (ready)
			waitq_wake_all(&tty->read_wait);
		if (writable)
			waitq_wake_all(&tty->write_wait);
	}
}

size_t tty_input_room(struct tty *tty)
{
	size_t room;

	spin_lock(&tty->lock);
	room = ldisc_input_room(tty);
	spin_unlock(&tty->lock);
	return room;
}

void tty_set_device(struct tty *tty, struct tty_device *dev)
{
	spin_lock(&tty->lock);
	tty->dev = dev;
	spin_unlock(&tty->lock);
}

void tty_hangup(struct tty *tty)
{
	struct proc *leader;
	pid_t session;

	spin_lock(&tty->lock);
	tty->gone = true;
	tty->out_len = 0;
	ldisc_flush_input(tty);
	session = tty->session;
	spin_unlock(&tty->lock);
	spin_lock(&proc_lock);
	leader = session ? proc_find(session) : NULL;
	if (leader)
		signal_send(leader, SIGHUP, NULL);
	spin_unlock(&proc_lock);
	tty_disconnect(tty, session);
	tty_put(tty);
}

void tty_output_ready(struct tty *tty)
{
	bool wake;

	spin_lock(&tty->lock);
	wake = tty->out_len > 0;
	ldisc_flush(tty);
	spin_unlock(&tty->lock);
	if (wake)
		waitq_wake_all(&tty->write_wait);
}

/* ---- reading ---- */

/*
 * Raw mode: MIN and TIME make four cases. MIN 0: what is there, waiting at most TIME for the first
 * byte. MIN > 0: wait for MIN bytes, but once there is one, no longer than TIME between two of
 * them; TIME 0: for ever.
 */
static int wait_raw(struct tty *tty, size_t want)
{
	size_t least = tty->termios.c_cc[VMIN], had = ldisc_readable(tty), have;
	ktime_t time = tty->termios.c_cc[VTIME] * (NSEC_PER_SEC / 10);
	ktime_t deadline = time && (least == 0 || had) ? clock_now() + time : KTIME_NEVER;
	int err;

	if (least == 0 && time == 0)
		return 0;
	while ((have = ldisc_readable(tty)) < max(min(least, want), (size_t)1)) {
		if (ldisc_canonical(tty) || tty->gone)
			return -EAGAIN; /* the mode has been changed meanwhile */
		if (time && least && have != had) {
			deadline = clock_now() + time;
			had = have;
		}
		err = sleep_on(&tty->read_wait, &tty->lock, SLEEP_INTR, deadline);
		if (err == -ETIMEDOUT && ldisc_readable(tty) == have)
			return 0;
		/* What is there already is not lost to a signal. */
		if (err == -ERESTART)
			return have ? 0 : err;
	}
	return 0;
}

/* Wait until a read of @want bytes can be served. 0, -EAGAIN, -ERESTART. Lock held. */
static int wait_input(struct tty *tty, size_t want, bool nonblock)
{
	int err = 0;

	while (!err) {
		/* Group and mode may change while we sleep: look again each time. */
		spin_unlock(&tty->lock);
		err = tty_check_background(tty, SIGTTIN);
		spin_lock(&tty->lock);
		if (tty->gone)
			return 0; /* the end of the file */
		if (err)
			break;
		if (!ldisc_canonical(tty)) {
			if (nonblock && ldisc_readable(tty) == 0)
				return tty->termios.c_cc[VMIN] == 0 ? 0 : -EAGAIN;
			if (nonblock)
				return 0;
			err = wait_raw(tty, want);
			if (err != -EAGAIN)
				return err;
			err = 0;
			continue;
		}
		if (ldisc_ready(tty))
			return 0;
		if (nonblock)
			return -EAGAIN;
		err = sleep_on(&tty->read_wait, &tty->lock, SLEEP_INTR, KTIME_NEVER);
	}
	return err;
}

/* Room has been made for input. */
void tty_input_wanted(struct tty *tty)
{
	struct tty_device *dev = tty->dev;

	if (dev->input_wanted)
		dev->input_wanted(dev);
}

static ssize_t tty_read(struct file *f, struct uio *uio, uint64_t *pos)
{
	struct tty *tty = f->private;
	static bool prompted;
	size_t want = min(uio->resid, (size_t)TTY_BUF), n = 0;
	char small[PIECE], *buf = small;
	ssize_t moved;
	bool eof, more;
	int err;

	(void)pos;
	if (want == 0)
		return 0;
	if (!prompted) { /* the first that wants to know what was typed */
		prompted = true;
		boot_mark("prompt");
	}
	/* A line is one read: it is taken out in one go, so that two readers do not share it. */
	if (want > sizeof(small)) {
		buf = kmalloc(want, 0);
		if (!buf) {
			buf = small;
			want = sizeof(small);
		}
	}
	spin_lock(&tty->lock);
	err = wait_input(tty, want, f->flags & O_NONBLOCK);
	if (!err)
		n = ldisc_read(tty, buf, want, &eof);
	more = ldisc_ready(tty);
	spin_unlock(&tty->lock);
	if (more)
		waitq_wake_one(&tty->read_wait);
	tty_input_wanted(tty);
	moved = err ? err : uio_to(uio, buf, n);
	if (buf != small)
		kfree(buf);
	return moved;
}

/* ---- writing ---- */

static int wait_output(struct tty *tty)
{
	int err = sleep_on(&tty->write_wait, &tty->lock, SLEEP_INTR, KTIME_NEVER);

	return tty->gone ? -EIO : err;
}

int tty_drain(struct tty *tty)
{
	int err = 0;

	while (!err && !ldisc_flush(tty))
		err = wait_output(tty);
	return err;
}

/* Send @n bytes; how many went, or an error if none did. */
static ssize_t write_piece(struct tty *tty, const char *buf, size_t n, bool nonblock)
{
	size_t done = 0;
	int err = 0;

	spin_lock(&tty->lock);
	if (tty->gone)
		err = -EIO;
	while (!err) {
		done += ldisc_output(tty, buf + done, n - done);
		ldisc_flush(tty);
		if (done == n)
			break;
		if (ldisc_writable(tty))
			continue;
		err = nonblock ? -EAGAIN : wait_output(tty);
	}
	/* What is left in the buffer goes out when the device, or ^Q, says so. */
	spin_unlock(&tty->lock);
	return done ? (ssize_t)done : err;
}

static ssize_t tty_write(struct file *f, struct uio *uio, uint64_t *pos)
{
	struct tty *tty = f->private;
	char buf[PIECE];
	ssize_t done = 0;
	int err = 0;

	(void)pos;
	if (tty->termios.c_lflag & TOSTOP)
		err = tty_check_background(tty, SIGTTOU);
	while (!err && uio->resid > 0) {
		ssize_t n = uio_from(uio, buf, min(uio->resid, sizeof(buf)));
		ssize_t sent = n < 0 ? n : write_piece(tty, buf, n, f->flags & O_NONBLOCK);

		if (sent < 0) {
			err = sent;
			break;
		}
		done += sent;
		if (sent < n)
			break;
		if (uio->resid > 0 && thread_interrupted())
			break;
	}
	return done ? done : err;
}

static unsigned tty_poll(struct file *f, struct poll_table *pt)
{
	struct tty *tty = f->private;
	unsigned events = 0, least = 1;

	poll_wait(pt, &tty->read_wait);
	poll_wait(pt, &tty->write_wait);
	spin_lock(&tty->lock);
	if (ldisc_canonical(tty)) {
		if (ldisc_ready(tty))
			events |= POLLIN | POLLRDNORM;
	} else {
		if (tty->termios.c_cc[VTIME] == 0 && tty->termios.c_cc[VMIN] > 0)
			least = tty->termios.c_cc[VMIN];
		if (ldisc_readable(tty) >= least)
			events |= POLLIN | POLLRDNORM;
	}
	if (ldisc_writable(tty))
		events |= POLLOUT | POLLWRNORM;
	if (tty->gone)
		events |= POLLIN | POLLOUT | POLLHUP | POLLERR;
	spin_unlock(&tty->lock);
	return events;
}

const struct file_ops tty_file_ops = {
	.read = tty_read,
	.write = tty_write,
	.poll = tty_poll,
	.ioctl = tty_ioctl,
	.release = tty_release,
	.no_seek = true,
};
