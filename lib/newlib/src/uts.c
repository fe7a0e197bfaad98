/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

int gethostname(char *name, size_t size)
{
	struct utsname u;

	if (uname(&u) < 0)
		return -1;
	if (strlcpy(name, u.nodename, size) < size)
		return 0;
	errno = ENAMETOOLONG;
	return -1;
}

int getdomainname(char *name, size_t size)
{
	if (size)
		*name = 0;
	return 0;
}
