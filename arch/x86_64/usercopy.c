/* SPDX-License-Identifier: MIT */
/* Checked copies between kernel and user memory: <usercopy.h> above usercopy.S. */
#include <machine.h>
#include <types.h>
#include <usercopy.h>

size_t user_copy(void *dst, const void *src, size_t n);
size_t user_clear(void *dst, size_t n);
ssize_t user_strncpy(char *dst, const char *src, size_t size);

struct extable_entry {
	unsigned long from, to;
};

extern const struct extable_entry __extable_start[], __extable_end[];

unsigned long extable_find(unsigned long rip)
{
	for (const struct extable_entry *e = __extable_start; e < __extable_end; e++)
		if (e->from == rip)
			return e->to;
	return 0;
}

int copy_from_user(void *dst, uaddr_t src, size_t n)
{
	if (!user_range_ok(src, n))
		return -EFAULT;
	return user_copy(dst, (const void *)src.v, n) ? -EFAULT : 0;
}

int copy_to_user(uaddr_t dst, const void *src, size_t n)
{
	if (!user_range_ok(dst, n))
		return -EFAULT;
	return user_copy((void *)dst.v, src, n) ? -EFAULT : 0;
}

int clear_user(uaddr_t dst, size_t n)
{
	if (!user_range_ok(dst, n))
		return -EFAULT;
	return user_clear((void *)dst.v, n) ? -EFAULT : 0;
}

ssize_t strncpy_from_user(char *dst, uaddr_t src, size_t size)
{
	size_t limit = size;
	ssize_t n;

	if (!user_range_ok(src, 1))
		return -EFAULT;
	if (!user_range_ok(src, size))
		limit = 0x00007ffffffff000ul - src.v;
	n = user_strncpy(dst, (const char *)src.v, limit);
	if (n < 0)
		return -EFAULT;
	if ((size_t)n == limit)
		return limit < size ? -EFAULT : -ENAMETOOLONG;
	return n;
}
