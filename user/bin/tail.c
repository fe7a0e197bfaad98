/* SPDX-License-Identifier: MIT */
/*
 * tail [-f] [-n [+]lines | -c [+]bytes] [file...]: the end of files (10 lines), or with + what
 * begins there; -f waits for more. What may be part of the end is kept in memory; a big file is
 * entered near its end.
 */
#include "../lib/util.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static unsigned long long count = 10;
static bool bytes, from_start, follow;

static void copy_rest(int fd, const char *name)
{
	char buf[4096];
	ssize_t n;

	for (;;) {
		while ((n = read(fd, buf, sizeof(buf))) > 0)
			if (!write_all(1, buf, (size_t)n))
				fatal("standard output");
		if (n < 0)
			warning("%s", name);
		if (n < 0 || !follow)
			return;
		usleep(200 * 1000);
	}
}

static void skip(int fd, const char *name)
{
	unsigned long long left = count ? count - 1 : 0;
	char buf[4096];
	ssize_t n = 0, i = 0;

	while (left > 0 && (n = read(fd, buf, sizeof(buf))) > 0) {
		for (i = 0; i < n && left > 0; i++)
			if (bytes || buf[i] == '\n')
				left--;
	}
	if (n < 0)
		warning("%s", name);
	else if (!write_all(1, buf + i, (size_t)(n - i)))
		fatal("standard output");
}

/* Go near the end of a regular file: read blocks backwards until there are lines enough. */
static void seek_near_end(int fd)
{
	off_t pos = lseek(fd, 0, SEEK_END);
	unsigned long long lines = 0;
	char buf[4096];

	if (pos < 0)
		return;
	if (bytes) {
		lseek(fd, (unsigned long long)pos > count ? pos - (off_t)count : 0, SEEK_SET);
		return;
	}
	while (pos > 0 && lines <= count) {
		size_t want = pos > (off_t)sizeof(buf) ? sizeof(buf) : (size_t)pos;

		pos -= (off_t)want;
		lseek(fd, pos, SEEK_SET);
		if (read(fd, buf, want) != (ssize_t)want)
			break;
		for (size_t i = 0; i < want; i++)
			lines += buf[i] == '\n';
	}
	lseek(fd, pos, SEEK_SET);
}

static void show_end(int fd, const char *name)
{
	size_t room = 65536, len = 0, start;
	char *buf = xmalloc(room);
	unsigned long long lines = 0;
	ssize_t n;

	seek_near_end(fd);
	while ((n = read(fd, buf + len, room - len)) > 0) {
		len += (size_t)n;
		if (bytes && len > count && len > room / 2) {
			memmove(buf, buf + len - count, count);
			len = count;
		}
		if (room - len < 4096) {
			room *= 2;
			buf = xrealloc(buf, room);
		}
	}
	if (n < 0)
		warning("%s", name);
	start = len;
	if (bytes)
		start = len > count ? len - count : 0;
	else if (count > 0)
		while (start > 0 && !(buf[start - 1] == '\n' && start < len && ++lines == count))
			start--;
	if (!write_all(1, buf + start, len - start))
		fatal("standard output");
	free(buf);
}

static void tail(int fd, const char *name)
{
	if (from_start)
		skip(fd, name);
	else
		show_end(fd, name);
	if (from_start || follow)
		copy_rest(fd, name);
}

static void set_count(const char *text)
{
	from_start = *text == '+';
	if (*text == '+' || *text == '-')
		text++;
	if (!parse_size(text, &count))
		fatalx("invalid number: %s", text);
}

int main(int argc, char **argv)
{
	int c;

	prog_init(argv);
	if (argc > 1 && (argv[1][0] == '-' || argv[1][0] == '+') &&
	    isdigit((unsigned char)argv[1][1])) {
		set_count(argv[1]);
		optind = 2;
	}
	while ((c = getopt(argc, argv, "fn:c:q")) != -1) {
		switch (c) {
		case 'f':
			follow = true;
			break;
		case 'n':
		case 'c':
			bytes = c == 'c';
			set_count(optarg);
			break;
		case 'q':
			break;
		default:
			usage("[-f] [-n [+]lines | -c [+]bytes] [file...]");
		}
	}
	if (optind == argc)
		tail(0, "standard input");
	for (int i = optind; i < argc; i++) {
		int fd = open(argv[i], O_RDONLY);

		if (fd < 0) {
			warning("%s", argv[i]);
			continue;
		}
		if (argc - optind > 1) {
			printf("%s==> %s <==\n", i > optind ? "\n" : "", argv[i]);
			fflush(stdout);
		}
		tail(fd, argv[i]);
		close(fd);
	}
	return finish();
}
