/* SPDX-License-Identifier: MIT */
#ifndef _SYS_SYSINFO_H
#define _SYS_SYSINFO_H

#include <sys/cdefs.h>

struct sysinfo {
	unsigned long uptime_ns;
	unsigned long loads[3]; /* 16.16 fixed point: 1, 5, 15 minutes */
	unsigned long page_size;
	unsigned long pages_total;
	unsigned long pages_free;
	unsigned long pages_cache; /* file pages that could be given back */
	unsigned long processes;
};
#define SI_LOAD_SHIFT 16

__BEGIN_DECLS
int sysinfo(struct sysinfo *);
int getloadavg(double *, int);
__END_DECLS

#endif
