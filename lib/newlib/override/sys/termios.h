/* SPDX-License-Identifier: MIT */
/* Terminals: the kernel's structures and values, and POSIX's functions over them. */
#ifndef _SYS_TERMIOS_H
#define _SYS_TERMIOS_H

#include <sys/cdefs.h>
#include <sys/types.h>
#include <parvix/termios.h>

#define _POSIX_VDISABLE 0

__BEGIN_DECLS
int tcgetattr(int, struct termios *);
int tcsetattr(int, int, const struct termios *);
int tcsendbreak(int, int);
int tcdrain(int);
int tcflush(int, int);
int tcflow(int, int);
pid_t tcgetsid(int);
pid_t tcgetpgrp(int);
int tcsetpgrp(int, pid_t);
speed_t cfgetispeed(const struct termios *);
speed_t cfgetospeed(const struct termios *);
int cfsetispeed(struct termios *, speed_t);
int cfsetospeed(struct termios *, speed_t);
#if __BSD_VISIBLE
int cfsetspeed(struct termios *, speed_t);
void cfmakeraw(struct termios *);
#endif
__END_DECLS

#endif
