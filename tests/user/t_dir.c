/* SPDX-License-Identifier: MIT */
/* Reading directories. */
#include "guest.h"

#include <dirent.h>

#define FILES 300

static bool seen[FILES];

static void make_many(void)
{
	char name[40];

	for (int i = 0; i < FILES; i++) {
		snprintf(name, sizeof(name), "name-%d%s", i, i % 3 ? "" : "-and-a-longer-tail");
		REQUIRE(make_file(name, "", 0));
	}
}

/* Every file once, and . and .. */
static void read_all(DIR *dir)
{
	struct dirent *d;
	int count = 0, dots = 0;

	memset(seen, 0, sizeof(seen));
	while ((errno = 0, d = readdir(dir))) {
		int i = -1;

		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0) {
			dots++;
			continue;
		}
		CHECK_EQ(sscanf(d->d_name, "name-%d", &i), 1);
		REQUIRE(i >= 0 && i < FILES);
		CHECK(!seen[i]);
		seen[i] = true;
		count++;
	}
	CHECK_EQ(errno, 0);
	CHECK_EQ(count, FILES);
	CHECK_EQ(dots, 2);
}

static void list_in(const char *place)
{
	struct dirent *d;
	struct stat st;
	DIR *dir;
	long where;
	char name[256];
	int left = 0;

	REQUIRE(enter_scratch(place));
	make_many();
	dir = opendir(".");
	REQUIRE(dir != NULL);
	read_all(dir);
	rewinddir(dir);
	read_all(dir);
	/* Back to a place in the middle. */
	rewinddir(dir);
	for (int i = 0; i < 100; i++)
		CHECK(readdir(dir) != NULL);
	where = telldir(dir);
	d = readdir(dir);
	REQUIRE(d != NULL);
	snprintf(name, sizeof(name), "%s", d->d_name);
	for (int i = 0; i < 50; i++)
		readdir(dir);
	seekdir(dir, where);
	d = readdir(dir);
	REQUIRE(d != NULL);
	CHECK_STR(d->d_name, name);
	closedir(dir);
	/* Inode numbers and types are those of stat. */
	dir = opendir(".");
	while ((d = readdir(dir))) {
		if (strcmp(d->d_name, "..") == 0)
			continue;
		CHECK_EQ(stat(d->d_name, &st), 0);
		CHECK_EQ(d->d_ino, st.st_ino);
		CHECK(d->d_type == DT_UNKNOWN ||
		      d->d_type == (S_ISDIR(st.st_mode) ? DT_DIR : DT_REG));
	}
	/* Removing what was just read must not skip others. */
	rewinddir(dir);
	while ((d = readdir(dir)))
		if (d->d_name[0] == 'n')
			CHECK_EQ(unlink(d->d_name), 0);
	rewinddir(dir);
	while ((d = readdir(dir)))
		left++;
	CHECK_EQ(left, 2);
	closedir(dir);
	leave_scratch(place);
}

TEST(listing_tmpfs)
{
	list_in("/tmp");
}

TEST(listing_ext2)
{
	list_in("/var/tmp");
}

TEST(types)
{
	struct dirent *d;
	int found = 0;
	DIR *dir;

	REQUIRE(enter_scratch("/var/tmp"));
	REQUIRE(mkdir("dir", 0755) == 0 && symlink("x", "link") == 0 && mkfifo("fifo", 0644) == 0);
	dir = opendir(".");
	while ((d = readdir(dir))) {
		int want = strcmp(d->d_name, "dir") == 0    ? DT_DIR
			   : strcmp(d->d_name, "link") == 0 ? DT_LNK
			   : strcmp(d->d_name, "fifo") == 0 ? DT_FIFO
							    : -1;

		if (want < 0)
			continue;
		found++;
		CHECK(d->d_type == want || d->d_type == DT_UNKNOWN);
	}
	CHECK_EQ(found, 3);
	closedir(dir);
	leave_scratch("/var/tmp");
}

TEST(errors)
{
	CHECK_ERRNO(opendir("/none") ? 0 : -1, ENOENT);
	CHECK_ERRNO(opendir("/bin/sh") ? 0 : -1, ENOTDIR);
}

TEST(a_removed_directory_is_empty)
{
	DIR *dir;

	REQUIRE(enter_scratch("/tmp"));
	REQUIRE_EQ(mkdir("d", 0755), 0);
	dir = opendir("d");
	CHECK_EQ(rmdir("d"), 0);
	errno = 0;
	while (readdir(dir))
		;
	CHECK(errno == 0 || errno == ENOENT);
	closedir(dir);
	leave_scratch("/tmp");
}

TEST(slots_are_used_again)
{
	char name[40];
	struct stat before, after;

	/* Names come and go: the directory must not grow without end. */
	REQUIRE(enter_scratch("/var/tmp"));
	for (int i = 0; i < 50; i++) {
		snprintf(name, sizeof(name), "temporary-%d", i);
		REQUIRE(make_file(name, "", 0));
		REQUIRE_EQ(unlink(name), 0);
	}
	CHECK_EQ(stat(".", &before), 0);
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "temporary-%d", i);
		REQUIRE(make_file(name, "", 0));
		REQUIRE_EQ(unlink(name), 0);
	}
	CHECK_EQ(stat(".", &after), 0);
	CHECK_EQ(after.st_size, before.st_size);
	leave_scratch("/var/tmp");
}

TEST(relative_to_an_open_directory)
{
	char buf[16] = "";
	struct stat st;
	int dir, fd;

	REQUIRE(enter_scratch("/tmp"));
	REQUIRE_EQ(mkdir("d", 0755), 0);
	dir = open("d", O_RDONLY | O_DIRECTORY);
	REQUIRE(dir >= 0);
	fd = openat(dir, "f", O_WRONLY | O_CREAT, 0644);
	CHECK(fd >= 0);
	close(fd);
	CHECK_EQ(stat("d/f", &st), 0);
	CHECK_EQ(fstatat(dir, "f", &st, 0), 0);
	CHECK_EQ(mkdirat(dir, "e", 0755), 0);
	CHECK_EQ(symlinkat("f", dir, "e/s"), 0);
	CHECK_EQ(readlinkat(dir, "e/s", buf, sizeof(buf)), 1);
	CHECK_EQ(fstatat(dir, "e/s", &st, AT_SYMLINK_NOFOLLOW), 0);
	CHECK(S_ISLNK(st.st_mode));
	CHECK_EQ(renameat(dir, "f", AT_FDCWD, "g"), 0);
	CHECK_EQ(linkat(AT_FDCWD, "g", dir, "h", 0), 0);
	CHECK_EQ(stat("d/h", &st), 0);
	CHECK_EQ(unlinkat(dir, "h", 0), 0);
	CHECK_EQ(unlinkat(dir, "e/s", 0), 0);
	CHECK_EQ(unlinkat(dir, "e", AT_REMOVEDIR), 0);
	CHECK_ERRNO(openat(dir, "none", O_RDONLY), ENOENT);
	CHECK_ERRNO(openat(99, "x", O_RDONLY), EBADF);
	fd = openat(99, "/etc/passwd", O_RDONLY);
	CHECK(fd >= 0); /* absolute: the directory does not count */
	CHECK_ERRNO(openat(fd, "x", O_RDONLY), ENOTDIR);
	close(fd);
	close(dir);
	leave_scratch("/tmp");
}
