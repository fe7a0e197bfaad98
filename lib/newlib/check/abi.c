/* SPDX-License-Identifier: MIT */
/*
 * The two sides of the system call border: what programs see (newlib's headers and the port's) and
 * what the kernel sees (include/parvix). Both give the same names to things, so the two cannot be
 * read in one translation unit. This file is compiled twice, with -DKERNEL_SIDE and without, to
 * assembly in which every line "->name value" states a value, or the offset and size of a field;
 * the build compares the two lists. No code is ever run.
 */
#include <stddef.h>
#ifdef KERNEL_SIDE
#include <parvix/errno.h>
#include <parvix/fcntl.h>
#include <parvix/mman.h>
#include <parvix/signal.h>
#include <parvix/types.h>
#include <parvix/socket.h>
#define SIDE(lib, kernel) kernel
#else
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/param.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#define SIDE(lib, kernel) lib
#define PARVIX_FD_SETSIZE FD_SETSIZE
#endif

#define STATE(text, a, b) \
	__asm__ volatile("\n->" text " %c0 %c1" : : "i"((long)(a)), "i"((long)(b)));
#define VALUE(name) STATE(#name, name, 0)
#define SIZE(lib, kernel) STATE("sizeof " #lib, sizeof(SIDE(lib, kernel)), 0)
#define MEMBER(lib, f, kernel, kf)                                   \
	STATE(#lib "." #f, offsetof(SIDE(lib, kernel), SIDE(f, kf)), \
	      sizeof(((SIDE(lib, kernel) *)0)->SIDE(f, kf)))

void abi(void);
void abi(void)
{
#include "abi-list.h"
}
