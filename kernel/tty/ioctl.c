/* SPDX-License-Identifier: MIT */
/* Requests to a terminal: settings, size, flow, flushing, job control. */
#include "ldisc.h"
#include "tty.h"

#include <proc.h>
#include <string.h>
#include <usercopy.h>

/* req: TCSETS, or with TCSADRAIN or TCSAFLUSH added. */
static int set_termios(struct tty *tty, unsigned long req, uaddr_t arg)
{
	struct termios wanted;
	int err;

	if (get_user(wanted, arg))
		return -EFAULT;
	err = tty_check_background(tty, SIGTTOU);
	if (err)
		return err;
	spin_lock(&tty->lock);
	if (req != TCSETS)
		err = tty_drain(tty);
	if (!err) {
		if (req == TCSETSF)
			ldisc_flush_input(tty);
		ldisc_set_termios(tty, &wanted);
		/* Without IXON there would be no key to go on with. */
		if (!(wanted.c_iflag & IXON))
			tty->stopped = false;
		ldisc_flush(tty);
	}
	spin_unlock(&tty->lock);
	/* A waiting reader may be served in the new mode, and output may go on. */
	waitq_wake_all(&tty->read_wait);
	waitq_wake_all(&tty->write_wait);
	tty_input_wanted(tty);
	return err;
}

void tty_resize(struct tty *tty, const struct winsize *size)
{
	bool changed;
	pid_t pgrp;

	spin_lock(&tty->lock);
	changed = memcmp(&tty->winsize, size, sizeof(*size)) != 0;
	tty->winsize = *size;
	pgrp = tty->pgrp;
	spin_unlock(&tty->lock);
	if (changed && pgrp > 0)
		signal_send_group(pgrp, SIGWINCH, NULL);
}

static int set_winsize(struct tty *tty, uaddr_t arg)
{
	struct winsize wanted;

	if (get_user(wanted, arg))
		return -EFAULT;
	tty_resize(tty, &wanted);
	return 0;
}

static int flush(struct tty *tty, unsigned long which)
{
	int err;

	if (which > TCIOFLUSH)
		return -EINVAL;
	err = tty_check_background(tty, SIGTTOU);
	if (err)
		return err;
	spin_lock(&tty->lock);
	if (which != TCOFLUSH)
		ldisc_flush_input(tty);
	if (which != TCIFLUSH)
		ldisc_drop_output(tty);
	spin_unlock(&tty->lock);
	if (which != TCIFLUSH)
		waitq_wake_all(&tty->write_wait);
	tty_input_wanted(tty);
	return 0;
}

static int flow(struct tty *tty, unsigned long action)
{
	int err;

	if (action > TCION)
		return -EINVAL;
	err = tty_check_background(tty, SIGTTOU);
	if (err)
		return err;
	spin_lock(&tty->lock);
	if (action == TCOOFF) {
		tty->stopped = true;
	} else if (action == TCOON) {
		tty->stopped = false;
	} else {
		ldisc_send_flow(tty, action == TCIOFF);
	}
	spin_unlock(&tty->lock);
	if (action == TCOON)
		tty_output_ready(tty);
	return 0;
}

static int drain(struct tty *tty)
{
	int err = tty_check_background(tty, SIGTTOU);

	if (err)
		return err;
	spin_lock(&tty->lock);
	err = tty_drain(tty);
	spin_unlock(&tty->lock);
	return err;
}

static int set_pgrp(struct tty *tty, uaddr_t arg)
{
	pid_t pgrp;
	int err;

	if (get_user(pgrp, arg))
		return -EFAULT;
	/* A shell that puts itself forward from the background has SIGTTOU blocked or ignored. */
	err = tty_check_background(tty, SIGTTOU);
	return err ? err : tty_set_pgrp(tty, pgrp);
}

/* What belongs to the session is told to its members, and to a pseudo-terminal's master. */
static int put_if_ours(struct file *f, uaddr_t arg, pid_t what)
{
	if (f->ops == &tty_file_ops && current_proc()->ctty != f->private)
		return -ENOTTY;
	return put_user(arg, what);
}

static int put_count(struct tty *tty, uaddr_t arg, bool input)
{
	int n;

	spin_lock(&tty->lock);
	n = input ? ldisc_readable(tty) : tty->out_len;
	spin_unlock(&tty->lock);
	return put_user(arg, n);
}

int tty_ioctl(struct file *f, unsigned long req, uaddr_t arg)
{
	struct tty *tty = f->private;
	struct termios termios;
	struct winsize winsize;

	if (tty->gone)
		return -EIO;
	switch (req) {
	case TCGETS:
		spin_lock(&tty->lock);
		termios = tty->termios;
		spin_unlock(&tty->lock);
		return put_user(arg, termios);
	case TCSETS:
	case TCSETSW:
	case TCSETSF:
		return set_termios(tty, req, arg);
	case TCSBRK: /* a break cannot be sent here: argument 0 is tcdrain() too */
		return drain(tty);
	case TCXONC:
		return flow(tty, arg.v);
	case TCFLSH:
		return flush(tty, arg.v);
	case TIOCSCTTY:
		return tty_acquire(tty, arg.v == 1 && cred_root());
	case TIOCNOTTY:
		return tty_give_up(tty);
	case TIOCGPGRP:
		return put_if_ours(f, arg, tty->pgrp);
	case TIOCSPGRP:
		return set_pgrp(tty, arg);
	case TIOCGSID:
		return put_if_ours(f, arg, tty->session);
	case TIOCGWINSZ:
		spin_lock(&tty->lock);
		winsize = tty->winsize;
		spin_unlock(&tty->lock);
		return put_user(arg, winsize);
	case TIOCSWINSZ:
		return set_winsize(tty, arg);
	case FIONREAD:
		return put_count(tty, arg, true);
	case TIOCOUTQ:
		return put_count(tty, arg, false);
	default:
		return -ENOTTY;
	}
}
