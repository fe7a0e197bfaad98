/* SPDX-License-Identifier: MIT */
/* Shared by the files of this folder only. */
#ifndef KERNEL_TTY_TTY_H
#define KERNEL_TTY_TTY_H

#include <fs.h>
#include <tty.h>

/* A reference besides that of an open file: false if the terminal has been hung up. */
bool tty_get(struct tty *tty);
void tty_put(struct tty *tty);

/* job.c */
/*
 * May the current process, if it is in the background, do this now? 0; or @sig has been sent to its
 * group and the call is to be restarted (-ERESTART); or -EIO where stopping makes no sense.
 */
int tty_check_background(struct tty *tty, int sig);
/* A session leader without a terminal takes one that is free: open(), TIOCSCTTY. */
int tty_acquire(struct tty *tty, bool steal);
int tty_give_up(struct tty *tty);
int tty_set_pgrp(struct tty *tty, pid_t pgrp);
/* The terminal of the current process, referenced; NULL if it has none. */
struct tty *tty_get_controlling(void);
/* Nobody in session @sid has @tty any more; its foreground group gets SIGHUP and SIGCONT. */
void tty_disconnect(struct tty *tty, pid_t sid);

/* pty.c */
void pty_init(void);

/* ioctl.c */
int tty_ioctl(struct file *f, unsigned long req, uaddr_t arg);

/* Room has been made for input. No locks held. */
void tty_input_wanted(struct tty *tty);
/* Wait until the device has everything, with tty->lock held; given up meanwhile. -ERESTART. */
int tty_drain(struct tty *tty);

#endif
