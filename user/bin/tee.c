/* SPDX-License-Identifier: MIT */
/* tee [-ai] [file...]: copy standard input to standard output and to files. */
#include "../lib/util.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int flags = O_TRUNC, c, count = 0;
	char buf[8192];
	ssize_t n;

	prog_init(argv);
	while ((c = getopt(argc, argv, "ai")) != -1) {
		if (c == 'a')
			flags = O_APPEND;
		else if (c == 'i')
			signal(SIGINT, SIG_IGN);
		else
			usage("[-ai] [file...]");
	}
	int fds[argc + 1];
	const char *names[argc + 1];

	fds[count] = 1;
	names[count++] = "standard output";
	for (int i = optind; i < argc; i++) {
		fds[count] = open(argv[i], O_WRONLY | O_CREAT | flags, 0666);
		names[count] = argv[i];
		if (fds[count] < 0)
			warning("%s", argv[i]);
		else
			count++;
	}
	while ((n = read(0, buf, sizeof(buf))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			warning("standard input");
			break;
		}
		for (int i = 0; i < count; i++) {
			if (fds[i] >= 0 && !write_all(fds[i], buf, (size_t)n)) {
				warning("%s", names[i]);
				fds[i] = -1;
			}
		}
	}
	return finish();
}
