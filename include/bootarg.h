/* SPDX-License-Identifier: MIT */
/*
 * The kernel's command line: words separated by spaces, `name` or `name=value`; what follows ` -- `
 * belongs to init. Documented in docs/boot.md.
 */
#ifndef BOOTARG_H
#define BOOTARG_H

#include <types.h>

/*
 * Find @name on the kernel's part of the command line. Copies its value ("" for a bare word) into
 * @buf, cut to @size. Returns @buf, or NULL if the word is not there. The last one of several wins.
 */
const char *boot_arg(const char *name, char *buf, size_t size);
/* True for a bare word or a value other than "0", "no", "off". */
bool boot_flag(const char *name);
/* Split what follows ` -- ` into at most @max words in @buf; returns how many. */
int boot_init_args(char *buf, size_t size, char *argv[], int max);
/* The same on any text: for boot_arg() and its unit test. */
const char *bootarg_find(const char *line, const char *name, char *buf, size_t size);

#endif
