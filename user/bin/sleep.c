/* SPDX-License-Identifier: MIT */
/* sleep time...: wait; seconds (fractions too), or with m, h, d behind it. */
#include "../lib/util.h"

#include <errno.h>
#include <time.h>

int main(int argc, char **argv)
{
	double total = 0;
	struct timespec t;

	prog_init(argv);
	if (argc < 2)
		usage("time...");
	for (int i = 1; i < argc; i++)
		total += parse_time(argv[i]);
	t.tv_sec = (time_t)total;
	t.tv_nsec = (long)((total - (double)t.tv_sec) * 1e9);
	while (nanosleep(&t, &t) < 0 && errno == EINTR)
		;
	return 0;
}
