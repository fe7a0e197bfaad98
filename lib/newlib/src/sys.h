/* SPDX-License-Identifier: MIT */
/*
 * How the library enters the kernel. Most calls are made by stub.c, which passes its arguments on
 * untouched; the functions below are for the files that have something to do before or after.
 */
#ifndef PARVIX_LIBC_SYS_H
#define PARVIX_LIBC_SYS_H

#include <errno.h>
#include <parvix/syscall.h>

/* A system call with up to four arguments: the kernel's result, negative errno and all. */
static inline long __sys(long nr, long a, long b, long c, long d)
{
	register long r10 __asm__("r10") = d;
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "0"(nr), "D"(a), "S"(b), "d"(c), "r"(r10)
			 : "rcx", "r11", "memory");
	return ret;
}

static inline long __sys5(long nr, long a, long b, long c, long d, long e)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "0"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
			 : "rcx", "r11", "memory");
	return ret;
}

#define __SYS0(nr) __sys(nr, 0, 0, 0, 0)
#define __SYS1(nr, a) __sys(nr, (long)(a), 0, 0, 0)
#define __SYS2(nr, a, b) __sys(nr, (long)(a), (long)(b), 0, 0)
#define __SYS3(nr, a, b, c) __sys(nr, (long)(a), (long)(b), (long)(c), 0)
#define __SYS4(nr, a, b, c, d) __sys(nr, (long)(a), (long)(b), (long)(c), (long)(d))
#define __SYS5(nr, a, b, c, d, e) __sys5(nr, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e))

/* The Unix convention from the kernel's: errno set and -1 for a negative @ret. */
static inline long __ret(long ret)
{
	if (ret >= 0)
		return ret;
	errno = -ret;
	return -1;
}

/* The auxiliary vector of the process, as the kernel left it on the stack. */
extern const unsigned long *__parvix_auxv;

#endif
