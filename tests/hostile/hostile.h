/* SPDX-License-Identifier: MIT */
/*
 * What the hostile programs share: system calls made by number, and arguments that no kernel should
 * believe.
 */
#ifndef TESTS_HOSTILE_H
#define TESTS_HOSTILE_H

#include "../user/guest.h"

#include <parvix/syscall.h>
#include <sys/mman.h>

static const struct {
	const char *name;
	int args;
} calls[SYS_count] = {
#define X(n, name, args) [n] = {#name, args},
	PARVIX_SYSCALLS(X)
#undef X
};

/* The call itself, past the C library: the result as the kernel gives it, -errno or not. */
static inline long raw_call(long n, const long a[6])
{
	register long r10 __asm__("r10") = a[3];
	register long r8 __asm__("r8") = a[4];
	register long r9 __asm__("r9") = a[5];
	long ret = n;

	__asm__ volatile("syscall"
			 : "+a"(ret)
			 : "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}

/* Nothing, the edges of everything, and what belongs to the kernel or the hypervisor. */
static const unsigned long wild_pointers[] = {
	0x0,
	0x1,
	0xfff,
	0x1000,
	0x3ffffffff000,     /* user half, nothing there */
	0x7fffffffffff,     /* the last byte of the user half */
	0x800000000000,     /* not canonical */
	0x8000000000000000, /* not canonical */
	0xffff800000000000, /* the hypervisor's */
	0xffff830000000000, /* the hypervisor's own memory */
	0xffff880000000000, /* the kernel's half begins */
	0xffffffffc0000000, /* the kernel's image */
	0xffffffffc0200000,
	0xfffffffffffff000,
	0xfffffffffffffff8,
	0xffffffffffffffff,
};

#endif
