/* SPDX-License-Identifier: MIT */
/*
 * Files and directories: names, links, attributes, sizes, holes, errors. Everything is done twice:
 * in /tmp (tmpfs) and in /var/tmp (the root's file system, ext2).
 */
#include "guest.h"

#include <dirent.h>
#include <limits.h>
#include <sys/statvfs.h>
#include <sys/time.h>
#ifdef __parvix__
#include <sys/mount.h>
#endif

static const char *const places[] = {"/tmp", "/var/tmp"};

/* A test in each of the places, in a directory of its own. */
#define IN_BOTH(name)                                                        \
	static void in_place_##name(void);                                   \
	TEST(name)                                                           \
	{                                                                    \
		for (size_t place = 0; place < ARRAY_LEN(places); place++) { \
			REQUIRE(enter_scratch(places[place]));               \
			in_place_##name();                                   \
			leave_scratch(places[place]);                        \
		}                                                            \
	}                                                                    \
	static void in_place_##name(void)

static bool has(const char *path, const char *text)
{
	char buf[256] = "";
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof(buf) - 1);

	if (fd >= 0)
		close(fd);
	return n >= 0 && strcmp(buf, text) == 0;
}

static off_t size_of(const char *path)
{
	struct stat st;

	return lstat(path, &st) < 0 ? -1 : st.st_size;
}

static long links_of(const char *path)
{
	struct stat st;

	return lstat(path, &st) < 0 ? -1 : (long)st.st_nlink;
}

static ino_t ino_of(const char *path)
{
	struct stat st;

	return stat(path, &st) < 0 ? 0 : st.st_ino;
}

IN_BOTH(create_read_remove)
{
	REQUIRE(make_file("a", "hello", 5));
	CHECK(has("a", "hello"));
	CHECK_EQ(size_of("a"), 5);
	CHECK_EQ(links_of("a"), 1);
	CHECK_EQ(unlink("a"), 0);
	CHECK_EQ(size_of("a"), -1);
	CHECK_ERRNO(unlink("a"), ENOENT);
}

IN_BOTH(name_errors)
{
	char name[300], path[5000];
	struct stat st;

	memset(name, 'n', sizeof(name));
	name[255] = '\0';
	CHECK(make_file(name, "x", 1));
	CHECK_EQ(unlink(name), 0);
	name[255] = 'n';
	name[256] = '\0';
	CHECK_ERRNO(open(name, O_WRONLY | O_CREAT, 0644), ENAMETOOLONG);
	CHECK_ERRNO(mkdir(name, 0755), ENAMETOOLONG);
	for (size_t i = 0; i + 2 < sizeof(path); i += 2)
		memcpy(path + i, "./", 3);
	CHECK_ERRNO(stat(path, &st), ENAMETOOLONG);
	REQUIRE(make_file("file", "", 0));
	CHECK_ERRNO(stat("file/x", &st), ENOTDIR);
	CHECK_ERRNO(stat("file/", &st), ENOTDIR);
	CHECK_ERRNO(stat("none/x", &st), ENOENT);
	CHECK_ERRNO(stat("", &st), ENOENT);
	CHECK_ERRNO(mkdir("none/x", 0755), ENOENT);
	CHECK_ERRNO(mkdir("file/x", 0755), ENOTDIR);
	CHECK_ERRNO(rmdir("none"), ENOENT);
	CHECK_ERRNO(open("new/", O_WRONLY | O_CREAT, 0644), EISDIR);
	CHECK_EQ(stat(".//././", &st), 0);
	CHECK_EQ(stat("/../../..", &st), 0);
}

