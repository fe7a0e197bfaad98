/* SPDX-License-Identifier: MIT */
#ifndef PARVIX_REBOOT_H
#define PARVIX_REBOOT_H

#define REBOOT_HALT 0
#define REBOOT_POWEROFF 1
#define REBOOT_RESTART 2
#define REBOOT_CRASH 3 /* a panic on request, to see what one looks like */

#endif
