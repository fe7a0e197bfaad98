/* SPDX-License-Identifier: MIT */
/*
 * Terminals (kernel/tty): line discipline between a device (the console; later others) and
 * programs. tty->lock (spinlock) guards all of it; input arrives in interrupt context through
 * tty_input().
 */
#ifndef TTY_H
#define TTY_H

#include <lock.h>
#include <parvix/termios.h>
#include <types.h>

#define TTY_BUF 4096

struct tty_device {
	/* Send @n bytes; returns how many were taken at once (the rest later: tty_output_ready()).
	 */
	size_t (*write)(struct tty_device *dev, const char *buf, size_t n);
	void *private;
};

struct tty {
	spinlock_t lock;
	struct tty_device *dev;
	struct termios termios;
	struct winsize winsize;
	pid_t pgrp; /* foreground */
	pid_t session;
	char in[TTY_BUF]; /* ring: [head, tail) may be read; canonical: only up to `ready` */
	unsigned in_head, in_ready, in_tail;
	unsigned lines; /* complete lines (canonical) */
	unsigned column;
	bool stopped; /* ^S */
	bool lnext;   /* ^V seen */
	struct waitq read_wait, write_wait;
};

void tty_init(void);
void tty_setup(struct tty *tty, struct tty_device *dev);
void tty_input(struct tty *tty, const char *buf, size_t n);
void tty_output_ready(struct tty *tty);
extern struct tty console_tty;

struct file;
struct proc;
/* The terminal behind an open file, or NULL: isatty(). */
struct tty *file_tty(struct file *f);
/* Name of a terminal below /dev ("console"), for /proc; NULL gives "-". */
const char *tty_name(const struct tty *tty);
/*
 * The leader of a session ends (exit, no locks held): its terminal belongs to nobody any more, the
 * foreground group gets SIGHUP and SIGCONT, and all processes of the session lose the terminal. Does
 * nothing for other processes.
 */
void tty_session_exit(struct proc *leader);

#endif
