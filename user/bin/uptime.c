/* SPDX-License-Identifier: MIT */
/* uptime: the time, how long the system has been up, processes, and the load of 1, 5, 15 minutes.
 */
#include "../lib/util.h"

#include <sys/sysinfo.h>
#include <time.h>

int main(int argc, char **argv)
{
	time_t now = time(NULL);
	struct sysinfo info;
	unsigned long minutes;
	struct tm *tm = localtime(&now);

	(void)argc;
	prog_init(argv);
	if (sysinfo(&info) < 0)
		fatal("sysinfo");
	minutes = info.uptime_ns / 1000000000 / 60;
	printf(" %02d:%02d:%02d up ", tm->tm_hour, tm->tm_min, tm->tm_sec);
	if (minutes >= 1440)
		printf("%lu day%s, ", minutes / 1440, minutes >= 2880 ? "s" : "");
	printf("%lu:%02lu, %lu processes, load", minutes / 60 % 24, minutes % 60, info.processes);
	for (int i = 0; i < 3; i++)
		printf(" %lu.%02lu", info.loads[i] >> 16, ((info.loads[i] & 0xffff) * 100) >> 16);
	putchar_unlocked('\n');
	return finish();
}
