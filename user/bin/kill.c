/* SPDX-License-Identifier: MIT */
/* kill [-signal | -s signal] pid..., kill -l: send a signal (TERM); -pid is a process group. */
#include "../lib/util.h"

#include <ctype.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define USAGE "[-signal | -s signal] pid... | -l [status]"

static int list(const char *status)
{
	if (status) {
		const char *name = signal_name((int)parse_number(status, "status") & 127);

		if (!name)
			fatalx("%s: not a signal", status);
		puts(name);
		return finish();
	}
	for (int sig = 1; sig < NSIG; sig++)
		if (signal_name(sig))
			printf("%2d %s\n", sig, signal_name(sig));
	return finish();
}

int main(int argc, char **argv)
{
	int sig = SIGTERM, i = 1;

	prog_init(argv);
	if (argc > 1 && strcmp(argv[1], "-l") == 0)
		return list(argv[2]);
	if (argc > 2 && strcmp(argv[1], "-s") == 0) {
		sig = signal_number(argv[2]);
		i = 3;
	} else if (argc > 1 && argv[1][0] == '-' && argv[1][1] && strcmp(argv[1], "--") != 0) {
		sig = signal_number(argv[1] + 1);
		i = 2;
	}
	if (sig < 0)
		fatalx("%s: unknown signal", argv[i - 1]);
	if (i < argc && strcmp(argv[i], "--") == 0)
		i++;
	if (i >= argc)
		usage(USAGE);
	for (; i < argc; i++)
		if (kill((pid_t)parse_number(argv[i], "process number"), sig) < 0)
			warning("%s", argv[i]);
	return finish();
}
