/* SPDX-License-Identifier: MIT */
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include "sys.h"

int getloadavg(double *avg, int n)
{
	struct sysinfo si;
	int i;

	if (sysinfo(&si) < 0)
		return -1;
	for (i = 0; i < n && i < 3; i++)
		avg[i] = si.loads[i] / 65536.0;
	return i;
}

unsigned long getauxval(unsigned long key)
{
	const unsigned long *a = __parvix_auxv;

	for (; a[0] != AT_NULL; a += 2) {
		if (a[0] == key)
			return a[1];
	}
	errno = ENOENT;
	return 0;
}
