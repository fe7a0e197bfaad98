/* SPDX-License-Identifier: MIT */
/*
 * For the tests of terminal settings: a pseudo-terminal with exactly the flags that a test asks
 * for, typing at its master, and what slave and master get to see of it.
 */
#ifndef TESTS_USER_TERMIOS_H
#define TESTS_USER_TERMIOS_H

#include "guest.h"

#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <termios.h>

#define PATIENCE 10000 /* ms, for what is to come */
#define QUIET 40       /* ms, for what is not */

static int master = -1, slave = -1;

/* The slave with these flags and no others; the characters are the usual ones. */
static inline bool set_flags(tcflag_t in, tcflag_t out, tcflag_t local)
{
	struct termios t;

	if (tcgetattr(slave, &t) < 0)
		return false;
	t.c_iflag = in;
	t.c_oflag = out;
	t.c_lflag = local;
	t.c_cc[VMIN] = local & ICANON ? t.c_cc[VMIN] : 1;
	t.c_cc[VTIME] = local & ICANON ? t.c_cc[VTIME] : 0;
	return tcsetattr(slave, TCSANOW, &t) == 0;
}

static inline bool begin(tcflag_t in, tcflag_t out, tcflag_t local)
{
	return openpty(&master, &slave, NULL, NULL, NULL) == 0 && set_flags(in, out, local);
}

static inline void finish(void)
{
	close(slave);
	close(master);
}

static inline void set_char(int which, int c)
{
	struct termios t;

	tcgetattr(slave, &t);
	t.c_cc[which] = (cc_t)c;
	tcsetattr(slave, TCSANOW, &t);
}

static inline void set_min_time(int min, int time)
{
	set_char(VMIN, min);
	set_char(VTIME, time);
}

static inline bool comes(int fd, int ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, ms) > 0 && (p.revents & POLLIN);
}

static inline bool type(const char *text)
{
	size_t n = strlen(text);

	return write(master, text, n) == (ssize_t)n;
}

/* One read of the slave, as text: "<nothing>" comes, or "<end>" of file, or an error. */
static inline const char *gets_within(int ms)
{
	static char buf[8192];
	ssize_t n;

	if (!comes(slave, ms))
		return "<nothing>";
	n = read(slave, buf, sizeof(buf) - 1);
	if (n < 0)
		return "<error>";
	buf[n] = 0;
	return n ? buf : "<end>";
}

static inline const char *gets_line(void)
{
	return gets_within(PATIENCE);
}

/* @want comes out at the master, and nothing besides: what the slave writes then is next. */
static inline bool shows(const char *want)
{
	static char buf[8192];
	size_t got = 0, len = strlen(want) + 1;
	bool marked = false;

	while (got < len && got < sizeof(buf)) {
		ssize_t n;

		if (!marked && got >= len - 1)
			marked = write(slave, "#", 1) == 1;
		if (!comes(master, PATIENCE) || (n = read(master, buf + got, len - got)) <= 0)
			break;
		got += n;
	}
	if (got == len && memcmp(buf, want, len - 1) == 0 && buf[len - 1] == '#')
		return true;
	printf("# shown:");
	for (size_t i = 0; i < got; i++)
		printf(buf[i] < ' ' || buf[i] > '~' ? "\\%03o" : "%c", (unsigned char)buf[i]);
	printf("\n");
	return false;
}

#endif
