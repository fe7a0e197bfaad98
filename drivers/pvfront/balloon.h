/* SPDX-License-Identifier: MIT */
/* The balloon: see balloon.c. */
#ifndef BALLOON_H
#define BALLOON_H

#include <types.h>

void balloon_start(void); /* xenstore is there */
/* For /proc/xen/memory, in KiB: memory now, the most it can become, what the balloon does. */
size_t balloon_describe(char *buf, size_t size);

#endif
