/* SPDX-License-Identifier: MIT */
/* /etc/shadow: the hashes of passwords, and how long they are good. Only root can read it. */
#ifndef _SHADOW_H_
#define _SHADOW_H_

#include <stddef.h>
#include <sys/cdefs.h>

#define SHADOW "/etc/shadow"

/* Times in days, since 1970 where it is a date; -1: not given. */
struct spwd {
	char *sp_namp;
	char *sp_pwdp;
	long sp_lstchg;
	long sp_min;
	long sp_max;
	long sp_warn;
	long sp_inact;
	long sp_expire;
	unsigned long sp_flag;
};

__BEGIN_DECLS
struct spwd *getspnam(const char *);
int getspnam_r(const char *, struct spwd *, char *, size_t, struct spwd **);
struct spwd *getspent(void);
void setspent(void);
void endspent(void);
__END_DECLS

#endif
