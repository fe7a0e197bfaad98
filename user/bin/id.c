/* SPDX-License-Identifier: MIT */
/*
 * id [-ugGn] [name]: users and groups of this process, or of the user @name. Called whoami: the
 * user's name; called groups: the names of all groups.
 */
#include "../lib/util.h"

#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

static uid_t uid, euid;
static gid_t gid, egid, groups[NGROUPS_MAX];
static int count = NGROUPS_MAX;

static void find_ids(const char *user)
{
	struct passwd *pw = user ? getpwnam(user) : NULL;

	if (user && !pw)
		fatalx("no user %s", user);
	uid = pw ? pw->pw_uid : getuid();
	euid = pw ? pw->pw_uid : geteuid();
	gid = pw ? pw->pw_gid : getgid();
	egid = pw ? pw->pw_gid : getegid();
	if (pw)
		getgrouplist(user, gid, groups, &count);
	else
		count = getgroups(NGROUPS_MAX, groups);
}

static void print_groups(bool name)
{
	if (name)
		printf("%s", group_name(egid));
	else
		printf("%u", (unsigned)egid);
	for (int i = 0; i < count; i++) {
		if (groups[i] == egid)
			continue;
		if (name)
			printf(" %s", group_name(groups[i]));
		else
			printf(" %u", (unsigned)groups[i]);
	}
	putchar_unlocked('\n');
}

static void print_all(void)
{
	printf("uid=%u(%s) gid=%u(%s)", (unsigned)uid, user_name(uid), (unsigned)gid,
	       group_name(gid));
	if (euid != uid)
		printf(" euid=%u(%s)", (unsigned)euid, user_name(euid));
	if (egid != gid)
		printf(" egid=%u(%s)", (unsigned)egid, group_name(egid));
	for (int i = 0; i < count; i++)
		printf("%s%u(%s)", i ? "," : " groups=", (unsigned)groups[i],
		       group_name(groups[i]));
	putchar_unlocked('\n');
}

int main(int argc, char **argv)
{
	char what = 0;
	bool name = false;
	int c;

	prog_init(argv);
	if (strcmp(prog_name, "whoami") == 0) {
		what = 'u';
		name = true;
	} else if (strcmp(prog_name, "groups") == 0) {
		what = 'G';
		name = true;
	}
	while ((c = getopt(argc, argv, "ugGn")) != -1) {
		if (c == 'n')
			name = true;
		else if (c == 'u' || c == 'g' || c == 'G')
			what = (char)c;
		else
			usage("[-ugGn] [name]");
	}
	find_ids(argv[optind]);
	if (what == 'u' && name)
		puts(user_name(euid));
	else if (what == 'u')
		printf("%u\n", (unsigned)euid);
	else if (what == 'g' && name)
		puts(group_name(egid));
	else if (what == 'g')
		printf("%u\n", (unsigned)egid);
	else if (what == 'G')
		print_groups(name);
	else
		print_all();
	return finish();
}
