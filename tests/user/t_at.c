/* SPDX-License-Identifier: MIT */
/* Names relative to an open directory. */
#include "guest.h"

#include <dirent.h>

static const char *const places[] = {"/tmp", "/var/tmp"};

/* A directory `d` with the file `f` in it, opened; the working directory is elsewhere. */
static int start(const char *place)
{
	int dir;

	CHECK(enter_scratch(place));
	CHECK_EQ(mkdir("d", 0755), 0);
	CHECK_EQ(mkdir("elsewhere", 0755), 0);
	CHECK(make_file("d/f", "text", 4));
	dir = open("d", O_RDONLY | O_DIRECTORY);
	CHECK(dir >= 0);
	CHECK_EQ(chdir("elsewhere"), 0);
	return dir;
}

static void names_in(const char *place)
{
	int dir = start(place), fd;
	struct stat st, st2;
	char buf[16];

	fd = openat(dir, "g", O_RDWR | O_CREAT | O_EXCL, 0600);
	CHECK(fd >= 0);
	CHECK_EQ(fstat(fd, &st), 0);
	CHECK_EQ(fstatat(dir, "g", &st2, 0), 0);
	CHECK_EQ(st.st_ino, st2.st_ino);
	CHECK_EQ(st.st_mode, S_IFREG | 0600);
	close(fd);
	CHECK_EQ(fstatat(AT_FDCWD, "../d/g", &st2, 0), 0);
	CHECK_EQ(st.st_ino, st2.st_ino);

	CHECK_EQ(mkdirat(dir, "sub", 0700), 0);
	CHECK_EQ(mkdirat(dir, "sub/deep/", 0700), 0);
	CHECK_EQ(mkfifoat(dir, "sub/fifo", 0600), 0);
	CHECK_EQ(fstatat(dir, "sub/fifo", &st, 0), 0);
	CHECK(S_ISFIFO(st.st_mode));
	CHECK_EQ(mknodat(dir, "plain", S_IFREG | 0640, 0), 0);
	CHECK_EQ(fstatat(dir, "plain", &st, 0), 0);
	CHECK_EQ(st.st_mode, S_IFREG | 0640);

	CHECK_EQ(symlinkat("f", dir, "link"), 0);
	CHECK_EQ(readlinkat(dir, "link", buf, sizeof(buf)), 1);
	CHECK_EQ(buf[0], 'f');
	CHECK_EQ(fstatat(dir, "link", &st, 0), 0);
	CHECK(S_ISREG(st.st_mode));
	CHECK_EQ(fstatat(dir, "link", &st, AT_SYMLINK_NOFOLLOW), 0);
	CHECK(S_ISLNK(st.st_mode));

	CHECK_EQ(linkat(dir, "f", AT_FDCWD, "here", 0), 0);
	CHECK_EQ(stat("here", &st), 0);
	CHECK_EQ(st.st_nlink, 2);
	CHECK_EQ(linkat(dir, "link", dir, "sub/l1", 0), 0);
	CHECK_EQ(fstatat(dir, "sub/l1", &st, AT_SYMLINK_NOFOLLOW), 0);
	CHECK(S_ISLNK(st.st_mode));
	CHECK_EQ(st.st_nlink, 2);
	CHECK_EQ(linkat(dir, "link", dir, "sub/l2", AT_SYMLINK_FOLLOW), 0);
	CHECK_EQ(fstatat(dir, "sub/l2", &st, AT_SYMLINK_NOFOLLOW), 0);
	CHECK(S_ISREG(st.st_mode));
	CHECK_EQ(st.st_nlink, 3);

	CHECK_EQ(renameat(AT_FDCWD, "here", dir, "sub/there"), 0);
	CHECK_ERRNO(access("here", F_OK), ENOENT);
	CHECK_EQ(faccessat(dir, "sub/there", R_OK, 0), 0);
	CHECK_EQ(faccessat(dir, "sub/there", R_OK, AT_EACCESS), 0);

	CHECK_EQ(unlinkat(dir, "sub/there", 0), 0);
	CHECK_ERRNO(unlinkat(dir, "sub/deep", 0), EISDIR);
	CHECK_ERRNO(unlinkat(dir, "sub/l1", AT_REMOVEDIR), ENOTDIR);
	CHECK_ERRNO(unlinkat(dir, "sub", AT_REMOVEDIR), ENOTEMPTY);
	CHECK_EQ(unlinkat(dir, "sub/deep", AT_REMOVEDIR), 0);
	CHECK_EQ(unlinkat(AT_FDCWD, "../d/g", 0), 0);
	close(dir);
	leave_scratch(place);
}

TEST(names_below_an_open_directory)
{
	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		names_in(places[i]);
}

