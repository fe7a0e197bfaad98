/* SPDX-License-Identifier: MIT */
/*
 * FIFOs as names: making them, what open() waits for and what it does not, rights, times, links.
 * What passes through them is in t_fifo_data.c.
 */
#include "guest.h"

#include <poll.h>
#include <sys/mman.h>
#include <sys/resource.h>

static const char *const places[] = {"/tmp", "/var/tmp"}; /* in memory, on the disk */

/* In a fresh directory, once for each kind of file system. */
#define IN_BOTH_PLACES(work)                                         \
	for (size_t place = 0; place < ARRAY_LEN(places); place++) { \
		REQUIRE(enter_scratch(places[place]));               \
		work();                                              \
		leave_scratch(places[place]);                        \
	}

static void nothing(int sig)
{
	(void)sig;
}

static void making(void)
{
	static char name[300];
	struct stat st;
	mode_t old = umask(027);

	CHECK_EQ(mkfifo("p", 0666), 0);
	umask(old);
	CHECK_EQ(stat("p", &st), 0);
	CHECK_EQ(st.st_mode, S_IFIFO | 0640);
	CHECK_EQ(st.st_size, 0);
	CHECK_EQ(st.st_nlink, 1);
	CHECK_EQ(st.st_uid, geteuid());
	CHECK_EQ(mknod("q", S_IFIFO | 0600, 0), 0);
	CHECK_EQ(stat("q", &st), 0);
	CHECK(S_ISFIFO(st.st_mode));
	CHECK_ERRNO(mkfifo("p", 0600), EEXIST);
	CHECK_EQ(symlink("nowhere", "dangling"), 0);
	CHECK_ERRNO(mkfifo("dangling", 0600), EEXIST);
	CHECK_ERRNO(mkfifo("", 0600), ENOENT);
	CHECK_ERRNO(mkfifo("none/p", 0600), ENOENT);
	CHECK_ERRNO(mkfifo("p/p", 0600), ENOTDIR);
	CHECK_ERRNO(mkfifo("new/", 0600), ENOENT);
	memset(name, 'n', sizeof(name) - 1);
	CHECK_ERRNO(mkfifo(name, 0600), ENAMETOOLONG);
	CHECK_ERRNO(mkfifo((char *)16, 0600), EFAULT);
}

TEST(made)
{
	IN_BOTH_PLACES(making);
}

TEST(made_where_one_may_not)
{
	REQUIRE(enter_scratch("/tmp"));
	REQUIRE(mkdir("closed", 0555) == 0);
	CHECK_EXIT(CHILD_STATUS({
			   if (geteuid() == 0)
				   CHILD_CHECK(setuid(1234) == 0);
			   CHILD_CHECK(mkfifo("closed/p", 0600) < 0 && errno == EACCES);
		   }),
		   0);
	leave_scratch("/tmp");
}

