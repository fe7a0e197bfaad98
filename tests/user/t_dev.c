/* SPDX-License-Identifier: MIT */
/* /dev: null, zero, full, random, tty, console, and the disk. */
#include "guest.h"

static unsigned char buf[3 * PAGE + 5];

static bool all(int c, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		if (buf[i] != c)
			return false;
	return true;
}

TEST(null)
{
	int fd = open("/dev/null", O_RDWR);

	REQUIRE(fd >= 0);
	CHECK_EQ(read(fd, buf, 10), 0);
	CHECK_EQ(write(fd, buf, sizeof(buf)), (ssize_t)sizeof(buf));
	CHECK_EQ(lseek(fd, 100, SEEK_SET) >= 0, 1);
	close(fd);
	fd = open("/dev/null", O_WRONLY | O_CREAT | O_TRUNC, 0644); /* as in cmd >/dev/null */
	CHECK(fd >= 0);
	close(fd);
}

TEST(zero)
{
	int fd = open("/dev/zero", O_RDWR);

	REQUIRE(fd >= 0);
	memset(buf, 1, sizeof(buf));
	CHECK_EQ(read(fd, buf + 1, sizeof(buf) - 2), (ssize_t)sizeof(buf) - 2);
	CHECK(buf[0] == 1 && buf[sizeof(buf) - 1] == 1 && all(0, 1, sizeof(buf) - 1));
	CHECK_EQ(write(fd, buf, 100), 100);
	close(fd);
}

TEST(full)
{
	int fd = open("/dev/full", O_RDWR);

	REQUIRE(fd >= 0);
	CHECK_ERRNO(write(fd, buf, 1), ENOSPC);
	memset(buf, 1, sizeof(buf));
	CHECK_EQ(read(fd, buf, 100), 100);
	CHECK(all(0, 0, 100));
	close(fd);
}

TEST(random_numbers)
{
	static const char *const names[] = {"/dev/random", "/dev/urandom"};
	unsigned char other[64];

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		unsigned counts[256] = {0};
		int fd = open(names[i], O_RDONLY), missing = 0;

		REQUIRE(fd >= 0);
		CHECK_EQ(read(fd, buf, 64), 64);
		CHECK_EQ(read(fd, other, 64), 64);
		CHECK(memcmp(buf, other, 64) != 0);
		CHECK(read(fd, buf, sizeof(buf)) > 1000);
		for (size_t j = 0; j < sizeof(buf); j++)
			counts[buf[j]]++;
		for (int j = 0; j < 256; j++)
			missing += counts[j] == 0;
		CHECK(missing < 8);
		close(fd);
	}
}

TEST(kinds_and_numbers)
{
	static const char *const names[] = {"null", "zero", "full", "random", "tty", "console"};
	dev_t seen[ARRAY_LEN(names)];
	char path[32];

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct stat st;

		snprintf(path, sizeof(path), "/dev/%s", names[i]);
		REQUIRE_EQ(stat(path, &st), 0);
		CHECK(S_ISCHR(st.st_mode));
		seen[i] = st.st_rdev;
		for (size_t j = 0; j < i; j++)
			CHECK(seen[i] != seen[j]);
	}
	CHECK_ERRNO(open("/dev/none", O_RDONLY), ENOENT);
}

#ifdef __parvix__
TEST(the_disk)
{
	struct stat st;
	int fd = open("/dev/ram0", O_RDONLY);

	if (fd < 0) {
		test_note("no /dev/ram0: errno %d", errno);
		return;
	}
	CHECK_EQ(fstat(fd, &st), 0);
	CHECK(S_ISBLK(st.st_mode));
	CHECK_EQ(pread(fd, buf, 1024, 1024), 1024);
	CHECK(buf[56] == 0x53 && buf[57] == 0xef); /* the super-block's magic number */
	CHECK_EQ(pread(fd, buf, 512, 1L << 40), 0);
	CHECK(lseek(fd, 0, SEEK_END) > 1 << 20);
	close(fd);
}

TEST(no_files_in_dev)
{
	CHECK(open("/dev/newfile", O_WRONLY | O_CREAT, 0644) == -1);
	CHECK(unlink("/dev/null") == -1);
	CHECK(mkdir("/dev/newdir", 0755) == -1);
}
#endif
