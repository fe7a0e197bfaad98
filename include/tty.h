/* SPDX-License-Identifier: MIT */
/*
 * Terminals (kernel/tty): line discipline between a device (the console; later others) and
 * programs. tty->lock (spinlock) guards all of it; input arrives in interrupt context through
 * tty_input(). Signals are sent without the lock (they take proc_lock, which is outside of it).
 */
#ifndef TTY_H
#define TTY_H

#include <lock.h>
#include <parvix/termios.h>
#include <types.h>

#define TTY_BUF 4096 /* input, a power of two */
#define TTY_OUT 1024 /* output on its way to the device */

struct tty_device {
	/* Send @n bytes; returns how many were taken at once (the rest later: tty_output_ready()).
	 * Called with tty->lock held. */
	size_t (*write)(struct tty_device *dev, const char *buf, size_t n);
	/*
	 * A device that can keep input takes it only as far as tty_input_room() goes. This says
	 * that there may be room again: somebody has read. No locks held. NULL: it cannot keep any.
	 */
	void (*input_wanted)(struct tty_device *dev);
	/* tty->lock held, both may be NULL: forget what has not been sent yet (tcflush, ^C); the
	 * last program has closed the terminal. */
	void (*drop_output)(struct tty_device *dev);
	void (*idle)(struct tty_device *dev);
	/* After tty_hangup(), the last user has gone: @tty may be freed. NULL if it never is. */
	void (*release)(struct tty_device *dev);
	void *private;
};

struct tty {
	spinlock_t lock;
	const char *name; /* below /dev */
	struct tty_device *dev;
	struct termios termios;
	struct winsize winsize;
	pid_t pgrp;    /* foreground */
	pid_t session; /* 0: controls nobody */

	/*
	 * Input ring. Positions count up for ever: byte p is in[p % TTY_BUF]. [head, tail) is
	 * there; in canonical mode only [head, ready) may be read, and [ready, tail) is the line
	 * that is still being edited. A marked byte ends a line; one marked as end of file also,
	 * but it is not itself data.
	 */
	char in[TTY_BUF];
	uint64_t in_mark[TTY_BUF / 64], in_eof[TTY_BUF / 64];
	unsigned in_head, in_ready, in_tail;
	bool lnext; /* ^V seen: the next byte is taken as it is */

	/* Output, processed, that the device has not taken yet. */
	char out[TTY_OUT];
	unsigned out_len;
	unsigned column;      /* of the cursor, as far as output tells */
	unsigned line_column; /* where the echo of the line being edited began */
	bool stopped;         /* ^S, TCOOFF */
	bool peer_stopped;    /* IXOFF: who types has been told to wait */
	bool gone;            /* hung up: reads end, everything else gives EIO */
	unsigned users;       /* open files, and 1 for the device until it hangs up */

	struct waitq read_wait, write_wait;
};

void tty_init(void);
/* A terminal in its usual state, 24x80, on @dev. */
void tty_setup(struct tty *tty, const char *name, struct tty_device *dev);
/* @n bytes have been typed. Any context, no tty lock held; what does not fit is lost. */
void tty_input(struct tty *tty, const char *buf, size_t n);
/*
 * Bytes that tty_input() would take now without losing any, nor their echo. With a line being
 * edited that fills the buffer it is never 0, as only more input can end that line.
 */
size_t tty_input_room(struct tty *tty);
/* The device can take more output. Any context. */
void tty_output_ready(struct tty *tty);
/*
 * The device has been unplugged: the foreground group gets SIGHUP and SIGCONT, the leader of the
 * session SIGHUP, readers the end of the file, others EIO. May sleep; no locks held. The device
 * delivers nothing any more, and its write() is not called any more.
 */
void tty_hangup(struct tty *tty);
/* The window out there has another size: SIGWINCH to the foreground group. */
void tty_resize(struct tty *tty, const struct winsize *size);
/* "ROWS COLS", or with another @separator, into *@size: both 1 to 9999, nothing behind. */
bool tty_parse_winsize(const char *text, char separator, struct winsize *size);
/* From now on @tty is on @dev; a frontend takes the place of the early console. */
void tty_set_device(struct tty *tty, struct tty_device *dev);
/*
 * An open file on @tty, which becomes the controlling terminal where that is due: for open() of a
 * device. -EIO if it has been hung up.
 */
struct file;
int tty_open(struct file *f, struct tty *tty);
extern const struct file_ops tty_file_ops, pty_master_ops;
extern struct tty console_tty;

struct proc;
/* The terminal behind an open file, that of a master too, or NULL: isatty(). */
struct tty *file_tty(struct file *f);
/* Name of a terminal below /dev ("console"), for /proc; NULL gives "-". */
const char *tty_name(const struct tty *tty);
/*
 * The leader of a session ends (exit, no locks held): its terminal belongs to nobody any more, the
 * foreground group gets SIGHUP and SIGCONT, and all processes of the session lose the terminal.
 * Does nothing for other processes.
 */
void tty_session_exit(struct proc *leader);

#endif