static void flags_of_open(void)
{
	int rd, fd;

	REQUIRE_EQ(mkfifo("p", 0644), 0);
	CHECK_ERRNO(open("p", O_WRONLY | O_NONBLOCK), ENXIO);
	rd = open("p", O_RDONLY | O_NONBLOCK);
	REQUIRE(rd >= 0);
	CHECK_EQ(fcntl(rd, F_GETFL) & (O_ACCMODE | O_NONBLOCK), O_RDONLY | O_NONBLOCK);
	fd = open("p", O_WRONLY | O_NONBLOCK);
	CHECK(fd >= 0);
	close(fd);
	CHECK_ERRNO(open("p", O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST);
	CHECK_ERRNO(open("p", O_RDONLY | O_DIRECTORY), ENOTDIR);
	CHECK_ERRNO(open("p/", O_RDONLY | O_NONBLOCK), ENOTDIR);
	fd = open("p", O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600); /* all without effect */
	CHECK(fd >= 0);
	CHECK_EQ(write(fd, "abc", 3), 3);
	close(fd);
	fd = open("p", O_WRONLY | O_TRUNC); /* what is in it stays */
	CHECK(fd >= 0);
	CHECK_EQ(read(rd, (char[8]){0}, 8), 3);
	close(fd);
	close(rd);
	CHECK_EQ(symlink("p", "link"), 0);
	CHECK_ERRNO(open("link", O_RDONLY | O_NONBLOCK | O_NOFOLLOW), ELOOP);
	fd = open("link", O_RDONLY | O_NONBLOCK);
	CHECK(fd >= 0);
	close(fd);
}

TEST(open_flags)
{
	IN_BOTH_PLACES(flags_of_open);
}

static void what_it_is_not(void)
{
	char c = 0;
	int fd;
	struct stat st, at;

	REQUIRE_EQ(mkfifo("p", 0644), 0);
	fd = open("p", O_RDWR);
	REQUIRE(fd >= 0);
	CHECK_EQ(fstat(fd, &st), 0);
	CHECK_EQ(stat("p", &at), 0);
	CHECK(S_ISFIFO(st.st_mode) && st.st_ino == at.st_ino && st.st_dev == at.st_dev);
	CHECK_ERRNO(lseek(fd, 0, SEEK_CUR), ESPIPE);
	CHECK_ERRNO(pread(fd, &c, 1, 0), ESPIPE);
	CHECK_ERRNO(pwrite(fd, &c, 1, 0), ESPIPE);
	CHECK_ERRNO(ftruncate(fd, 0), EINVAL);
	CHECK_ERRNO(truncate("p", 0), EINVAL);
	CHECK_ERRNO(fsync(fd), EINVAL);
	CHECK_EQ(posix_fallocate(fd, 0, 1), ESPIPE);
	CHECK_EQ(isatty(fd), 0);
	CHECK(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED && errno == ENODEV);
	CHECK_EQ(fchmod(fd, 0600), 0);
	CHECK_EQ(stat("p", &at), 0);
	CHECK_EQ(at.st_mode & 07777, 0600);
	close(fd);
}

TEST(no_place_in_a_pipe)
{
	IN_BOTH_PLACES(what_it_is_not);
}

TEST(rights)
{
	static const struct {
		mode_t mode;
		int flags, err;
	} cases[] = {
		{0444, O_RDONLY, 0},      {0444, O_WRONLY, EACCES}, {0444, O_RDWR, EACCES},
		{0222, O_RDONLY, EACCES}, {0222, O_RDWR, EACCES},   {0666, O_RDWR, 0},
	};

	REQUIRE(enter_scratch("/tmp"));
	CHECK_EQ(chmod(".", 0755), 0);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		REQUIRE_EQ(mkfifo("p", 0600), 0);
		CHECK_EQ(chmod("p", cases[i].mode), 0);
		CHECK_EXIT(CHILD_STATUS({
				   if (geteuid() == 0)
					   CHILD_CHECK(setuid(1234) == 0);
				   errno = 0;
				   open("p", cases[i].flags | O_NONBLOCK);
				   CHILD_CHECK(errno == cases[i].err);
			   }),
			   0);
		unlink("p");
	}
	leave_scratch("/tmp");
}

/* ---- open() waits for the other end ---- */

static bool still_runs(pid_t pid)
{
	sleep_ms(30);
	return waitpid(pid, NULL, WNOHANG) == 0;
}

static void waits(void)
{
	int fd;
	pid_t pid;

	REQUIRE_EQ(mkfifo("p", 0644), 0);
	for (int round = 0; round < 2; round++) {
		int mine = round ? O_RDONLY : O_WRONLY, its = round ? O_WRONLY : O_RDONLY;

		pid = START(CHILD_CHECK(open("p", its) >= 0));
		CHECK(still_runs(pid));
		fd = open("p", mine);
		CHECK(fd >= 0);
		CHECK_EXIT(wait_status(pid), 0);
		close(fd);
		/* One that does not wait for us lets the other go on, too. */
		pid = START(CHILD_CHECK(open("p", its) >= 0));
		CHECK(still_runs(pid));
		fd = open("p", mine | O_NONBLOCK);
		CHECK(fd >= 0);
		CHECK_EXIT(wait_status(pid), 0);
		close(fd);
		/* Nor does one that is both ends wait, or let wait. */
		pid = START(CHILD_CHECK(open("p", its) >= 0));
		CHECK(still_runs(pid));
		fd = open("p", O_RDWR);
		CHECK(fd >= 0);
		CHECK_EXIT(wait_status(pid), 0);
		fd = (close(fd), open("p", O_RDWR));
		CHECK(fd >= 0);
		CHECK_EXIT(CHILD_STATUS(CHILD_CHECK(open("p", its) >= 0)), 0);
		close(fd);
	}
	CHECK_ERRNO(open("p", O_WRONLY | O_NONBLOCK), ENXIO);
}

