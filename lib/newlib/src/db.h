/* SPDX-License-Identifier: MIT */
/* Files of lines with fields between colons: /etc/passwd and /etc/group. */
#ifndef PARVIX_LIBC_DB_H
#define PARVIX_LIBC_DB_H

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/*
 * Reads the next line of @f that has at least @n fields into @buf and points @field at each (the
 * last takes the rest of the line). Returns 1, 0 at the end, or -1 with errno = ERANGE if a line
 * does not fit.
 */
static inline int db_next(FILE *f, char *buf, size_t size, char *field[], int n)
{
	char *p;
	int i;

	while (fgets(buf, (int)size, f)) {
		p = strchr(buf, '\n');
		if (!p && !feof(f)) {
			errno = ERANGE;
			return -1;
		}
		if (p)
			*p = 0;
		for (i = 0, p = buf; i < n && p; i++) {
			field[i] = p;
			p = i + 1 < n ? strchr(p, ':') : NULL;
			if (p)
				*p++ = 0;
		}
		if (i == n && *buf != '#')
			return 1;
	}
	return 0;
}

#endif
