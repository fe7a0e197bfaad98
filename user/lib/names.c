/* SPDX-License-Identifier: MIT */
/* Users and groups by name and number, from /etc/passwd and /etc/group. */
#include "util.h"

#include <ctype.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>

static bool whole_number(const char *text, unsigned *value)
{
	char *end;
	unsigned long n;

	if (!isdigit((unsigned char)*text))
		return false;
	n = strtoul(text, &end, 10);
	*value = (unsigned)n;
	return *end == '\0' && n <= 0xffffffffUL;
}

bool find_user(const char *text, uid_t *uid)
{
	struct passwd *pw = getpwnam(text);
	unsigned n;

	if (!pw && !whole_number(text, &n))
		return false;
	*uid = pw ? pw->pw_uid : (uid_t)n;
	return true;
}

bool find_group(const char *text, gid_t *gid)
{
	struct group *gr = getgrnam(text);
	unsigned n;

	if (!gr && !whole_number(text, &n))
		return false;
	*gid = gr ? gr->gr_gid : (gid_t)n;
	return true;
}

const char *user_name(uid_t uid)
{
	static char number[12];
	struct passwd *pw = getpwuid(uid);

	if (pw)
		return pw->pw_name;
	snprintf(number, sizeof(number), "%u", (unsigned)uid);
	return number;
}

const char *group_name(gid_t gid)
{
	static char number[12];
	struct group *gr = getgrgid(gid);

	if (gr)
		return gr->gr_name;
	snprintf(number, sizeof(number), "%u", (unsigned)gid);
	return number;
}
