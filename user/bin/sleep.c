/* SPDX-License-Identifier: MIT */
/* sleep time...: wait; seconds (fractions too), or with m, h, d behind it. */
#include "../lib/util.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

int main(int argc, char **argv)
{
	double total = 0;
	struct timespec t;

	prog_init(argv);
	if (argc < 2)
		usage("time...");
	for (int i = 1; i < argc; i++) {
		char *end;
		double n = strtod(argv[i], &end);
		int unit = 1;

		if (*end == 's' || *end == 'm' || *end == 'h' || *end == 'd') {
			unit = *end == 'm' ? 60 : *end == 'h' ? 3600 : *end == 'd' ? 86400 : 1;
			end++;
		}
		if (end == argv[i] || *end || !(n >= 0) || n > 1e9)
			fatalx("invalid time: %s", argv[i]);
		total += n * unit;
	}
	t.tv_sec = (time_t)total;
	t.tv_nsec = (long)((total - (double)t.tv_sec) * 1e9);
	while (nanosleep(&t, &t) < 0 && errno == EINTR)
		;
	return 0;
}
