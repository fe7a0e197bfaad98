/* SPDX-License-Identifier: MIT */
#ifndef _FCNTL_H
#define _FCNTL_H

#include <sys/fcntl.h>

#if __POSIX_VISIBLE
#define O_TTY_INIT 0 /* a terminal begins with usable settings */
/* Word for word those of <unistd.h>. */
#define SEEK_SET 0
#define SEEK_CUR 1
#define SEEK_END 2
#endif

#endif
