/* SPDX-License-Identifier: MIT */
/* mount [-t type] [-o options] [device directory]: mount a file system, or show what is mounted. */
#include "../lib/util.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

static int show(void)
{
	char device[256], where[256], type[64], options[128];
	FILE *f = fopen("/proc/mounts", "r");

	if (!f)
		fatal("/proc/mounts");
	while (fscanf(f, "%255s %255s %63s %127s %*[^\n]", device, where, type, options) == 4)
		printf("%s on %s type %s (%s)\n", device, where, type, options);
	fclose(f);
	return finish();
}

int main(int argc, char **argv)
{
	const char *type = "ext2";
	unsigned long flags = 0;
	char rest[256] = "";
	int c;

	prog_init(argv);
	while ((c = getopt(argc, argv, "rt:o:")) != -1) {
		switch (c) {
		case 'r':
			flags |= MS_RDONLY;
			break;
		case 't':
			type = optarg;
			break;
		case 'o':
			for (char *o = strtok(optarg, ","); o; o = strtok(NULL, ",")) {
				if (strcmp(o, "ro") == 0)
					flags |= MS_RDONLY;
				else if (strcmp(o, "rw") == 0)
					flags &= ~(unsigned long)MS_RDONLY;
				else if (strcmp(o, "nosuid") == 0)
					flags |= MS_NOSUID;
				else if (strcmp(o, "noexec") == 0)
					flags |= MS_NOEXEC;
				else if (strcmp(o, "remount") == 0)
					flags |= MS_REMOUNT;
				else /* the file system's own */
					snprintf(rest + strlen(rest), sizeof(rest) - strlen(rest),
						 "%s%s", *rest ? "," : "", o);
			}
			break;
		default:
			usage("[-r] [-t type] [-o options] [device directory]");
		}
	}
	if (optind == argc)
		return show();
	if ((flags & MS_REMOUNT) && argc - optind == 1)
		argv[--optind] = "none";
	if (argc - optind != 2)
		usage("[-r] [-t type] [-o options] [device directory]");
	if (mount(argv[optind], argv[optind + 1], type, flags, rest) < 0)
		fatal("%s on %s", argv[optind], argv[optind + 1]);
	return 0;
}
