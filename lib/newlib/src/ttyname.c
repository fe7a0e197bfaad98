/* SPDX-License-Identifier: MIT */
/*
 * The name of a terminal: the node in /dev or /dev/pts that has the number of this one. newlib's
 * own knows of no folder below /dev.
 */
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The node in folder @path whose device number is @rdev, into @buf. 0, ERANGE, ENOTTY. */
static int search(const char *path, dev_t rdev, char *buf, size_t size)
{
	size_t len = strlen(path);
	DIR *dir = opendir(path);
	struct dirent *e;
	int err = ENOTTY;
	char name[64];
	struct stat st;

	while (dir && err == ENOTTY && (e = readdir(dir))) {
		if (e->d_type != DT_CHR || len + strlen(e->d_name) >= sizeof(name))
			continue;
		strcpy(name, path);
		strcat(name, e->d_name);
		if (stat(name, &st) < 0 || st.st_rdev != rdev)
			continue;
		err = strlen(name) < size ? 0 : ERANGE;
		if (!err)
			strcpy(buf, name);
	}
	if (dir)
		closedir(dir);
	return err;
}

int ttyname_r(int fd, char *buf, size_t size)
{
	struct stat st;
	int err;

	if (!isatty(fd) || fstat(fd, &st) < 0)
		return errno;
	err = search("/dev/pts/", st.st_rdev, buf, size);
	return err == ENOTTY ? search("/dev/", st.st_rdev, buf, size) : err;
}

char *ttyname(int fd)
{
	static char name[64];
	int err = ttyname_r(fd, name, sizeof(name));

	if (!err)
		return name;
	errno = err;
	return NULL;
}
