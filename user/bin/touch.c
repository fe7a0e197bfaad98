/* SPDX-License-Identifier: MIT */
/* touch [-acm] [-r file | -t [[CC]YY]MMDDhhmm[.ss]] file...: set times to now; make what is
 * missing. */
#include "../lib/util.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static time_t parse_stamp(const char *text)
{
	struct tm tm = {.tm_isdst = -1};
	time_t now = time(NULL);
	size_t digits = strspn(text, "0123456789");
	int n[7] = {0}, count = 0;

	tm.tm_year = localtime(&now)->tm_year;
	if ((digits != 8 && digits != 10 && digits != 12) ||
	    (text[digits] && (text[digits] != '.' || strlen(text + digits) != 3)))
		fatalx("invalid time: %s", text);
	for (size_t i = 0; i < digits; i += 2)
		n[count++] = (text[i] - '0') * 10 + text[i + 1] - '0';
	if (count == 6)
		tm.tm_year = n[0] * 100 + n[1] - 1900;
	else if (count == 5)
		tm.tm_year = n[0] < 69 ? n[0] + 100 : n[0];
	tm.tm_mon = n[count - 4] - 1;
	tm.tm_mday = n[count - 3];
	tm.tm_hour = n[count - 2];
	tm.tm_min = n[count - 1];
	if (text[digits])
		tm.tm_sec = atoi(text + digits + 1);
	return mktime(&tm);
}

int main(int argc, char **argv)
{
	struct timespec times[2] = {{.tv_nsec = UTIME_NOW}, {.tv_nsec = UTIME_NOW}};
	bool create = true, access_time = false, change_time = false;
	struct stat st;
	int c, fd;

	prog_init(argv);
	while ((c = getopt(argc, argv, "acmr:t:")) != -1) {
		switch (c) {
		case 'a':
			access_time = true;
			break;
		case 'm':
			change_time = true;
			break;
		case 'c':
			create = false;
			break;
		case 'r':
			if (stat(optarg, &st) < 0)
				fatal("%s", optarg);
			times[0] = st.st_atim;
			times[1] = st.st_mtim;
			break;
		case 't':
			times[0].tv_sec = times[1].tv_sec = parse_stamp(optarg);
			times[0].tv_nsec = times[1].tv_nsec = 0;
			break;
		default:
			usage("[-acm] [-r file | -t stamp] file...");
		}
	}
	if (optind == argc)
		usage("[-acm] [-r file | -t stamp] file...");
	if (access_time && !change_time)
		times[1].tv_nsec = UTIME_OMIT;
	if (change_time && !access_time)
		times[0].tv_nsec = UTIME_OMIT;
	for (int i = optind; i < argc; i++) {
		if (utimensat(AT_FDCWD, argv[i], times, 0) == 0)
			continue;
		if (errno != ENOENT) {
			warning("%s", argv[i]);
		} else if (create) {
			fd = open(argv[i], O_WRONLY | O_CREAT, 0666);
			if (fd < 0 || close(fd) < 0 || utimensat(AT_FDCWD, argv[i], times, 0) < 0)
				warning("%s", argv[i]);
		}
	}
	return finish();
}
