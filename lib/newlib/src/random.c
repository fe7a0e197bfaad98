/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <sys/random.h>
#include <unistd.h>

int getentropy(void *buf, size_t size)
{
	ssize_t n;

	if (size > 256) {
		errno = EIO;
		return -1;
	}
	while (size) {
		n = getrandom(buf, size, 0);
		if (n < 0 && errno != EINTR)
			return -1;
		if (n > 0) {
			buf = (char *)buf + n;
			size -= n;
		}
	}
	return 0;
}
