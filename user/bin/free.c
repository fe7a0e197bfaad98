/* SPDX-License-Identifier: MIT */
/* free [-bhkm]: memory, total, used and free. */
#include "../lib/util.h"

#include <sys/sysinfo.h>
#include <unistd.h>

static unsigned shift = 10;
static bool human;

static void print(unsigned long pages, unsigned long page_size)
{
	unsigned long long bytes = (unsigned long long)pages * page_size;
	char buf[24];

	if (human)
		human_size(bytes, buf);
	else
		snprintf(buf, sizeof(buf), "%llu", bytes >> shift);
	printf(" %10s", buf);
}

int main(int argc, char **argv)
{
	struct sysinfo info;
	int c;

	prog_init(argv);
	while ((c = getopt(argc, argv, "bhkm")) != -1) {
		switch (c) {
		case 'b':
			shift = 0;
			break;
		case 'h':
			human = true;
			break;
		case 'k':
			shift = 10;
			break;
		case 'm':
			shift = 20;
			break;
		default:
			usage("[-bhkm]");
		}
	}
	if (sysinfo(&info) < 0)
		fatal("sysinfo");
	printf("%5s %10s %10s %10s %10s %10s\n", "", "total", "used", "free", "cache", "available");
	printf("%5s", "Mem:");
	print(info.pages_total, info.page_size);
	print(info.pages_total - info.pages_free - info.pages_cache, info.page_size);
	print(info.pages_free, info.page_size);
	print(info.pages_cache, info.page_size);
	print(info.pages_free + info.pages_cache, info.page_size);
	putchar_unlocked('\n');
	return finish();
}
