/* SPDX-License-Identifier: MIT */
#include <elf.h>
#include <sys/auxv.h>
#include <sys/types.h>
#include <unistd.h>

int seteuid(uid_t uid)
{
	return setresuid((uid_t)-1, uid, (uid_t)-1);
}

int setegid(gid_t gid)
{
	return setresgid((gid_t)-1, gid, (gid_t)-1);
}

/* Did the program get other rights than its caller has? */
int issetugid(void)
{
	return getauxval(AT_SECURE) != 0;
}
