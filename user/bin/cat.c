/* SPDX-License-Identifier: MIT */
/*
 * cat [-entuv] [file...]: copy files to standard output; -n numbers the lines, -v shows what is not
 * text as ^X and M-x, -t tabs as well, -e the ends of lines as $.
 */
#include "../lib/util.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static bool number, visible, tabs, ends;
static unsigned long line = 1;
static bool at_start = true;

static void put_visible(unsigned char c)
{
	if (c == '\n' && ends)
		putchar_unlocked('$');
	if (!visible || c == '\n' || (c == '\t' && !tabs)) {
		putchar_unlocked(c);
		return;
	}
	if (c >= 0x80) {
		fputs("M-", stdout);
		c &= 0x7f;
	}
	if (c < ' ' || c == 0x7f) {
		putchar_unlocked('^');
		c ^= 0x40;
	}
	putchar_unlocked(c);
}

static void copy_changed(const char *buf, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (number && at_start)
			printf("%6lu\t", line++);
		at_start = buf[i] == '\n';
		put_visible((unsigned char)buf[i]);
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
		if (number || visible)
			copy_changed(buf, (size_t)n);
		else if (!write_all(1, buf, (size_t)n))
			fatal("standard output");
	}
}

int main(int argc, char **argv)
{
	int c;

	prog_init(argv);
	while ((c = getopt(argc, argv, "entuv")) != -1) {
		if (c == '?')
			usage("[-entuv] [file...]");
		number |= c == 'n';
		ends |= c == 'e';
		tabs |= c == 't';
		visible |= c == 'v' || c == 'e' || c == 't'; /* -u: it is never buffered here */
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
