/* SPDX-License-Identifier: MIT */
/* cat [-nu] [file...]: copy files to standard output; -n numbers the lines. */
#include "../lib/util.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static bool number;
static unsigned long line = 1;
static bool at_start = true;

static void copy_numbered(const char *buf, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (at_start)
			printf("%6lu\t", line++);
		at_start = buf[i] == '\n';
		putchar(buf[i]);
	}
	fflush(stdout);
}

static void cat(int fd, const char *name)
{
	static char buf[32768];

	for (;;) {
		ssize_t n = read(fd, buf, sizeof(buf));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			warning("%s", name);
		if (n <= 0)
			return;
		if (number)
			copy_numbered(buf, (size_t)n);
		else if (!write_all(1, buf, (size_t)n))
			fatal("standard output");
	}
}

int main(int argc, char **argv)
{
	int c;

	prog_init(argv);
	while ((c = getopt(argc, argv, "nu")) != -1) {
		if (c == 'n')
			number = true;
		else if (c != 'u') /* never buffered here */
			usage("[-nu] [file...]");
	}
	if (optind == argc)
		cat(0, "standard input");
	for (int i = optind; i < argc; i++) {
		bool is_stdin = strcmp(argv[i], "-") == 0;
		int fd = is_stdin ? 0 : open(argv[i], O_RDONLY);

		if (fd < 0) {
			warning("%s", argv[i]);
			continue;
		}
		cat(fd, argv[i]);
		if (!is_stdin)
			close(fd);
	}
	return finish();
}
