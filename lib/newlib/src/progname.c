/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

extern char *__progname;
const char *getprogname(void);
void setprogname(const char *name);

const char *getprogname(void)
{
	return __progname;
}

void setprogname(const char *name)
{
	__progname = (char *)name;
}
