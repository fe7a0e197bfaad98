/* SPDX-License-Identifier: MIT */
/*
 * /proc/boot.record: what a fork, exec and exit leaves there; that it is bounded; names that are
 * none.
 */
#include "guest.h"

#define OPERATIONS 96

static char text[1 << 18];

static bool read_record(void)
{
	int fd = open("/proc/boot.record", O_RDONLY);
	size_t used = 0;
	ssize_t n = 0;

	if (fd < 0)
		return false;
	while (used < sizeof(text) - 1 && (n = read(fd, text + used, sizeof(text) - 1 - used)) > 0)
		used += (size_t)n;
	close(fd);
	text[used] = 0;
	return n == 0 && used > 0;
}

/* Lines that begin with @kind. */
static int lines_of(const char *kind)
{
	size_t n = strlen(kind);
	int lines = 0;

	for (const char *p = text; p && *p; p = strchr(p, '\n')) {
		p += *p == '\n';
		lines += strncmp(p, kind, n) == 0 && p[n] == ' ';
	}
	return lines;
}

/* The line "@kind NS TOOK CPU @pid @child name", or NULL. */
static char *find(const char *kind, int pid, int child)
{
	for (char *p = text; p && *p; p = strchr(p, '\n')) {
		int a, b;
		char what[8];

		p += *p == '\n';
		if (sscanf(p, "%7s %*s %*s %*s %d %d", what, &a, &b) == 3 && !strcmp(what, kind) &&
		    a == pid && b == child)
			return p;
	}
	return NULL;
}

TEST(a_child_is_recorded)
{
	pid_t pid = fork();
	char *line;

	if (pid == 0)
		_exit(3);
	REQUIRE(pid > 0 && waitpid(pid, NULL, 0) == pid);
	REQUIRE(read_record());
	line = find("fork", getpid(), pid);
	REQUIRE(line != NULL);
	CHECK(strstr(line, "\n counters 1 forks\n") != NULL);
	CHECK(strstr(line, " t_record\n") != NULL);
	CHECK(find("exit", pid, 0) > line);
}

TEST(the_oldest_make_room)
{
	pid_t pid = 0, first = 0;

	for (int i = 0; i < OPERATIONS; i++) {
		pid = fork();
		if (pid == 0)
			_exit(0);
		REQUIRE(pid > 0 && waitpid(pid, NULL, 0) == pid);
		first = first ? first : pid;
	}
	REQUIRE(read_record());
	CHECK(lines_of("fork") + lines_of("exec") + lines_of("exit") <= OPERATIONS);
	CHECK(lines_of("fork") >= OPERATIONS / 2 - 1);
	CHECK(find("fork", getpid(), pid) != NULL);
	CHECK(find("fork", getpid(), first) == NULL);
}

TEST(an_exec_that_fails_is_not_recorded)
{
	char *argv[] = {"none", NULL};
	pid_t pid = fork();

	if (pid == 0) {
		execv("/none", argv);
		_exit(0);
	}
	REQUIRE(pid > 0 && waitpid(pid, NULL, 0) == pid);
	REQUIRE(read_record());
	CHECK(find("exec", pid, 0) == NULL);
	CHECK(find("exit", pid, 0) != NULL);
}

TEST(a_name_cannot_forge_a_line)
{
	static const char name[] = "/tmp/a\nphase 1\"\\";
	char *argv[] = {"x", NULL}, *line;
	int before;
	pid_t pid;

	REQUIRE(read_record());
	before = lines_of("phase");
	REQUIRE(symlink("/bin/true", name) == 0);
	pid = fork();
	if (pid == 0) {
		execv(name, argv);
		_exit(1);
	}
	REQUIRE(pid > 0 && waitpid(pid, NULL, 0) == pid);
	unlink(name);
	REQUIRE(read_record());
	CHECK_EQ(lines_of("phase"), before);
	line = find("exec", pid, 0);
	REQUIRE(line != NULL);
	CHECK(strstr(line, " a?phase 1\"\\\n") != NULL);
}

TEST(small_reads_give_the_same)
{
	static char again[sizeof(text)];
	int fd = open("/proc/boot.record", O_RDONLY);
	size_t used = 0;
	ssize_t n;

	REQUIRE(fd >= 0);
	REQUIRE(read_record());
	while (used < sizeof(again) - 8 && (n = read(fd, again + used, 7)) > 0)
		used += (size_t)n;
	close(fd);
	CHECK(used == strlen(text) && memcmp(again, text, used) == 0);
}

TEST(a_mark_needs_a_name)
{
	int fd = open("/proc/boot", O_WRONLY);

	REQUIRE(fd >= 0);
	CHECK_ERRNO(write(fd, " x", 2), EINVAL);
	CHECK_ERRNO(write(fd, "\n", 1), EINVAL);
	close(fd);
	fd = open("/proc/boot.record", O_WRONLY);
	CHECK_ERRNO(write(fd, "x", 1), EINVAL);
	close(fd);
}