IN_BOTH(directories)
{
	struct stat st;

	CHECK_EQ(links_of("."), 2);
	CHECK_EQ(mkdir("d", 0750), 0);
	CHECK_EQ(links_of("."), 3);
	CHECK_EQ(links_of("d"), 2);
	CHECK_EQ(stat("d", &st), 0);
	CHECK(S_ISDIR(st.st_mode) && (st.st_mode & 07777) == 0750);
	CHECK_ERRNO(mkdir("d", 0755), EEXIST);
	CHECK_EQ(mkdir("d/e/", 0755), 0);
	CHECK_EQ(ino_of("d/e/.."), st.st_ino);
	CHECK_ERRNO(rmdir("d"), ENOTEMPTY);
	CHECK_ERRNO(rmdir("d/e/."), EINVAL);
	CHECK(rmdir("d/e/..") == -1 && (errno == ENOTEMPTY || errno == EINVAL));
	CHECK(unlink("d") == -1 && (errno == EISDIR || errno == EPERM));
	CHECK_EQ(rmdir("d/e"), 0);
	CHECK_EQ(rmdir("d"), 0);
	CHECK_EQ(links_of("."), 2);
	REQUIRE(make_file("f", "", 0));
	CHECK_ERRNO(rmdir("f"), ENOTDIR);
	CHECK_ERRNO(mkdir("f", 0755), EEXIST);
}

IN_BOTH(hard_links)
{
	REQUIRE(make_file("a", "one", 3));
	CHECK_EQ(link("a", "b"), 0);
	CHECK_EQ(links_of("a"), 2);
	CHECK_EQ(ino_of("a"), ino_of("b"));
	CHECK_ERRNO(link("a", "b"), EEXIST);
	CHECK_ERRNO(link("none", "c"), ENOENT);
	CHECK_ERRNO(link(".", "c"), EPERM);
	CHECK_EQ(unlink("a"), 0);
	CHECK_EQ(links_of("b"), 1);
	CHECK(has("b", "one"));
}

IN_BOTH(symbolic_links)
{
	char buf[400], target[320];
	struct stat st;

	REQUIRE(make_file("a", "one", 3));
	CHECK_EQ(symlink("a", "s"), 0);
	CHECK_EQ(lstat("s", &st), 0);
	CHECK(S_ISLNK(st.st_mode) && st.st_size == 1);
	CHECK_EQ(stat("s", &st), 0);
	CHECK(S_ISREG(st.st_mode));
	CHECK(has("s", "one"));
	CHECK_EQ(readlink("s", buf, sizeof(buf)), 1);
	CHECK_ERRNO(readlink("a", buf, sizeof(buf)), EINVAL);
	CHECK_ERRNO(readlink("none", buf, sizeof(buf)), ENOENT);
	CHECK_ERRNO(symlink("a", "s"), EEXIST);
	CHECK_ERRNO(symlink("", "empty"), ENOENT);
	/* Short ones are kept in the inode, long ones in a block. */
	memset(target, 't', sizeof(target));
	target[200] = '\0';
	CHECK_EQ(symlink(target, "long"), 0);
	CHECK_EQ(readlink("long", buf, sizeof(buf)), 200);
	CHECK_MEM(buf, target, 200);
	CHECK_EQ(readlink("long", buf, 10), 10);
	CHECK_EQ(unlink("long"), 0);
	/* Dangling: writing through it makes the file. */
	CHECK_EQ(symlink("later", "d"), 0);
	CHECK_ERRNO(stat("d", &st), ENOENT);
	CHECK_ERRNO(open("d", O_WRONLY | O_CREAT | O_EXCL, 0644), EEXIST);
	CHECK(make_file("d", "x", 1));
	CHECK(has("later", "x"));
	/* Loops. */
	CHECK_EQ(symlink("l2", "l1"), 0);
	CHECK_EQ(symlink("l1", "l2"), 0);
	CHECK_ERRNO(stat("l1", &st), ELOOP);
	CHECK_ERRNO(open("l1", O_WRONLY | O_CREAT, 0644), ELOOP);
	CHECK_EQ(lstat("l1", &st), 0);
	/* On the way, and at the end of a directory's name. */
	CHECK_EQ(mkdir("dir", 0755), 0);
	CHECK_EQ(symlink("dir", "ld"), 0);
	CHECK(make_file("ld/inside", "i", 1));
	CHECK(has("dir/inside", "i"));
	CHECK_ERRNO(rmdir("ld"), ENOTDIR);
	CHECK_EQ(lstat("ld/", &st), 0);
	CHECK(S_ISDIR(st.st_mode));
	/* Links are neither removed nor renamed through. */
	CHECK_EQ(unlink("ld"), 0);
	CHECK(has("dir/inside", "i"));
}

