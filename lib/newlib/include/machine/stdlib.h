/* SPDX-License-Identifier: MIT */
/* What this system has in <stdlib.h> beyond newlib: included by it. */
#ifndef _MACHSTDLIB_H_
#define _MACHSTDLIB_H_

#include <sys/cdefs.h>

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
