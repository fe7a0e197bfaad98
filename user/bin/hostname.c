/* SPDX-License-Identifier: MIT */
/* hostname [name]: print the host's name, or set it. */
#include "../lib/util.h"

#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct utsname u;

	prog_init(argv);
	if (argc > 2)
		usage("[name]");
	if (argc == 2) {
		if (sethostname(argv[1], strlen(argv[1])) < 0)
			fatal("%s", argv[1]);
		return 0;
	}
	if (uname(&u) < 0)
		fatal("uname");
	puts(u.nodename);
	return finish();
}
