/* SPDX-License-Identifier: MIT */
/* Text as JSON has it (RFC 8259, section 7). */
#ifndef USER_JSON_H
#define USER_JSON_H

#include <stddef.h>

/*
 * @s in double quotes into @buf, cut behind a whole character if it does not fit; @size is at least
 * 3. Quotation marks, backslashes and control characters are escaped, and so is every byte above
 * ASCII, as the character of that number: a file name may be no UTF-8 at all. Returns the length.
 */
size_t json_string(const char *s, char *buf, size_t size);

#endif
