/* SPDX-License-Identifier: MIT */
#ifndef _SYS_REBOOT_H
#define _SYS_REBOOT_H

#include <sys/cdefs.h>
#include <parvix/reboot.h>

#define RB_HALT_SYSTEM REBOOT_HALT
#define RB_POWER_OFF REBOOT_POWEROFF
#define RB_AUTOBOOT REBOOT_RESTART

__BEGIN_DECLS
int reboot(int);
__END_DECLS

#endif
