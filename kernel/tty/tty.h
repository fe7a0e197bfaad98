/* SPDX-License-Identifier: MIT */
/* Shared by the files of this folder only. */
#ifndef KERNEL_TTY_TTY_H
#define KERNEL_TTY_TTY_H

#include <fs.h>
#include <tty.h>

/* tty.c: an open file on @tty; makes it the controlling terminal where that is due. */
int tty_open(struct file *f, struct tty *tty);
extern const struct file_ops tty_file_ops;

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

/* ioctl.c */
int tty_ioctl(struct file *f, unsigned long req, uaddr_t arg);

/* Wait until the device has everything, with tty->lock held; given up meanwhile. -ERESTART. */
int tty_drain(struct tty *tty);

#endif
