/* SPDX-License-Identifier: MIT */
#include <unistd.h>
#include "thread.h"

int _close(int fd);
void __parvix_aio_close(int fd) __attribute__((weak)); /* aio.c, if it is used */

int _close(int fd)
{
	if (__parvix_aio_close)
		__parvix_aio_close(fd);
	return (int)__ret(__parvix_cancel_sys(SYS_close, fd, 0, 0, 0, 0));
}
