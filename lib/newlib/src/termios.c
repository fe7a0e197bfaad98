/* SPDX-License-Identifier: MIT */
/* Changes to a struct termios in memory; nothing here asks the kernel. */
#include <errno.h>
#include <termios.h>

speed_t cfgetispeed(const struct termios *t)
{
	return t->c_ispeed;
}

speed_t cfgetospeed(const struct termios *t)
{
	return t->c_ospeed;
}

static int check(speed_t speed)
{
	if (speed <= B38400 || speed == B57600 || speed == B115200)
		return 0;
	errno = EINVAL;
	return -1;
}

int cfsetispeed(struct termios *t, speed_t speed)
{
	if (check(speed) < 0)
		return -1;
	t->c_ispeed = speed;
	return 0;
}

int cfsetospeed(struct termios *t, speed_t speed)
{
	if (check(speed) < 0)
		return -1;
	t->c_ospeed = speed;
	return 0;
}

int cfsetspeed(struct termios *t, speed_t speed)
{
	return cfsetispeed(t, speed) < 0 ? -1 : cfsetospeed(t, speed);
}

void cfmakeraw(struct termios *t)
{
	t->c_iflag &= ~(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
	t->c_oflag &= ~OPOST;
	t->c_lflag &= ~(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
	t->c_cflag = (t->c_cflag & ~(CSIZE | PARENB)) | CS8;
	t->c_cc[VMIN] = 1;
	t->c_cc[VTIME] = 0;
}
