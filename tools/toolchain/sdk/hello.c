/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdio.h>
#include <sys/utsname.h>

int main(int argc, char **argv)
{
	struct utsname u;

	uname(&u);
	printf("Hello from %s %s on %s: %d argument(s), pi is %.6f\n", u.sysname, u.release,
	       u.machine, argc - 1, 4 * atan(1));
	return argc > 1 && argv[1][0] == '?';
}
