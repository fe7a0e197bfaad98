/* SPDX-License-Identifier: MIT */
/*
 * mknod [-m mode] name b|c|p [major minor]: make a device file or a named pipe.
 * mkfifo [-m mode] name...: make named pipes.
 */
#include "../lib/util.h"

#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	const char *form = "[-m mode] name b|c|p [major minor]";
	bool fifos;
	int mode = 0666, c;
	mode_t type;
	dev_t dev = 0;

	prog_init(argv);
	fifos = strcmp(prog_name, "mkfifo") == 0;
	if (fifos)
		form = "[-m mode] name...";
	while ((c = getopt(argc, argv, "m:")) != -1) {
		if (c != 'm')
			usage(form);
		mode = mode_parse(optarg, 0666, false, 0);
		if (mode < 0)
			fatalx("invalid mode: %s", optarg);
	}
	argv += optind;
	argc -= optind;
	if (fifos && argc > 0) {
		for (; *argv; argv++) {
			if (mkfifo(*argv, (mode_t)mode) < 0)
				warning("%s", *argv);
		}
		return finish();
	}
	if (argc < 2)
		usage(form);
	type = argv[1][0] == 'b' ? S_IFBLK : argv[1][0] == 'p' ? S_IFIFO : S_IFCHR;
	if (argc != (type == S_IFIFO ? 2 : 4))
		usage(form);
	if (type != S_IFIFO)
		dev = makedev((unsigned)parse_number(argv[2], "device number"),
			      (unsigned)parse_number(argv[3], "device number"));
	if (mknod(argv[0], type | (mode_t)mode, dev) < 0)
		fatal("%s", argv[0]);
	return 0;
}