TEST(open_waits_for_the_other_end)
{
	IN_BOTH_PLACES(waits);
}

TEST(several_wait_for_one)
{
	pid_t pids[5];
	int fd;

	REQUIRE(enter_scratch("/tmp"));
	REQUIRE_EQ(mkfifo("p", 0644), 0);
	for (size_t i = 0; i < ARRAY_LEN(pids); i++)
		pids[i] = START(CHILD_CHECK(open("p", O_RDONLY) >= 0));
	CHECK(still_runs(pids[0]));
	fd = open("p", O_WRONLY);
	CHECK(fd >= 0);
	for (size_t i = 0; i < ARRAY_LEN(pids); i++)
		CHECK_EXIT(wait_status(pids[i]), 0);
	close(fd);
	leave_scratch("/tmp");
}

/* A writer that comes and goes before the reader runs has been there all the same. */
TEST(a_short_visit_is_enough)
{
	REQUIRE(enter_scratch("/tmp"));
	REQUIRE_EQ(mkfifo("p", 0644), 0);
	for (int i = 0; i < 50; i++) {
		bool word = i & 1;
		pid_t pid = START({
			char c = 0;
			int fd = open("p", O_RDONLY);

			CHILD_CHECK(fd >= 0);
			CHILD_CHECK(read(fd, &c, 1) == word);
			CHILD_CHECK(read(fd, &c, 1) == 0);
		});
		int fd = open("p", O_WRONLY);

		CHECK(fd >= 0);
		if (word)
			CHECK_EQ(write(fd, "x", 1), 1);
		close(fd);
		CHECK_EXIT(wait_status(pid), 0);
	}
	leave_scratch("/tmp");
}

TEST(a_signal_ends_the_wait)
{
	static const int modes[] = {O_RDONLY, O_WRONLY};

	REQUIRE(enter_scratch("/tmp"));
	REQUIRE_EQ(mkfifo("p", 0644), 0);
	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		pid_t pid;
		int fd;

		handle(SIGUSR1, nothing, 0);
		pid = START(CHILD_CHECK(open("p", modes[i]) < 0 && errno == EINTR));
		CHECK_EXIT(signal_to_the_end(pid, SIGUSR1), 0);
		/* It counts for nothing any more. */
		CHECK_ERRNO(open("p", O_WRONLY | O_NONBLOCK), ENXIO);
		/* With SA_RESTART it goes on waiting. */
		handle(SIGUSR1, nothing, SA_RESTART);
		pid = START(CHILD_CHECK(open("p", modes[i]) >= 0));
		CHECK(still_runs(pid));
		kill(pid, SIGUSR1);
		CHECK(still_runs(pid));
		fd = open("p", O_RDWR);
		CHECK_EXIT(wait_status(pid), 0);
		close(fd);
		/* One that is killed. */
		pid = START(open("p", modes[i]));
		CHECK(still_runs(pid));
		kill(pid, SIGKILL);
		CHECK_KILLED(wait_status(pid), SIGKILL);
		CHECK_ERRNO(open("p", O_WRONLY | O_NONBLOCK), ENXIO);
	}
	signal(SIGUSR1, SIG_DFL);
	leave_scratch("/tmp");
}

/* Without a free descriptor open() fails before anybody could wait for it. */
TEST(no_descriptor_left)
{
	REQUIRE(enter_scratch("/tmp"));
	REQUIRE_EQ(mkfifo("p", 0644), 0);
	CHECK_EXIT(CHILD_STATUS({
			   struct rlimit few = {.rlim_cur = 8, .rlim_max = 8};

			   CHILD_CHECK(setrlimit(RLIMIT_NOFILE, &few) == 0);
			   while (open("/dev/null", O_RDONLY) >= 0)
				   ;
			   alarm(5);
			   CHILD_CHECK(open("p", O_RDONLY) < 0 && errno == EMFILE);
		   }),
		   0);
	leave_scratch("/tmp");
}

