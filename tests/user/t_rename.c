/* SPDX-License-Identifier: MIT */
/* The rules of rename, link, unlink and rmdir; slashes at the end; loops. */
#include "guest.h"

static const char *const places[] = {"/tmp", "/var/tmp"};

static ino_t number(const char *path)
{
	struct stat st;

	return lstat(path, &st) < 0 ? 0 : st.st_ino;
}

static nlink_t links(const char *path)
{
	struct stat st;

	return lstat(path, &st) < 0 ? 0 : st.st_nlink;
}

static void files_in(const char *place)
{
	ino_t a, b;

	REQUIRE(enter_scratch(place));
	CHECK(make_file("a", "a", 1));
	CHECK(make_file("b", "b", 1));
	a = number("a");
	b = number("b");
	CHECK_EQ(rename("a", "c"), 0);
	CHECK_EQ(number("c"), a);
	CHECK_EQ(number("a"), 0);
	CHECK_EQ(rename("c", "b"), 0); /* over another */
	CHECK_EQ(number("b"), a);
	CHECK(a != b);
	CHECK_EQ(rename("b", "b"), 0);
	CHECK_EQ(number("b"), a);
	CHECK_EQ(link("b", "b2"), 0);
	CHECK_EQ(links("b"), 2);
	CHECK_EQ(rename("b", "b2"), 0); /* two names of one file: both stay */
	CHECK_EQ(links("b"), 2);
	CHECK_EQ(number("b2"), a);
	CHECK_EQ(symlink("absent", "l"), 0);
	CHECK_EQ(rename("l", "m"), 0); /* the link, not what it leads to */
	CHECK_ERRNO(access("m", F_OK), ENOENT);
	CHECK(number("m") != 0);
	CHECK_EQ(rename("b2", "m"), 0);
	CHECK_EQ(number("m"), a);
	CHECK_ERRNO(rename("absent", "x"), ENOENT);
	CHECK_ERRNO(rename("b", "absent/x"), ENOENT);
	CHECK_ERRNO(rename("b", ""), ENOENT);
	CHECK_ERRNO(rename("", "b"), ENOENT);
	CHECK_ERRNO(rename("b/x", "y"), ENOTDIR);
	CHECK_ERRNO(rename("b", "m/x"), ENOTDIR);
	CHECK_ERRNO(rename("b/", "y"), ENOTDIR);
	CHECK_ERRNO(rename("b", "y/"), ENOTDIR);
	leave_scratch(place);
}

static void directories_in(const char *place)
{
	ino_t d;

	REQUIRE(enter_scratch(place));
	CHECK_EQ(mkdir("d", 0755), 0);
	CHECK_EQ(mkdir("d/sub", 0755), 0);
	CHECK_EQ(mkdir("e", 0755), 0);
	CHECK_EQ(mkdir("empty", 0755), 0);
	CHECK(make_file("f", "", 0));
	d = number("d");
	CHECK_EQ(links("d"), 3);
	CHECK_ERRNO(rename("d", "d/x"), EINVAL);
	CHECK_ERRNO(rename("d", "d/sub/x"), EINVAL);
	CHECK_ERRNO(rename("d", "f"), ENOTDIR);
	CHECK_ERRNO(rename("f", "empty"), EISDIR);
	CHECK_EQ(rename("e", "d"), -1);
	CHECK(errno == ENOTEMPTY || errno == EEXIST);
	CHECK_EQ(rename("d/sub", "d"), -1);
	CHECK(errno == ENOTEMPTY || errno == EEXIST);
	CHECK_EQ(rename("d", "empty"), 0); /* over an empty one */
	CHECK_EQ(number("empty"), d);
	CHECK_EQ(number("empty/sub/.."), d);
	CHECK_EQ(rename("empty/", "e/new/"), 0); /* to another parent; slashes do no harm */
	CHECK_EQ(number("e/new"), d);
	CHECK_EQ(number("e/new/.."), number("e"));
	CHECK_EQ(links("e"), 3);
	CHECK_EQ(rename("e/new/.", "x"), -1);
	CHECK(errno == EINVAL || errno == EBUSY);
	CHECK_EQ(rename("e/new/..", "x"), -1);
	CHECK(errno == EINVAL || errno == EBUSY);
	CHECK_EQ(rename("e/new", "e/."), -1);
	CHECK(errno == EINVAL || errno == EBUSY || errno == EEXIST);
	CHECK_EQ(rename("/", "x"), -1);
	CHECK(errno == EINVAL || errno == EBUSY || errno == EACCES);
	leave_scratch(place);
}

static void removal_in(const char *place)
{
	REQUIRE(enter_scratch(place));
	CHECK_EQ(mkdir("d", 0755), 0);
	CHECK_EQ(mkdir("d/sub/", 0755), 0);
	CHECK(make_file("f", "", 0));
	CHECK_EQ(symlink("d", "l"), 0);
	CHECK_ERRNO(rmdir("d"), ENOTEMPTY);
	CHECK_ERRNO(rmdir("f"), ENOTDIR);
	CHECK_ERRNO(rmdir("l"), ENOTDIR);
	CHECK_ERRNO(rmdir("l/"), ENOTDIR);
	CHECK_ERRNO(rmdir("absent"), ENOENT);
	CHECK_ERRNO(rmdir("d/sub/."), EINVAL);
	CHECK_EQ(rmdir("d/sub/.."), -1);
	CHECK(errno == ENOTEMPTY || errno == EINVAL);
	CHECK_EQ(unlink("d"), -1);
	CHECK(errno == EISDIR || errno == EPERM);
	CHECK_ERRNO(unlink("absent"), ENOENT);
	CHECK_ERRNO(unlink("f/"), ENOTDIR);
	CHECK_ERRNO(unlink("f/x"), ENOTDIR);
	CHECK_EQ(remove("f"), 0);
	CHECK_EQ(remove("d/sub"), 0);
	CHECK_EQ(rmdir("d///"), 0);
	CHECK_EQ(unlink("l"), 0);
	leave_scratch(place);
}

