/* SPDX-License-Identifier: MIT */
/*
 * Pseudo-terminals. The kernel gives the slave's node to whoever opens the master, so grantpt() has
 * nothing to do but to find out whether there is a master.
 */
#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

int posix_openpt(int flags)
{
	return open("/dev/ptmx", flags);
}

/* The slave's number, or -1 with errno EBADF, EINVAL: not a master. */
static int number(int fd)
{
	unsigned n;

	if (ioctl(fd, TIOCGPTN, &n) == 0)
		return n;
	if (errno == ENOTTY)
		errno = EINVAL;
	return -1;
}

int grantpt(int fd)
{
	return number(fd) < 0 ? -1 : 0;
}

int unlockpt(int fd)
{
	int locked = 0;

	return number(fd) < 0 ? -1 : ioctl(fd, TIOCSPTLCK, &locked);
}

int ptsname_r(int fd, char *buf, size_t size)
{
	char name[16];
	int n = number(fd), len;

	if (n < 0)
		return errno = errno == EINVAL ? ENOTTY : errno;
	len = snprintf(name, sizeof(name), "/dev/pts/%d", n);
	if ((size_t)len >= size)
		return errno = ERANGE;
	for (int i = 0; i <= len; i++)
		buf[i] = name[i];
	return 0;
}

char *ptsname(int fd)
{
	static char name[16];

	return ptsname_r(fd, name, sizeof(name)) ? NULL : name;
}

int openpty(int *master, int *slave, char *name, const struct termios *termios,
	    const struct winsize *size)
{
	char path[16];
	int m = posix_openpt(O_RDWR | O_NOCTTY), s = -1;

	if (m < 0)
		return -1;
	if (unlockpt(m) == 0 && ptsname_r(m, path, sizeof(path)) == 0)
		s = open(path, O_RDWR | O_NOCTTY);
	if (s < 0) {
		close(m);
		return -1;
	}
	if (termios)
		tcsetattr(s, TCSAFLUSH, termios);
	if (size)
		ioctl(s, TIOCSWINSZ, size);
	for (int i = 0; name && i < (int)sizeof(path); i++)
		name[i] = path[i];
	*master = m;
	*slave = s;
	return 0;
}

int login_tty(int fd)
{
	setsid();
	if (ioctl(fd, TIOCSCTTY, 0) < 0)
		return -1;
	for (int i = 0; i <= 2; i++)
		if (dup2(fd, i) < 0)
			return -1;
	if (fd > 2)
		close(fd);
	return 0;
}

pid_t forkpty(int *master, char *name, const struct termios *termios, const struct winsize *size)
{
	int m, s;
	pid_t pid;

	if (openpty(&m, &s, name, termios, size) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		close(m);
		if (login_tty(s) < 0)
			_exit(1);
		return 0;
	}
	close(s);
	if (pid < 0)
		close(m);
	else
		*master = m;
	return pid;
}
