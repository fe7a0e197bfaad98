/* SPDX-License-Identifier: MIT */
/* What a toolstack asks of the domain through xenstore's control directory. See lifecycle.c. */
#ifndef PVFRONT_LIFECYCLE_H
#define PVFRONT_LIFECYCLE_H

#include <types.h>

/* Watch control/shutdown and control/sysrq, and say what we can. Once, after xs_start(). */
void lifecycle_start(void);

/* What a word in control/shutdown asks for. */
enum lifecycle_request {
	LIFE_POWEROFF,
	LIFE_REBOOT,
	LIFE_HALT,
	LIFE_CRASH,
	LIFE_SUSPEND,
	LIFE_UNKNOWN,
};
enum lifecycle_request lifecycle_parse(const char *word);

#endif
