/* SPDX-License-Identifier: MIT */
/* Block devices: what ioctl() says of them, reading past the caches, what is counted. */
#include "guest.h"

#ifdef __parvix__
#include <sys/ioctl.h>
#include <sys/mount.h>

static char disk[64];
static char buf[1 << 20], again[1 << 20];

/* The device that is the root. */
static int open_disk(int flags)
{
	FILE *f = fopen("/proc/mounts", "r");

	if (f) {
		if (fscanf(f, "%63s", disk) != 1)
			disk[0] = 0;
		fclose(f);
	}
	return open(disk, flags);
}

TEST(what_it_says)
{
	int fd = open_disk(O_RDONLY), sector = 0, ro = -1;
	unsigned long size = 0, sectors = 0;

	REQUIRE(fd >= 0);
	CHECK_EQ(ioctl(fd, BLKGETSIZE64, &size), 0);
	CHECK_EQ(ioctl(fd, BLKGETSIZE, &sectors), 0);
	CHECK_EQ(ioctl(fd, BLKSSZGET, &sector), 0);
	CHECK_EQ(ioctl(fd, BLKROGET, &ro), 0);
	CHECK_EQ((unsigned long)lseek(fd, 0, SEEK_END), size);
	CHECK_EQ(sectors, size / 512);
	CHECK(sector >= 512 && sector <= 4096 && (ro == 0 || ro == 1));
	CHECK_EQ(ioctl(fd, BLKFLSBUF, 0), 0);
	CHECK_ERRNO(ioctl(fd, BLKGETSIZE64, (void *)8), EFAULT);
	CHECK_ERRNO(ioctl(fd, 0x12ff, &size), ENOTTY);
	CHECK_ERRNO(ioctl(fd, BLKRRPART, 0), EBUSY); /* mounted */
	CHECK_ERRNO(ioctl(fd, BLKDISCARD, &size), EBADF);
	close(fd);
	CHECK_ERRNO(open_disk(O_RDWR), EBUSY);
}

TEST(whole_sectors)
{
	int fd = open_disk(O_RDONLY | O_DIRECT);

	REQUIRE(fd >= 0);
	CHECK_EQ(read(fd, buf, 8192), 8192);
	CHECK_ERRNO(read(fd, buf, 100), EINVAL);
	CHECK_EQ(lseek(fd, 3, SEEK_SET), 3);
	CHECK_ERRNO(read(fd, buf, 4096), EINVAL);
	close(fd);
	CHECK_ERRNO(open("/bin/sh", O_RDONLY | O_DIRECT), EINVAL);
}

TEST(large_and_small_reads_agree)
{
	int fd = open_disk(O_RDONLY);

	REQUIRE(fd >= 0);
	CHECK_EQ(read(fd, buf, sizeof(buf)), (ssize_t)sizeof(buf));
	CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
	for (size_t n = 0, part; n < sizeof(again); n += part) {
		part = n % 7919 + 1;
		if (part > sizeof(again) - n)
			part = sizeof(again) - n;
		REQUIRE_EQ(read(fd, again + n, part), (ssize_t)part);
	}
	CHECK(!memcmp(buf, again, sizeof(buf)));
	close(fd);
}

/* Bytes that were read from the disk so far, by /proc/diskstats. */
static unsigned long sectors_read(void)
{
	unsigned long reads, merged, sectors, found = 0;
	FILE *f = fopen("/proc/diskstats", "r");
	char name[64];

	while (f &&
	       fscanf(f, "%*u %*u %63s %lu %lu %lu%*[^\n]", name, &reads, &merged, &sectors) == 4)
		if (!strcmp(name, disk + 5))
			found = sectors;
	if (f)
		fclose(f);
	return found;
}

TEST(requests_are_counted)
{
	int fd = open_disk(O_RDONLY);
	unsigned long before;

	REQUIRE(fd >= 0);
	before = sectors_read();
	CHECK_EQ(read(fd, buf, 65536), 65536);
	CHECK(sectors_read() >= before + 128);
	close(fd);
}

/* More than a sixteenth of memory, written faster than any disk; then read back. */
TEST(a_writer_faster_than_the_disk)
{
	int fd = open("/root/large", O_RDWR | O_CREAT | O_TRUNC, 0644);
	unsigned long n;
	bool same = true;

	REQUIRE(fd >= 0);
	for (n = 0; n < 8; n++) {
		memset(buf, (int)n + 1, sizeof(buf));
		if (write(fd, buf, sizeof(buf)) != (ssize_t)sizeof(buf))
			break; /* the image may be small */
	}
	CHECK_EQ(fsync(fd), 0);
	CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
	for (unsigned long i = 0; i < n; i++) {
		CHECK_EQ(read(fd, again, sizeof(again)), (ssize_t)sizeof(again));
		for (size_t k = 0; k < sizeof(again); k += 509)
			same = same && again[k] == (char)(i + 1);
	}
	CHECK(same && n > 0);
	close(fd);
	unlink("/root/large");
}
#endif
