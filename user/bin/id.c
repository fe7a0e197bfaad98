/* SPDX-License-Identifier: MIT */
/* id [-ugn]: user and group of this process. Called whoami: the user's name. */
#include "../lib/util.h"

#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	bool user = false, group = false, name = false;
	int c;

	prog_init(argv);
	if (strcmp(prog_name, "whoami") == 0)
		user = name = true;
	while ((c = getopt(argc, argv, "ugn")) != -1) {
		switch (c) {
		case 'u':
			user = true;
			break;
		case 'g':
			group = true;
			break;
		case 'n':
			name = true;
			break;
		default:
			usage("[-ugn]");
		}
	}
	if (user && name)
		puts(user_name(geteuid()));
	else if (user)
		printf("%u\n", (unsigned)geteuid());
	else if (group && name)
		puts(group_name(getegid()));
	else if (group)
		printf("%u\n", (unsigned)getegid());
	else
		printf("uid=%u(%s) gid=%u(%s)\n", (unsigned)geteuid(), user_name(geteuid()),
		       (unsigned)getegid(), group_name(getegid()));
	return finish();
}
