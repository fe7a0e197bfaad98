/* SPDX-License-Identifier: MIT */
/*
 * The only road to user memory (arch/x86_64/usercopy.S; faults recovered by the exception table).
 * May sleep: page faults are resolved on the way. Addresses are checked against USER_END first. No
 * spinlock, no aspace mutex held.
 */
#ifndef USERCOPY_H
#define USERCOPY_H

#include <types.h>

/* 0 or -EFAULT (part may have been copied; the rest of a kernel buffer is not cleared). */
int __must_check copy_from_user(void *dst, uaddr_t src, size_t n);
int __must_check copy_to_user(uaddr_t dst, const void *src, size_t n);
int __must_check clear_user(uaddr_t dst, size_t n);
/* Copy a 0-terminated string. Length without the 0; -EFAULT; -ENAMETOOLONG if no 0 within @size
 * bytes. */
ssize_t __must_check strncpy_from_user(char *dst, uaddr_t src, size_t size);

static inline bool user_range_ok(uaddr_t p, size_t n)
{
	return p.v <= 0x00007ffffffff000ul && n <= 0x00007ffffffff000ul - p.v;
}

#define get_user(val, src) copy_from_user(&(val), (src), sizeof(val))
#define put_user(dst, val)                                      \
	({                                                      \
		__typeof__(val) put_val = (val);                \
		copy_to_user((dst), &put_val, sizeof(put_val)); \
	})

#endif
