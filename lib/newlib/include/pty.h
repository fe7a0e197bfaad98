/* SPDX-License-Identifier: MIT */
/* Pseudo-terminals the short way, as BSD and Linux have it. */
#ifndef _PTY_H
#define _PTY_H

#include <sys/cdefs.h>
#include <sys/ioctl.h>
#include <sys/types.h>
#include <termios.h>

__BEGIN_DECLS
/* @name may be NULL (else there is room for 16 bytes), @termios and @size too: as they are. */
int openpty(int *master, int *slave, char *name, const struct termios *termios,
	    const struct winsize *size);
/* fork(); the child leads a session on the slave, which is its standard input, output and error. */
pid_t forkpty(int *master, char *name, const struct termios *termios, const struct winsize *size);
/* The caller leads a session on @fd, which becomes its standard input, output and error. */
int login_tty(int fd);
__END_DECLS

#endif