IN_BOTH(renaming)
{
	ino_t ino;

	REQUIRE(make_file("a", "A", 1) && make_file("b", "B", 1));
	ino = ino_of("a");
	CHECK_EQ(rename("a", "c"), 0);
	CHECK_EQ(ino_of("c"), ino);
	CHECK_EQ(rename("c", "b"), 0); /* replaces */
	CHECK(has("b", "A"));
	CHECK_EQ(size_of("c"), -1);
	CHECK_EQ(rename("b", "b"), 0);
	CHECK_EQ(link("b", "b2"), 0);
	CHECK_EQ(rename("b", "b2"), 0); /* the same file: nothing happens */
	CHECK_EQ(links_of("b"), 2);
	CHECK_ERRNO(rename("none", "x"), ENOENT);
	REQUIRE(mkdir("d", 0755) == 0 && mkdir("d/e", 0755) == 0 && mkdir("empty", 0755) == 0);
	CHECK_ERRNO(rename("d", "d/e/f"), EINVAL);
	CHECK_ERRNO(rename("b", "d"), EISDIR);
	CHECK_ERRNO(rename("d", "b"), ENOTDIR);
	CHECK_ERRNO(rename("empty", "d"), ENOTEMPTY);
	CHECK_EQ(rename("d/e", "empty"), 0); /* onto an empty one */
	CHECK_EQ(links_of("d"), 2);
	CHECK_EQ(rename("empty", "d/moved"), 0);
	CHECK_EQ(ino_of("d/moved/.."), ino_of("d"));
	CHECK_EQ(links_of("d"), 3);
	CHECK_EQ(links_of("."), 3);
	CHECK(rename("d/.", "x") == -1 && (errno == EINVAL || errno == EBUSY));
	CHECK_EQ(rename("b", "d/file"), 0);
	CHECK(has("d/file", "A"));
}

IN_BOTH(attributes)
{
	struct timespec times[2] = {{1000, 0}, {2000, 0}};
	struct stat st;
	time_t now;

	umask(022);
	REQUIRE(make_file("a", "x", 1));
	now = time(NULL);
	CHECK_EQ(stat("a", &st), 0);
	CHECK_EQ(st.st_mode, S_IFREG | 0644);
	CHECK_EQ(st.st_uid, getuid());
	CHECK(st.st_mtime >= now - 5 && st.st_mtime <= now + 5);
	CHECK_EQ(chmod("a", 04711), 0);
	CHECK_EQ(stat("a", &st), 0);
	CHECK_EQ(st.st_mode & 07777, 04711);
	CHECK_EQ(utimensat(AT_FDCWD, "a", times, 0), 0);
	CHECK_EQ(stat("a", &st), 0);
	CHECK_EQ(st.st_atime, 1000);
	CHECK_EQ(st.st_mtime, 2000);
	CHECK(st.st_ctime >= now - 5);
	CHECK_EQ(chown("a", 12, 34), 0);
	CHECK_EQ(stat("a", &st), 0);
	CHECK(st.st_uid == 12 && st.st_gid == 34);
	CHECK_EQ(chown("a", (uid_t)-1, 35), 0);
	CHECK_EQ(stat("a", &st), 0);
	CHECK(st.st_uid == 12 && st.st_gid == 35);
	CHECK_EQ(access("a", R_OK | W_OK), 0);
	CHECK_EQ(chmod("a", 0644), 0);
	CHECK_ERRNO(access("a", X_OK), EACCES); /* even for root */
	CHECK_ERRNO(access("none", F_OK), ENOENT);
	CHECK_ERRNO(chmod("none", 0644), ENOENT);
	CHECK_ERRNO(chown("none", 1, 1), ENOENT);
	CHECK_EQ(symlink("a", "s"), 0);
	CHECK_EQ(lchown("s", 77, 78), 0);
	CHECK_EQ(lstat("s", &st), 0);
	CHECK_EQ(st.st_uid, 77);
	CHECK_EQ(stat("s", &st), 0);
	CHECK_EQ(st.st_uid, 12);
}

