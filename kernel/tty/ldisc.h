/* SPDX-License-Identifier: MIT */
/*
 * The line discipline: what happens to bytes between device and program. Nothing in here sleeps,
 * locks or knows a process: it works on struct tty alone, its caller holds tty->lock, and it runs
 * on the host for the unit tests as well.
 */
#ifndef LDISC_H
#define LDISC_H

#include <tty.h>

void ldisc_init(struct tty *t);
/* One byte has been typed: edits, echoes (into t->out). Returns the signal that the foreground
 * group is to get, or 0. */
int ldisc_input(struct tty *t, unsigned char c);
/* Process program output into t->out as far as there is room; returns the bytes of @buf used up. */
size_t ldisc_output(struct tty *t, const char *buf, size_t n);
/* Hand t->out to the device, unless stopped. True if nothing is left. */
bool ldisc_flush(struct tty *t);
/*
 * Take what a read may have: in canonical mode at most one line. *@eof: an end-of-file character
 * was met at the start. The caller has found ldisc_ready().
 */
size_t ldisc_read(struct tty *t, char *buf, size_t n, bool *eof);
/* Is there something for ldisc_read(): a line (or end of file), or a byte. */
bool ldisc_ready(const struct tty *t);
/* Bytes for FIONREAD and VMIN. */
size_t ldisc_readable(const struct tty *t);
/* Bytes of input that lose nothing, nor their echo: see tty_input_room(). */
size_t ldisc_input_room(const struct tty *t);
/* Room for program output? */
bool ldisc_writable(const struct tty *t);
void ldisc_set_termios(struct tty *t, const struct termios *wanted);
void ldisc_flush_input(struct tty *t);
/* Tell whoever types to stop, or to go on. False: the device does not take it now. */
bool ldisc_send_flow(struct tty *t, bool stop);
/* Forget output that nobody has seen yet. */
void ldisc_drop_output(struct tty *t);

static inline bool ldisc_canonical(const struct tty *t)
{
	return t->termios.c_lflag & ICANON;
}

#endif
