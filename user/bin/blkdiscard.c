/* SPDX-License-Identifier: MIT */
/* blkdiscard [-o offset] [-l length] DEVICE: what is on it is not needed any more. */
#include "../lib/util.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	uint64_t range[2] = {0, ~0ull}, size;
	int c, fd;

	prog_init(argv);
	while ((c = getopt(argc, argv, "o:l:")) != -1) {
		if (c == '?')
			usage("[-o offset] [-l length] device");
		range[c == 'l'] = strtoull(optarg, NULL, 0);
	}
	if (argc - optind != 1)
		usage("[-o offset] [-l length] device");
	fd = open(argv[optind], O_RDWR);
	if (fd < 0 || ioctl(fd, BLKGETSIZE64, &size))
		fatal("%s", argv[optind]);
	if (range[0] > size)
		fatalx("%s: has %lu bytes only", argv[optind], (unsigned long)size);
	if (range[1] > size - range[0])
		range[1] = size - range[0];
	if (ioctl(fd, BLKDISCARD, range))
		fatal("%s", argv[optind]);
	return 0;
}
