/* SPDX-License-Identifier: MIT */
/*
 * blockdev --getsize64 | --getsz | --getss | --getro | --flushbufs | --rereadpt DEVICE ...: ask a
 * block device, or have it do something.
 */
#include "../lib/util.h"

#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

static const struct {
	const char *name;
	unsigned long request;
	unsigned result; /* bytes; 0: none */
	unsigned divide;
} requests[] = {
	{"--getsize64", BLKGETSIZE64, 8, 1}, {"--getsz", BLKGETSIZE64, 8, 512},
	{"--getss", BLKSSZGET, 4, 1},        {"--getro", BLKROGET, 4, 1},
	{"--flushbufs", BLKFLSBUF, 0, 1},    {"--rereadpt", BLKRRPART, 0, 1},
};

int main(int argc, char **argv)
{
	unsigned r = 0;

	prog_init(argv);
	while (argc > 1 && r < ARRAY_LEN(requests) && strcmp(argv[1], requests[r].name) != 0)
		r++;
	if (argc < 3 || r == ARRAY_LEN(requests))
		usage("--getsize64|--getsz|--getss|--getro|--flushbufs|--rereadpt device ...");
	for (int i = 2; i < argc; i++) {
		int fd = open(argv[i], O_RDONLY);
		uint64_t value = 0;

		if (fd < 0 || ioctl(fd, requests[r].request, &value))
			warning("%s", argv[i]);
		else if (requests[r].result)
			printf("%lu\n", (unsigned long)(value / requests[r].divide));
		if (fd >= 0)
			close(fd);
	}
	return finish();
}
