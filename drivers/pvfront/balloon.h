/* SPDX-License-Identifier: MIT */
/* The balloon: see balloon.c. */
#ifndef BALLOON_H
#define BALLOON_H

#include <types.h>

void balloon_start(void); /* xenstore is there */
/* Memory now, wanted, at most, for /proc/xen: bytes of text. Any thread. */
size_t balloon_describe(char *buf, size_t size);

#endif
