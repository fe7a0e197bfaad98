/* SPDX-License-Identifier: MIT */
/* What this system has in <stdlib.h> beyond newlib: included by it. */
#ifndef _MACHSTDLIB_H_
#define _MACHSTDLIB_H_

#include <sys/cdefs.h>

/* What system() returns is read with these: word for word those of <sys/wait.h>. */
#if __POSIX_VISIBLE
#define WNOHANG 1
#define WUNTRACED 2
#define WIFEXITED(w) (((w)&0x7f) == 0)
#define WIFSIGNALED(w) (((w)&0x7f) != 0 && ((w)&0x7f) != 0x7f)
#define WIFSTOPPED(w) (((w)&0xff) == 0x7f)
#define WEXITSTATUS(w) (((w) >> 8) & 0xff)
#define WTERMSIG(w) ((w)&0x7f)
#define WSTOPSIG(w) (((w) >> 8) & 0xff)
#endif

__BEGIN_DECLS
#if __XSI_VISIBLE
/* Pseudo-terminals. */
int posix_openpt(int);
int grantpt(int);
int unlockpt(int);
char *ptsname(int);
#endif
#if __GNU_VISIBLE
int ptsname_r(int, char *, size_t); /* an error number */
#endif
__END_DECLS

#endif