IN_BOTH(writing_changes_the_times)
{
	struct timespec old[2] = {{1000, 0}, {1000, 0}};
	struct stat st;
	int fd;

	REQUIRE(make_file("a", "x", 1));
	CHECK_EQ(utimensat(AT_FDCWD, "a", old, 0), 0);
	fd = open("a", O_RDWR);
	CHECK_EQ(fstat(fd, &st), 0);
	CHECK_EQ(st.st_mtime, 1000);
	CHECK_EQ(write(fd, "y", 1), 1);
	CHECK_EQ(fstat(fd, &st), 0);
	CHECK(st.st_mtime > 1000);
	close(fd);
	CHECK_EQ(utimensat(AT_FDCWD, ".", old, 0), 0);
	CHECK_EQ(unlink("a"), 0);
	CHECK_EQ(stat(".", &st), 0);
	CHECK(st.st_mtime > 1000);
}

IN_BOTH(truncating)
{
	char buf[100];
	int fd;

	REQUIRE(make_file("a", "0123456789", 10));
	CHECK_EQ(truncate("a", 4), 0);
	CHECK(has("a", "0123"));
	CHECK_EQ(truncate("a", 8), 0);
	fd = open("a", O_RDWR);
	CHECK_EQ(read(fd, buf, sizeof(buf)), 8);
	CHECK_MEM(buf, "0123\0\0\0\0", 8); /* what was cut off does not come back */
	CHECK_EQ(ftruncate(fd, 100000), 0);
	CHECK_EQ(pread(fd, buf, 100, 99950), 50);
	for (int i = 0; i < 50; i++)
		CHECK_EQ(buf[i], 0);
	CHECK_EQ(ftruncate(fd, 0), 0);
	CHECK_EQ(size_of("a"), 0);
	CHECK_ERRNO(ftruncate(fd, -1), EINVAL);
	CHECK_ERRNO(truncate(".", 0), EISDIR);
	CHECK_ERRNO(truncate("none", 0), ENOENT);
	close(fd);
}

static unsigned char pattern(unsigned long pos)
{
	return (unsigned char)(pos * 31 + (pos >> 12) * 7 + (pos >> 20));
}

IN_BOTH(big_file)
{
	enum { SIZE = 3 << 20 }; /* past what direct blocks hold, into the indirect ones */
	static unsigned char buf[32768];
	struct stat st;
	int fd = open("big", O_RDWR | O_CREAT, 0644);

	REQUIRE(fd >= 0);
	for (unsigned long pos = 0; pos < SIZE; pos += sizeof(buf)) {
		for (size_t i = 0; i < sizeof(buf); i++)
			buf[i] = pattern(pos + i);
		REQUIRE_EQ(write(fd, buf, sizeof(buf)), (ssize_t)sizeof(buf));
	}
	CHECK_EQ(fstat(fd, &st), 0);
	CHECK_EQ(st.st_size, SIZE);
	CHECK(st.st_blocks >= SIZE / 512);
	for (unsigned long pos = 1; pos < SIZE; pos += 77777) {
		ssize_t n = pread(fd, buf, 5000, (off_t)pos);

		CHECK(n == 5000 || pos + (unsigned long)n == SIZE);
		for (ssize_t i = 0; i < n; i++)
			if (buf[i] != pattern(pos + (unsigned long)i)) {
				CHECK_THAT(false, "byte %lu is wrong", pos + (unsigned long)i);
				break;
			}
	}
	/* Overwriting in the middle, across a block's border. */
	CHECK_EQ(pwrite(fd, "MIDDLE", 6, (1 << 20) - 3), 6);
	CHECK_EQ(pread(fd, buf, 8, (1 << 20) - 4), 8);
	CHECK_MEM(buf + 1, "MIDDLE", 6);
	CHECK_EQ(buf[0], pattern((1 << 20) - 4));
	CHECK_EQ(buf[7], pattern((1 << 20) + 3));
	CHECK_EQ(ftruncate(fd, 1 << 20), 0);
	CHECK_EQ(fstat(fd, &st), 0);
	CHECK(st.st_blocks * 512 < (1 << 20) + 65536);
	CHECK_EQ(fsync(fd), 0);
	close(fd);
}

