/* SPDX-License-Identifier: MIT */
/*
 * The boot record: named moments from the first instruction to the shell's prompt, each with its
 * time stamp and the calls to the hypervisor made so far. Read from /proc/boot; a program adds a
 * mark by writing its name there. (kernel/trace/boot.c)
 */
#ifndef BOOTMARK_H
#define BOOTMARK_H

#include <types.h>

/* @name is kept, not copied. Marks beyond the 32nd are dropped. Any context. */
void boot_mark(const char *name);
/* As boot_mark(), the first time that it is called with this @name (by address). */
void boot_mark_once(const char *name);
void boot_record_init(void); /* makes /proc/boot */

#endif
