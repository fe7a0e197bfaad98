/* SPDX-License-Identifier: MIT */
/* The mode of fopen() as flags; newlib's own, which this replaces, leaves out `e`: close-on-exec.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include "sys.h"

int __sflags(struct _reent *reent, char *mode, int *open_flags);

int __sflags(struct _reent *reent, char *mode, int *open_flags)
{
	int stream, access, more = 0;

	switch (*mode) {
	case 'r':
		stream = __SRD;
		access = O_RDONLY;
		break;
	case 'w':
		stream = __SWR;
		access = O_WRONLY;
		more = O_CREAT | O_TRUNC;
		break;
	case 'a':
		stream = __SWR | __SAPP;
		access = O_WRONLY;
		more = O_CREAT | O_APPEND;
		break;
	default:
		reent->_errno = EINVAL;
		return 0;
	}
	while (*++mode) {
		if (*mode == '+') {
			stream = (stream & ~(__SRD | __SWR)) | __SRW;
			access = O_RDWR;
		} else if (*mode == 'e') {
			more |= O_CLOEXEC;
		} else if (*mode == 'x') {
			more |= O_EXCL;
		}
	}
	*open_flags = access | more;
	return stream;
}