IN_BOTH(holes)
{
	static const off_t at[] = {0, 5000, 60000, 5 << 20, 20 << 20, 1500000000};
	struct stat st;
	char buf[10];
	int fd = open("sparse", O_RDWR | O_CREAT, 0644);

	REQUIRE(fd >= 0);
	for (size_t i = 0; i < ARRAY_LEN(at); i++)
		REQUIRE_EQ(pwrite(fd, "data", 4, at[i]), 4);
	CHECK_EQ(fstat(fd, &st), 0);
	CHECK_EQ(st.st_size, at[ARRAY_LEN(at) - 1] + 4);
	CHECK(st.st_blocks * 512 < 1 << 20);
	for (size_t i = 0; i < ARRAY_LEN(at); i++) {
		CHECK_EQ(pread(fd, buf, 4, at[i]), 4);
		CHECK_MEM(buf, "data", 4);
		CHECK_EQ(pread(fd, buf, 4, at[i] + 100), i + 1 < ARRAY_LEN(at) ? 4 : 0);
		if (i + 1 < ARRAY_LEN(at))
			CHECK_MEM(buf, "\0\0\0\0", 4);
	}
	CHECK_EQ(ftruncate(fd, 100), 0);
	CHECK_EQ(fstat(fd, &st), 0);
	CHECK(st.st_blocks <= 8 + 8);
	close(fd);
}

IN_BOTH(an_open_file_outlives_its_name)
{
	char buf[8] = "";
	int fd = open("a", O_RDWR | O_CREAT, 0644);
	struct stat st;

	REQUIRE(fd >= 0);
	CHECK_EQ(write(fd, "still", 5), 5);
	CHECK_EQ(unlink("a"), 0);
	CHECK_EQ(fstat(fd, &st), 0);
	CHECK_EQ(st.st_nlink, 0);
	CHECK_EQ(pread(fd, buf, 5, 0), 5);
	CHECK_STR(buf, "still");
	CHECK_EQ(write(fd, " here", 5), 5);
	CHECK(make_file("a", "another", 7));
	CHECK_EQ(fstat(fd, &st), 0);
	CHECK_EQ(st.st_size, 10);
	close(fd);
	CHECK(has("a", "another"));
}

IN_BOTH(blocks_come_back)
{
	struct statvfs before, after;
	static char block[65536];
	int fd;

	CHECK_EQ(statvfs(".", &before), 0);
	fd = open("a", O_WRONLY | O_CREAT, 0644);
	for (int i = 0; i < 20; i++)
		CHECK_EQ(write(fd, block, sizeof(block)), (ssize_t)sizeof(block));
	close(fd);
	sync();
	CHECK_EQ(statvfs(".", &after), 0);
	CHECK(after.f_bfree < before.f_bfree);
	CHECK_EQ(unlink("a"), 0);
	sync();
	CHECK_EQ(statvfs(".", &after), 0);
#ifdef __parvix__
	if (strcmp(places[1], "/var/tmp") == 0 && before.f_files)
		CHECK_EQ(after.f_ffree, before.f_ffree);
#endif
}

IN_BOTH(working_directory)
{
	char here[PATH_MAX], buf[PATH_MAX];
	int fd = open(".", O_RDONLY);

	REQUIRE(getcwd(here, sizeof(here)) != NULL);
	REQUIRE_EQ(mkdir("d", 0755), 0);
	CHECK_EQ(chdir("d"), 0);
	CHECK(getcwd(buf, sizeof(buf)) != NULL);
	CHECK(strncmp(buf, here, strlen(here)) == 0 && strcmp(buf + strlen(here), "/d") == 0);
	CHECK_ERRNO(getcwd(buf, 3) ? 0 : -1, ERANGE);
	CHECK_ERRNO(chdir("none"), ENOENT);
	CHECK(make_file("f", "", 0));
	CHECK_ERRNO(chdir("f"), ENOTDIR);
	CHECK_EQ(unlink("f"), 0);
	CHECK_EQ(rmdir("../d"), 0); /* while we are in it */
	CHECK_ERRNO(getcwd(buf, sizeof(buf)) ? 0 : -1, ENOENT);
	CHECK_ERRNO(open("x", O_WRONLY | O_CREAT, 0644), ENOENT);
	CHECK_EQ(fchdir(fd), 0);
	CHECK(getcwd(buf, sizeof(buf)) != NULL);
	CHECK_STR(buf, here);
	CHECK_ERRNO(fchdir(99), EBADF);
	close(fd);
}

