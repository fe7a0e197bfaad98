/* SPDX-License-Identifier: MIT */
/* Terminals: POSIX's functions as requests to the terminal driver. */
#include <errno.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>
#include "sys.h"

int tcgetattr(int fd, struct termios *t)
{
	return ioctl(fd, TCGETS, t);
}

int tcsetattr(int fd, int when, const struct termios *t)
{
	if (when < TCSANOW || when > TCSAFLUSH) {
		errno = EINVAL;
		return -1;
	}
	return ioctl(fd, TCSETS + when, t);
}

int _isatty(int fd)
{
	long ret = __ret(__SYS1(SYS_isatty, fd));

	if (ret == 0)
		errno = ENOTTY;
	return ret > 0;
}

int tcsendbreak(int fd, int duration)
{
	(void)duration;
	return ioctl(fd, TCSBRK, 0);
}

int tcdrain(int fd)
{
	return ioctl(fd, TCSBRK, 1);
}

int tcflush(int fd, int which)
{
	return ioctl(fd, TCFLSH, which);
}

int tcflow(int fd, int action)
{
	return ioctl(fd, TCXONC, action);
}

pid_t tcgetpgrp(int fd)
{
	int pgrp;

	return ioctl(fd, TIOCGPGRP, &pgrp) < 0 ? -1 : pgrp;
}

int tcsetpgrp(int fd, pid_t pgrp)
{
	int arg = pgrp;

	return ioctl(fd, TIOCSPGRP, &arg);
}

pid_t tcgetsid(int fd)
{
	int sid;

	return ioctl(fd, TIOCGSID, &sid) < 0 ? -1 : sid;
}

char *ctermid(char *buf)
{
	static char tty[] = "/dev/tty";

	if (!buf)
		return tty;
	for (int i = 0; i < (int)sizeof(tty); i++)
		buf[i] = tty[i];
	return buf;
}
