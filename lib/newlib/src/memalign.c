/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>

/* Returns the error; @ptr is untouched then. */
int posix_memalign(void **ptr, size_t align, size_t size)
{
	int saved = errno;
	void *mem;

	if (align < sizeof(void *) || (align & (align - 1)))
		return EINVAL;
	mem = memalign(align, size);
	errno = saved;
	if (!mem)
		return ENOMEM;
	*ptr = mem;
	return 0;
}
