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

/* A number for the machine: its name's (FNV-1a). */
long gethostid(void)
{
	unsigned hash = 2166136261u;
	struct utsname u;

	if (uname(&u) < 0)
		return -1;
	for (const char *p = u.nodename; *p; p++)
		hash = (hash ^ (unsigned char)*p) * 16777619u;
	return (long)(int)hash;
}