static void attributes_in(const char *place)
{
	struct timespec ts[2] = {{1000, 5000}, {2000, 6000}};
	int dir = start(place);
	struct stat st;

	CHECK_EQ(symlinkat("f", dir, "link"), 0);
	CHECK_EQ(fchmodat(dir, "f", 0604, 0), 0);
	CHECK_EQ(fstatat(dir, "f", &st, 0), 0);
	CHECK_EQ(st.st_mode & 07777, 0604);
	CHECK_EQ(fchmodat(dir, "link", 0640, 0), 0);
	CHECK_EQ(fstatat(dir, "f", &st, 0), 0);
	CHECK_EQ(st.st_mode & 07777, 0640);
	CHECK_ERRNO(fchmodat(dir, "link", 0640, AT_SYMLINK_NOFOLLOW), EOPNOTSUPP);
	CHECK_EQ(fchownat(dir, "f", -1, getegid(), 0), 0);
	CHECK_EQ(fchownat(dir, "link", geteuid(), -1, AT_SYMLINK_NOFOLLOW), 0);

	CHECK_EQ(utimensat(dir, "f", ts, 0), 0);
	CHECK_EQ(fstatat(dir, "link", &st, 0), 0);
	CHECK_EQ(st.st_atime, 1000);
	CHECK_EQ(st.st_mtime, 2000);
	ts[0].tv_nsec = UTIME_OMIT;
	ts[1].tv_sec = 3000;
	CHECK_EQ(utimensat(dir, "link", ts, AT_SYMLINK_NOFOLLOW), 0);
	CHECK_EQ(fstatat(dir, "f", &st, 0), 0);
	CHECK_EQ(st.st_mtime, 2000);
	CHECK_EQ(fstatat(dir, "link", &st, AT_SYMLINK_NOFOLLOW), 0);
	CHECK_EQ(st.st_mtime, 3000);
	ts[1].tv_nsec = UTIME_NOW;
	CHECK_EQ(utimensat(dir, "f", ts, 0), 0);
	CHECK_EQ(fstatat(dir, "f", &st, 0), 0);
	CHECK_EQ(st.st_atime, 1000);
	CHECK(st.st_mtime > 3000);
	ts[0].tv_nsec = 1000000000;
	CHECK_ERRNO(utimensat(dir, "f", ts, 0), EINVAL);
	CHECK_EQ(utimensat(dir, "f", NULL, 0), 0);
	CHECK_EQ(fstatat(dir, "f", &st, 0), 0);
	CHECK(st.st_atime > 3000);
	close(dir);
	leave_scratch(place);
}

TEST(attributes_below_an_open_directory)
{
	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		attributes_in(places[i]);
}

TEST(wrong_directories)
{
	int dir = start("/tmp"), file = openat(dir, "f", O_RDONLY), fds[2];
	char here[256], path[400];
	struct stat st;

	CHECK_ERRNO(openat(99, "f", O_RDONLY), EBADF);
	CHECK_ERRNO(openat(-1, "f", O_RDONLY), EBADF);
	CHECK_ERRNO(openat(file, "f", O_RDONLY), ENOTDIR);
	CHECK_ERRNO(fstatat(file, "f", &st, 0), ENOTDIR);
	CHECK_ERRNO(mkdirat(99, "x", 0700), EBADF);
	CHECK_ERRNO(mkdirat(file, "x", 0700), ENOTDIR);
	CHECK_ERRNO(unlinkat(99, "f", 0), EBADF);
	CHECK_ERRNO(renameat(dir, "f", 99, "x"), EBADF);
	CHECK_ERRNO(renameat(99, "f", dir, "x"), EBADF);
	CHECK_ERRNO(linkat(dir, "f", file, "x", 0), ENOTDIR);
	CHECK_ERRNO(symlinkat("f", 99, "x"), EBADF);
	CHECK_ERRNO(readlinkat(99, "f", path, sizeof(path)), EBADF);
	CHECK_ERRNO(faccessat(file, "f", R_OK, 0), ENOTDIR);
	CHECK_ERRNO(fchmodat(99, "f", 0600, 0), EBADF);
	CHECK_ERRNO(fchownat(99, "f", -1, -1, 0), EBADF);
	CHECK_ERRNO(utimensat(99, "f", NULL, 0), EBADF);
	CHECK_ERRNO(openat(dir, "", O_RDONLY), ENOENT);
	CHECK_ERRNO(openat(dir, "absent", O_RDONLY), ENOENT);
	CHECK_ERRNO(fstatat(dir, "f/x", &st, 0), ENOTDIR);
	CHECK_ERRNO(readlinkat(dir, "f", path, sizeof(path)), EINVAL);
	REQUIRE_EQ(pipe(fds), 0);
	CHECK_ERRNO(openat(fds[0], "f", O_RDONLY), ENOTDIR);
	/* Nobody looks at the descriptor for an absolute path. */
	REQUIRE(getcwd(here, sizeof(here)) != NULL);
	snprintf(path, sizeof(path), "%s/../d/f", here);
	CHECK_EQ(fstatat(99, path, &st, 0), 0);
	CHECK_EQ(faccessat(file, path, R_OK, 0), 0);
	CHECK_ERRNO(fstatat(dir, "f", &st, 0x40000000), EINVAL);
	CHECK_ERRNO(unlinkat(dir, "f", 0x40000000), EINVAL);
	CHECK_ERRNO(linkat(dir, "f", dir, "x", 0x40000000), EINVAL);
	CHECK_ERRNO(fchownat(dir, "f", -1, -1, 0x40000000), EINVAL);
	CHECK_ERRNO(faccessat(dir, "f", 0x1000, 0), EINVAL);
	close(fds[0]);
	close(fds[1]);
	close(file);
	close(dir);
	leave_scratch("/tmp");
}

