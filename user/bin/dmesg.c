/* SPDX-License-Identifier: MIT */
/* dmesg: the kernel's messages, from /proc/kmsg. */
#include "../lib/util.h"

#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
	size_t len;
	char *text;

	prog_init(argv);
	if (argc > 1)
		usage("");
	text = read_file("/proc/kmsg", &len);
	if (!text)
		fatal("/proc/kmsg");
	fwrite(text, 1, len, stdout);
	free(text);
	return finish();
}
