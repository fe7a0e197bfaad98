/* SPDX-License-Identifier: MIT */
/* chown [-hR] [user][:group] file...: change owner and group. Called chgrp, it takes a group. */
#include "../lib/util.h"

#include <string.h>
#include <unistd.h>

static uid_t uid = (uid_t)-1;
static gid_t gid = (gid_t)-1;
static bool no_follow;

static enum walk_next change(const char *path, const struct stat *st, int depth, void *ctx)
{
	bool link = no_follow || (depth > 0 && st && S_ISLNK(st->st_mode));

	(void)ctx;
	if ((link ? lchown(path, uid, gid) : chown(path, uid, gid)) < 0)
		warning("%s", path);
	return WALK_ON;
}

static void parse_owner(char *text)
{
	char *colon = strchr(text, ':');

	if (colon)
		*colon++ = '\0';
	if (*text && !find_user(text, &uid))
		fatalx("unknown user: %s", text);
	if (colon && *colon && !find_group(colon, &gid))
		fatalx("unknown group: %s", colon);
}

int main(int argc, char **argv)
{
	bool recursive = false;
	int c;

	prog_init(argv);
	while ((c = getopt(argc, argv, "hR")) != -1) {
		switch (c) {
		case 'h':
			no_follow = true;
			break;
		case 'R':
			recursive = true;
			break;
		default:
			usage("[-hR] [user][:group] file...");
		}
	}
	if (argc - optind < 2)
		usage("[-hR] [user][:group] file...");
	if (strcmp(prog_name, "chgrp") != 0)
		parse_owner(argv[optind]);
	else if (!find_group(argv[optind], &gid))
		fatalx("unknown group: %s", argv[optind]);
	for (int i = optind + 1; i < argc; i++) {
		if (recursive)
			walk(argv[i], 0, change, NULL);
		else
			change(argv[i], NULL, 0, NULL);
	}
	return finish();
}