/* What an open directory is good for: it stays the same when its name does not. */
TEST(a_moved_directory_stays_the_one)
{
	int dir = start("/tmp");
	struct stat st;

	CHECK_EQ(rename("../d", "moved"), 0);
	CHECK_EQ(fstatat(dir, "f", &st, 0), 0);
	CHECK_EQ(unlinkat(dir, "f", 0), 0);
	CHECK_EQ(rmdir("moved"), 0);
	CHECK_ERRNO(openat(dir, "new", O_RDWR | O_CREAT, 0600), ENOENT);
	CHECK_ERRNO(mkdirat(dir, "new", 0700), ENOENT);
	CHECK_ERRNO(fstatat(dir, "f", &st, 0), ENOENT);
	close(dir);
	leave_scratch("/tmp");
}

/* Many levels down by descriptors, further than any path reaches; and up again. */
TEST(deeper_than_a_path)
{
	enum { LEVELS = 60 };
	static const char name[] = "a-name-of-some-length-so-that-sixty-of-them-are-more-than-a-"
				   "path-may-have-which-is-4096";
	int dir, depth;

	REQUIRE(enter_scratch("/tmp"));
	dir = open(".", O_RDONLY | O_DIRECTORY);
	for (depth = 0; depth < LEVELS; depth++) {
		int next;

		REQUIRE_EQ(mkdirat(dir, name, 0700), 0);
		next = openat(dir, name, O_RDONLY | O_DIRECTORY);
		REQUIRE(next >= 0);
		close(dir);
		dir = next;
	}
	for (; depth > 0; depth--) {
		int up = openat(dir, "..", O_RDONLY | O_DIRECTORY);

		REQUIRE(up >= 0);
		close(dir);
		CHECK_EQ(unlinkat(up, name, AT_REMOVEDIR), 0);
		dir = up;
	}
	close(dir);
	leave_scratch("/tmp");
}

TEST(the_longest_path)
{
	char path[4200];
	struct stat st;

	memset(path, '/', sizeof(path));
	strcpy(path + 4092, "tmp"); /* 4095 bytes and the 0 */
	CHECK_EQ(stat(path, &st), 0);
	strcpy(path + 4093, "tmp");
	CHECK_ERRNO(stat(path, &st), ENAMETOOLONG);
	CHECK_ERRNO(mkdirat(AT_FDCWD, path, 0700), ENAMETOOLONG);
	memset(path, 'x', 255);
	path[255] = 0;
	CHECK_ERRNO(stat(path, &st), ENOENT);
	path[255] = 'x';
	path[256] = 0;
	CHECK_ERRNO(stat(path, &st), ENAMETOOLONG);
}

TEST(a_directory_stream_by_descriptor)
{
	int dir = start("/tmp"), found = 0;
	struct dirent *e;
	DIR *d = fdopendir(dir);

	REQUIRE(d != NULL);
	CHECK_EQ(dirfd(d), dir);
	while ((e = readdir(d)))
		found += strcmp(e->d_name, "f") == 0 && e->d_type == DT_REG;
	CHECK_EQ(found, 1);
	closedir(d);
	CHECK_ERRNO(close(dir), EBADF);
	d = NULL;
	dir = open("../d/f", O_RDONLY);
	CHECK(fdopendir(dir) == NULL);
	CHECK_EQ(errno, ENOTDIR);
	close(dir);
	CHECK(fdopendir(99) == NULL);
	CHECK_EQ(errno, EBADF);
	leave_scratch("/tmp");
}
