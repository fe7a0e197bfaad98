/* SPDX-License-Identifier: MIT */
/* Users: /etc/passwd, a line name:password:uid:gid:comment:home:shell each. */
#include <paths.h>
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>
#include "db.h"

static FILE *file;
static struct passwd entry;
static char line[1024];

static int next(FILE *f, struct passwd *pw, char *buf, size_t size)
{
	char *v[7];
	int ret = db_next(f, buf, size, v, 7);

	if (ret > 0) {
		*pw = (struct passwd){.pw_name = v[0],
				      .pw_passwd = v[1],
				      .pw_comment = v[4],
				      .pw_gecos = v[4],
				      .pw_dir = v[5],
				      .pw_shell = v[6]};
		pw->pw_uid = (uid_t)strtoul(v[2], NULL, 10);
		pw->pw_gid = (gid_t)strtoul(v[3], NULL, 10);
	}
	return ret;
}

/* The first entry with this @name, or with this @uid if @name is 0. */
static int find(const char *name, uid_t uid, struct passwd *pw, char *buf, size_t size,
		struct passwd **result)
{
	FILE *f = fopen(_PATH_PASSWD, "re");
	int ret;

	*result = NULL;
	if (!f)
		return errno == ENOENT ? 0 : errno;
	while ((ret = next(f, pw, buf, size)) > 0) {
		if (name ? !strcmp(pw->pw_name, name) : pw->pw_uid == uid) {
			*result = pw;
			break;
		}
	}
	fclose(f);
	return ret < 0 ? ERANGE : 0;
}

int getpwnam_r(const char *name, struct passwd *pw, char *buf, size_t size, struct passwd **result)
{
	return find(name, 0, pw, buf, size, result);
}

int getpwuid_r(uid_t uid, struct passwd *pw, char *buf, size_t size, struct passwd **result)
{
	return find(NULL, uid, pw, buf, size, result);
}

struct passwd *getpwnam(const char *name)
{
	struct passwd *result;
	int err = find(name, 0, &entry, line, sizeof(line), &result);

	if (err)
		errno = err;
	return result;
}

struct passwd *getpwuid(uid_t uid)
{
	struct passwd *result;
	int err = find(NULL, uid, &entry, line, sizeof(line), &result);

	if (err)
		errno = err;
	return result;
}

struct passwd *getpwent(void)
{
	if (!file)
		file = fopen(_PATH_PASSWD, "re");
	return file && next(file, &entry, line, sizeof(line)) > 0 ? &entry : NULL;
}

void setpwent(void)
{
	if (file)
		rewind(file);
}

void endpwent(void)
{
	if (file)
		fclose(file);
	file = NULL;
}

char *getlogin(void)
{
	struct passwd *pw = getpwuid(getuid());

	return pw ? pw->pw_name : NULL;
}

int getlogin_r(char *buf, size_t size)
{
	const char *name = getlogin();

	if (!name)
		return ENXIO;
	return strlcpy(buf, name, size) < size ? 0 : ERANGE;
}
