/* SPDX-License-Identifier: MIT */
/* uname [-amnrsv]: name the system; -a all of it. */
#include "../lib/util.h"

#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	static const char order[] = "snrvm";
	const char *between = "";
	bool want[sizeof(order)] = {false};
	struct utsname u;
	int c;

	prog_init(argv);
	if (argc == 1)
		want[0] = true;
	while ((c = getopt(argc, argv, "amnrsv")) != -1) {
		if (c == '?')
			usage("[-amnrsv]");
		for (size_t i = 0; i < sizeof(order) - 1; i++)
			if (c == 'a' || c == order[i])
				want[i] = true;
	}
	if (uname(&u) < 0)
		fatal("uname");
	const char *texts[] = {u.sysname, u.nodename, u.release, u.version, u.machine};

	for (size_t i = 0; i < sizeof(order) - 1; i++) {
		if (!want[i])
			continue;
		printf("%s%s", between, texts[i]);
		between = " ";
	}
	putchar_unlocked('\n');
	return finish();
}
