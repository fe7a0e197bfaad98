/* SPDX-License-Identifier: MIT */
/* date [-u] [-d @seconds] [-s @seconds] [+format]: print the time, as strftime() has it, or set it.
 */
#include "../lib/util.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static struct timespec parse(const char *text)
{
	struct timespec t = {0};
	char *end;

	t.tv_sec = (time_t)strtoll(text + (*text == '@'), &end, 10);
	if (end == text || *end)
		fatalx("invalid time: %s", text);
	return t;
}

int main(int argc, char **argv)
{
	const char *format = "%a %b %e %H:%M:%S %Z %Y";
	bool utc = false;
	struct timespec t;
	struct tm *tm;
	char buf[1024];
	int c;

	prog_init(argv);
	clock_gettime(CLOCK_REALTIME, &t);
	while ((c = getopt(argc, argv, "ud:s:R")) != -1) {
		switch (c) {
		case 'u':
			utc = true;
			break;
		case 'd':
			t = parse(optarg);
			break;
		case 's':
			t = parse(optarg);
			if (clock_settime(CLOCK_REALTIME, &t) < 0)
				fatal("cannot set the time");
			break;
		case 'R':
			format = "%a, %d %b %Y %H:%M:%S %z";
			break;
		default:
			usage("[-uR] [-d @seconds] [-s @seconds] [+format]");
		}
	}
	if (optind < argc && argv[optind][0] == '+')
		format = argv[optind++] + 1;
	if (optind < argc)
		usage("[-uR] [-d @seconds] [-s @seconds] [+format]");
	if (utc)
		setenv("TZ", "UTC0", 1);
	tm = localtime(&t.tv_sec);
	if (!tm || (strftime(buf, sizeof(buf), format, tm) == 0 && *format))
		fatalx("the format is too long");
	puts(*format ? buf : "");
	return finish();
}
