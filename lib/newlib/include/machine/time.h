/* SPDX-License-Identifier: MIT */
/* What this system has in <time.h> beyond newlib: included by it. */
#ifndef _MACHTIME_H_
#define _MACHTIME_H_

#include <sys/cdefs.h>

#define _CLOCKS_PER_SEC_ 1000000

__BEGIN_DECLS
#if __XSI_VISIBLE
/* tzset() sets them; newlib's own names begin with an underscore. */
extern long timezone __asm__("_timezone");
extern int daylight __asm__("_daylight");
#endif
__END_DECLS

#endif
