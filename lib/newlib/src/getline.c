/* SPDX-License-Identifier: MIT */
/* newlib has both under reserved names only. */
#include <stdio.h>

ssize_t getdelim(char **restrict line, size_t *restrict size, int delim, FILE *restrict f)
{
	return __getdelim(line, size, delim, f);
}

ssize_t getline(char **restrict line, size_t *restrict size, FILE *restrict f)
{
	return __getdelim(line, size, '\n', f);
}
