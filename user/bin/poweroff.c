/* SPDX-License-Identifier: MIT */
/*
 * poweroff, reboot, halt [-f]: end the system by telling init, which ends what runs and unmounts;
 * with -f at once. crash: panic on purpose, to see what one looks like. One program, four names.
 */
#include "../lib/util.h"

#include <signal.h>
#include <string.h>
#include <sys/reboot.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int how, sig;
	} ways[] = {
		{"halt", REBOOT_HALT, SIGUSR1},
		{"poweroff", REBOOT_POWEROFF, SIGUSR2},
		{"reboot", REBOOT_RESTART, SIGTERM},
		{"crash", REBOOT_CRASH, 0},
	};
	bool at_once = false;
	int c;

	prog_init(argv);
	while ((c = getopt(argc, argv, "f")) != -1) {
		if (c != 'f')
			usage("[-f]");
		at_once = true;
	}
	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		if (strcmp(prog_name, ways[i].name) != 0)
			continue;
		if (!at_once && ways[i].sig) {
			if (kill(1, ways[i].sig) < 0)
				fatal("init");
			return 0;
		}
		sync();
		reboot(ways[i].how);
		fatal("%s", prog_name);
	}
	fatalx("not a name that this program knows");
}