static void making_in(const char *place)
{
	char name[300];

	REQUIRE(enter_scratch(place));
	CHECK(make_file("f", "", 0));
	CHECK_EQ(mkdir("d", 0755), 0);
	CHECK_ERRNO(mkdir("f", 0755), EEXIST);
	CHECK_ERRNO(mkdir("d/", 0755), EEXIST);
	CHECK_ERRNO(mkdir("/", 0755), EEXIST);
	CHECK_ERRNO(link("f", "d"), EEXIST);
	CHECK_ERRNO(link("absent", "x"), ENOENT);
	CHECK_ERRNO(link("d", "x"), EPERM);
	CHECK_ERRNO(link("f", "x/"), ENOENT);
	CHECK_ERRNO(symlink("f", "d"), EEXIST);
	CHECK_ERRNO(symlink("", "x"), ENOENT);
	CHECK_ERRNO(symlink("f", ""), ENOENT);
	CHECK_ERRNO(symlink("f", "x/"), ENOENT);
	CHECK_ERRNO(mkfifo("f", 0600), EEXIST);
	memset(name, 'n', sizeof(name));
	name[256] = 0;
	CHECK_ERRNO(mkdir(name, 0755), ENAMETOOLONG);
	CHECK_ERRNO(link("f", name), ENAMETOOLONG);
	CHECK_ERRNO(rename("f", name), ENAMETOOLONG);
	CHECK_ERRNO(symlink("f", name), ENAMETOOLONG);
	name[255] = 0;
	CHECK_EQ(link("f", name), 0);
	CHECK_EQ(unlink(name), 0);
	CHECK_EQ(symlink("loop2", "loop1"), 0);
	CHECK_EQ(symlink("loop1", "loop2"), 0);
	CHECK_ERRNO(open("loop1", O_RDONLY), ELOOP);
	CHECK_ERRNO(open("loop1/x", O_RDONLY), ELOOP);
	CHECK_ERRNO(mkdir("loop1/x", 0755), ELOOP);
	CHECK_ERRNO(rename("loop1/x", "y"), ELOOP);
	CHECK_EQ(rename("loop1", "loop3"), 0);
	leave_scratch(place);
}

TEST(files)
{
	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		files_in(places[i]);
}

TEST(directories)
{
	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		directories_in(places[i]);
}

TEST(removal)
{
	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		removal_in(places[i]);
}

TEST(making)
{
	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		making_in(places[i]);
}

#define ROUNDS 300

/* Two who rename against each other: at every moment exactly one of the names is there. */
TEST(two_rename_one_file)
{
	pid_t pid[2];

	REQUIRE(enter_scratch("/tmp"));
	CHECK(make_file("x0", "x", 1));
	for (int i = 0; i < 2; i++)
		pid[i] = START({
			for (int r = 0; r < ROUNDS; r++)
				CHILD_CHECK(rename(i ? "x1" : "x0", i ? "x0" : "x1") == 0 ||
					    errno == ENOENT);
		});
	for (int i = 0; i < 2; i++)
		CHECK_EXIT(wait_status(pid[i]), 0);
	CHECK_EQ((number("x0") != 0) + (number("x1") != 0), 1);
	leave_scratch("/tmp");
}

/* Over an existing name: whoever looks always finds one or the other. */
TEST(a_replaced_name_is_never_absent)
{
	pid_t pid;

	REQUIRE(enter_scratch("/tmp"));
	CHECK(make_file("name", "old", 3));
	pid = START({
		for (int r = 0; r < ROUNDS; r++) {
			CHILD_CHECK(make_file("new", "new", 3));
			CHILD_CHECK(rename("new", "name") == 0);
		}
	});
	for (int r = 0; r < ROUNDS; r++) {
		char buf[4] = "";
		int fd = open("name", O_RDONLY);

		REQUIRE(fd >= 0);
		CHECK_EQ(read(fd, buf, 3), 3);
		CHECK(strcmp(buf, "old") == 0 || strcmp(buf, "new") == 0);
		close(fd);
	}
	CHECK_EXIT(wait_status(pid), 0);
	leave_scratch("/tmp");
}

/* Two directories into each other: at most one may win, or a part of the tree hangs in the air. */
TEST(no_circle_of_directories)
{
	pid_t pid[2];

	REQUIRE(enter_scratch("/tmp"));
	for (int r = 0; r < 50; r++) {
		CHECK_EQ(mkdir("a", 0755), 0);
		CHECK_EQ(mkdir("b", 0755), 0);
		for (int i = 0; i < 2; i++)
			pid[i] = START(_exit(rename(i ? "a" : "b", i ? "b/a" : "a/b") == 0));
		CHECK_EQ(WEXITSTATUS(wait_status(pid[0])) + WEXITSTATUS(wait_status(pid[1])), 1);
		rmdir("a/b");
		rmdir("b/a");
		rmdir("a");
		rmdir("b");
	}
	leave_scratch("/tmp");
}
