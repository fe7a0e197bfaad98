/* SPDX-License-Identifier: MIT */
/* sync: write all changes to the disks. */
#include <unistd.h>

int main(void)
{
	sync();
	return 0;
}
