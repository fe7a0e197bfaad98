/* SPDX-License-Identifier: MIT */
/* The heap: malloc asks for more by _sbrk; the kernel knows only where it ends. */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
#include "sys.h"

static uintptr_t heap_end; /* 0 until asked for */

/* The kernel answers with the end that holds afterwards: another than asked for is a refusal. */
static int set_end(uintptr_t end)
{
	uintptr_t now = (uintptr_t)__SYS1(SYS_brk, end);

	if (now != end) {
		errno = ENOMEM;
		return -1;
	}
	heap_end = end;
	return 0;
}

int brk(void *end)
{
	return set_end((uintptr_t)end);
}

void *_sbrk(ptrdiff_t incr)
{
	uintptr_t old;

	if (!heap_end)
		heap_end = (uintptr_t)__SYS1(SYS_brk, 0);
	old = heap_end;
	if (incr > 0 ? old + (uintptr_t)incr < old : old + (uintptr_t)incr > old) {
		errno = ENOMEM;
		return (void *)-1;
	}
	if (incr && set_end(old + (uintptr_t)incr) < 0)
		return (void *)-1;
	return (void *)old;
}
