/* SPDX-License-Identifier: MIT */
/* umount directory...: take mounted file systems away. */
#include "../lib/util.h"

#include <sys/mount.h>

int main(int argc, char **argv)
{
	prog_init(argv);
	if (argc < 2)
		usage("directory...");
	for (int i = 1; i < argc; i++)
		if (umount2(argv[i], 0) < 0)
			warning("%s", argv[i]);
	return finish();
}
