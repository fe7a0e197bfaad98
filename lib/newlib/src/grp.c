/* SPDX-License-Identifier: MIT */
/* Groups: /etc/group, a line name:password:gid:member,member... each. */
#include <grp.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>
#include "db.h"

static FILE *file;
static struct group entry;
static char line[2048];

/* The line goes to the front of @buf, the list of members behind it. */
static int next(FILE *f, struct group *gr, char *buf, size_t size)
{
	char *v[4], *p, **mem;
	size_t used;
	int ret = db_next(f, buf, size, v, 4);

	if (ret <= 0)
		return ret;
	used = v[3] - buf + strlen(v[3]) + 1;
	mem = (char **)(((uintptr_t)buf + used + 7) & ~(uintptr_t)7);
	gr->gr_name = v[0];
	gr->gr_passwd = v[1];
	gr->gr_gid = (gid_t)strtoul(v[2], NULL, 10);
	gr->gr_mem = mem;
	for (p = v[3]; p && *p;) {
		if ((char *)(mem + 2) > buf + size)
			goto range;
		*mem++ = p;
		p = strchr(p, ',');
		if (p)
			*p++ = 0;
	}
	if ((char *)(mem + 1) > buf + size)
		goto range;
	*mem = NULL;
	return 1;
range:
	errno = ERANGE;
	return -1;
}

static int find(const char *name, gid_t gid, struct group *gr, char *buf, size_t size,
		struct group **result)
{
	FILE *f = fopen(_PATH_GROUP, "re");
	int ret;

	*result = NULL;
	if (!f)
		return errno == ENOENT ? 0 : errno;
	while ((ret = next(f, gr, buf, size)) > 0) {
		if (name ? !strcmp(gr->gr_name, name) : gr->gr_gid == gid) {
			*result = gr;
			break;
		}
	}
	fclose(f);
	return ret < 0 ? ERANGE : 0;
}

int getgrnam_r(const char *name, struct group *gr, char *buf, size_t size, struct group **result)
{
	return find(name, 0, gr, buf, size, result);
}

int getgrgid_r(gid_t gid, struct group *gr, char *buf, size_t size, struct group **result)
{
	return find(NULL, gid, gr, buf, size, result);
}

struct group *getgrnam(const char *name)
{
	struct group *result;
	int err = find(name, 0, &entry, line, sizeof(line), &result);

	if (err)
		errno = err;
	return result;
}

struct group *getgrgid(gid_t gid)
{
	struct group *result;
	int err = find(NULL, gid, &entry, line, sizeof(line), &result);

	if (err)
		errno = err;
	return result;
}

struct group *getgrent(void)
{
	if (!file)
		file = fopen(_PATH_GROUP, "re");
	return file && next(file, &entry, line, sizeof(line)) > 0 ? &entry : NULL;
}

void setgrent(void)
{
	if (file)
		rewind(file);
}

void endgrent(void)
{
	if (file)
		fclose(file);
	file = NULL;
}

/* All groups that name @user, after @gid, into @list; the count goes to @n, -1 if there are more.
 */
int getgrouplist(const char *user, gid_t gid, gid_t *list, int *n)
{
	int found = 0, room = *n;
	struct group *gr;
	char **m;

	if (found < room)
		list[found] = gid;
	found++;
	setgrent();
	while ((gr = getgrent())) {
		for (m = gr->gr_mem; *m && strcmp(*m, user); m++)
			;
		if (!*m || gr->gr_gid == gid)
			continue;
		if (found < room)
			list[found] = gr->gr_gid;
		found++;
	}
	endgrent();
	*n = found;
	return found <= room ? found : -1;
}

int initgroups(const char *user, gid_t gid)
{
	gid_t list[NGROUPS_MAX];
	int n = NGROUPS_MAX;

	getgrouplist(user, gid, list, &n);
	return setgroups(n < NGROUPS_MAX ? n : NGROUPS_MAX, list);
}