/* ---- names ---- */

static void names(void)
{
	char buf[8] = "";
	int rd, wr, other;

	REQUIRE_EQ(mkfifo("p", 0644), 0);
	rd = open("p", O_RDONLY | O_NONBLOCK);
	CHECK_EQ(link("p", "hard"), 0);
	wr = open("hard", O_WRONLY | O_NONBLOCK); /* the same pipe */
	CHECK(wr >= 0);
	CHECK_EQ(rename("p", "moved"), 0);
	CHECK_EQ(unlink("hard"), 0);
	CHECK_EQ(write(wr, "one", 3), 3);
	CHECK_EQ(unlink("moved"), 0);
	CHECK_EQ(write(wr, "two", 3), 3); /* it needs no name to go on */
	/* A new one of that name has nothing to do with it. */
	CHECK_EQ(mkfifo("p", 0644), 0);
	CHECK_ERRNO(open("p", O_WRONLY | O_NONBLOCK), ENXIO);
	other = open("p", O_RDONLY | O_NONBLOCK);
	CHECK_EQ(read(other, buf, sizeof(buf)), 0);
	CHECK_EQ(read(rd, buf, sizeof(buf)), 6);
	CHECK(memcmp(buf, "onetwo", 6) == 0);
	close(other);
	close(rd);
	close(wr);
}

TEST(links_and_new_names)
{
	IN_BOTH_PLACES(names);
}

static void times_move(void)
{
	struct timespec past[2] = {{.tv_sec = 1000000}, {.tv_sec = 1000000}};
	struct stat st;
	int fd;

	REQUIRE_EQ(mkfifo("p", 0644), 0);
	fd = open("p", O_RDWR);
	REQUIRE(fd >= 0);
	CHECK_EQ(futimens(fd, past), 0);
	CHECK_EQ(fstat(fd, &st), 0);
	CHECK_EQ(st.st_mtime, 1000000);
	CHECK_EQ(write(fd, "x", 1), 1);
	CHECK_EQ(fstat(fd, &st), 0);
	CHECK(st.st_mtime > 1000000 && st.st_ctime > 1000000);
	CHECK_EQ(read(fd, &(char){0}, 1), 1);
	CHECK_EQ(fstat(fd, &st), 0);
	CHECK(st.st_atime > 1000000);
	close(fd);
}

TEST(reading_and_writing_leave_their_times)
{
	IN_BOTH_PLACES(times_move);
}

/* Openers of both kinds at once, again and again: all of them meet somebody. */
TEST(a_crowd_at_the_door)
{
	enum { PAIRS = 4, ROUNDS = 40 };
	pid_t pids[2 * PAIRS];

	REQUIRE(enter_scratch("/tmp"));
	REQUIRE_EQ(mkfifo("p", 0644), 0);
	for (int i = 0; i < 2 * PAIRS; i++)
		pids[i] = START({
			int keep = -1;

			alarm(60);
			signal(SIGPIPE, SIG_IGN);
			for (int r = 0; r < ROUNDS; r++) {
				int fd = open("p", i & 1 ? O_WRONLY : O_RDONLY);

				CHILD_CHECK(fd >= 0);
				if (i & 1)
					CHILD_CHECK(write(fd, "x", 1) == 1 || errno == EPIPE);
				else
					CHILD_CHECK(read(fd, &(char){0}, 1) >= 0);
				close(keep); /* so that the last one finds somebody */
				keep = fd;
			}
		});
	/* Whoever is left alone at the end meets us. */
	for (int i = 0; i < 2 * PAIRS; i++) {
		int status;

		while (waitpid(pids[i], &status, WNOHANG) == 0) {
			close(open("p", O_RDWR));
			sleep_ms(2);
		}
		CHECK_EXIT(status, 0);
	}
	CHECK_ERRNO(open("p", O_WRONLY | O_NONBLOCK), ENXIO);
	leave_scratch("/tmp");
}
