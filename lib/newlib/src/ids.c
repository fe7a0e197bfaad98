/* SPDX-License-Identifier: MIT */
#include <sys/types.h>
#include <unistd.h>

int seteuid(uid_t uid)
{
	return setreuid((uid_t)-1, uid);
}

int setegid(gid_t gid)
{
	return setregid((gid_t)-1, gid);
}

int issetugid(void)
{
	return getuid() != geteuid() || getgid() != getegid();
}
