/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <sys/resource.h>
#include <ulimit.h>

#define BLOCK 512

long ulimit(int what, ...)
{
	struct rlimit limit;
	va_list ap;
	long blocks;

	if (getrlimit(RLIMIT_FSIZE, &limit) < 0)
		return -1;
	switch (what) {
	case UL_GETFSIZE:
		return limit.rlim_cur / BLOCK > LONG_MAX ? LONG_MAX
							 : (long)(limit.rlim_cur / BLOCK);
	case UL_SETFSIZE:
		va_start(ap, what);
		blocks = va_arg(ap, long);
		va_end(ap);
		if (blocks < 0)
			break;
		limit.rlim_cur = blocks > LONG_MAX / BLOCK ? RLIM_INFINITY : (rlim_t)blocks * BLOCK;
		limit.rlim_max = limit.rlim_cur;
		return setrlimit(RLIMIT_FSIZE, &limit) < 0 ? -1 : blocks;
	}
	errno = EINVAL;
	return -1;
}
