/* SPDX-License-Identifier: MIT */
/* pwd [-LP]: print the working directory; -L believes $PWD if it names the same directory. */
#include "../lib/util.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	const char *env = getenv("PWD");
	struct stat here, there;
	bool logical = false;
	char buf[1024];
	int c;

	prog_init(argv);
	while ((c = getopt(argc, argv, "LP")) != -1) {
		if (c == '?')
			usage("[-LP]");
		logical = c == 'L';
	}
	if (logical && env && env[0] == '/' && stat(env, &there) == 0 && stat(".", &here) == 0 &&
	    here.st_dev == there.st_dev && here.st_ino == there.st_ino)
		puts(env);
	else if (getcwd(buf, sizeof(buf)))
		puts(buf);
	else
		fatal("cannot find the current directory");
	return finish();
}
