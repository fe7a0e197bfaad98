/* SPDX-License-Identifier: MIT */
/* The older interface to one of the limits of setrlimit: the size of files, in blocks of 512. */
#ifndef _ULIMIT_H
#define _ULIMIT_H

#include <sys/cdefs.h>

#define UL_GETFSIZE 1
#define UL_SETFSIZE 2

__BEGIN_DECLS
long ulimit(int, ...);
__END_DECLS

#endif