IN_BOTH(devices_by_number)
{
	struct stat st, null;
	char c = 1;
	int fd;

	REQUIRE_EQ(stat("/dev/null", &null), 0);
	if (mknod("null", S_IFCHR | 0666, null.st_rdev) < 0) {
		CHECK_EQ(errno, EPERM);
		return;
	}
	CHECK_EQ(stat("null", &st), 0);
	CHECK(S_ISCHR(st.st_mode) && st.st_rdev == null.st_rdev);
	fd = open("null", O_RDWR);
	CHECK(fd >= 0);
	CHECK_EQ(write(fd, "xyz", 3), 3);
	CHECK_EQ(read(fd, &c, 1), 0);
	close(fd);
	REQUIRE_EQ(mknod("odd", S_IFCHR | 0666, (dev_t)77 << 20 | 5), 0);
	CHECK_ERRNO(open("odd", O_RDONLY), ENXIO);
}

#ifdef __parvix__
TEST(between_file_systems)
{
	REQUIRE(enter_scratch("/tmp"));
	REQUIRE(make_file("a", "x", 1));
	CHECK_ERRNO(link("a", "/var/tmp/a"), EXDEV);
	CHECK_ERRNO(rename("a", "/var/tmp/a"), EXDEV);
	CHECK_ERRNO(rename("/tmp", "/tmp2"), EBUSY);
	leave_scratch("/tmp");
}

TEST(mounting)
{
	struct statvfs v;
	struct stat below, above;

	REQUIRE(enter_scratch("/var/tmp"));
	REQUIRE(mkdir("m", 0755) == 0 && make_file("m/hidden", "h", 1));
	CHECK_EQ(stat("m", &below), 0);
	REQUIRE_EQ(mount("tmpfs", "m", "tmpfs", 0, NULL), 0);
	CHECK_EQ(stat("m", &above), 0);
	CHECK(above.st_dev != below.st_dev);
	CHECK_EQ(size_of("m/hidden"), -1);
	CHECK(make_file("m/f", "x", 1));
	CHECK_EQ(ino_of("m/.."), ino_of("."));
	CHECK_ERRNO(rmdir("m"), EBUSY);
	CHECK_ERRNO(rename("m", "n"), EBUSY);
	CHECK_EQ(chdir("m"), 0);
	CHECK_ERRNO(umount("../m"), EBUSY);
	CHECK_EQ(chdir(".."), 0);
	CHECK_EQ(umount("m"), 0);
	CHECK(has("m/hidden", "h"));
	CHECK_ERRNO(umount("m"), EINVAL);
	CHECK_ERRNO(mount("x", "m", "nofs", 0, NULL), ENODEV);
	CHECK_ERRNO(mount("x", "none", "tmpfs", 0, NULL), ENOENT);
	CHECK_ERRNO(mount("x", "m/hidden", "tmpfs", 0, NULL), ENOTDIR);
	CHECK(mount("/var/tmp", "m", "ext2", 0, NULL) == -1);
	/* Read-only. */
	REQUIRE_EQ(mount("tmpfs", "m", "tmpfs", MS_RDONLY, NULL), 0);
	CHECK_ERRNO(open("m/x", O_WRONLY | O_CREAT, 0644), EROFS);
	CHECK_ERRNO(mkdir("m/x", 0755), EROFS);
	CHECK_EQ(statvfs("m", &v), 0);
	CHECK(v.f_flag & ST_RDONLY);
	CHECK_EQ(umount("m"), 0);
	leave_scratch("/var/tmp");
}
#endif

IN_BOTH(two_at_once)
{
	pid_t pids[3];

	for (int w = 0; w < 3; w++)
		pids[w] = START({
			char name[32];

			for (int i = 0; i < 60; i++) {
				snprintf(name, sizeof(name), "%d.%d", w, i % 7);
				CHILD_CHECK(make_file(name, name, strlen(name)));
				CHILD_CHECK(has(name, name));
				CHILD_CHECK(rename(name, "common") == 0);
			}
		});
	for (int w = 0; w < 3; w++)
		CHECK_EXIT(wait_status(pids[w]), 0);
	CHECK_EQ(links_of("common"), 1);
}
