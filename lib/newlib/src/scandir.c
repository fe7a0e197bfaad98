/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int alphasort(const struct dirent **a, const struct dirent **b)
{
	return strcoll((*a)->d_name, (*b)->d_name);
}

int scandir(const char *path, struct dirent ***list, int (*want)(const struct dirent *),
	    int (*order)(const struct dirent **, const struct dirent **))
{
	struct dirent **all = NULL, **more, *e, *copy;
	DIR *d = opendir(path);
	int n = 0, room = 0;

	if (!d)
		return -1;
	while ((e = readdir(d))) {
		if (want && !want(e))
			continue;
		if (n == room) {
			room = room ? 2 * room : 16;
			more = realloc(all, room * sizeof(*all));
			if (!more)
				goto fail;
			all = more;
		}
		copy = malloc(e->d_reclen);
		if (!copy)
			goto fail;
		all[n++] = memcpy(copy, e, e->d_reclen);
	}
	closedir(d);
	if (order && n)
		qsort(all, n, sizeof(*all), (int (*)(const void *, const void *))order);
	*list = all;
	return n;
fail:
	while (n > 0)
		free(all[--n]);
	free(all);
	closedir(d);
	errno = ENOMEM;
	return -1;
}
