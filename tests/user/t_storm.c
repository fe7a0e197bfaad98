/* SPDX-License-Identifier: MIT */
/*
 * Many at once: signals against fork, exec, stops and exits; pipes with many at both ends, some of
 * which are killed; names that several make and remove; /proc read while its processes die. What is
 * tested is that nothing hangs, nothing is lost or said twice, and all memory comes back.
 */
#include "guest.h"

#include <dirent.h>
#include <poll.h>
#include <sys/time.h>

#define SECOND 1000000000LL

static void check_pages_but(long before, long slack, const char *what)
{
	long lost = 0;

	for (int i = 0; i < 40; i++) {
		lost = before - free_pages();
		if (lost <= slack)
			return;
		sleep_ms(50);
	}
	CHECK_THAT(lost <= slack, "after %s %ld pages are missing", what, lost);
}

static void check_pages(long before, const char *what)
{
	check_pages_but(before, 16, what);
}

/* Dead within @ms, whatever it was doing; or it hangs. */
static void check_dies(pid_t pid, int ms)
{
	int status;

	for (; ms > 0; ms -= 10) {
		kill(pid, SIGKILL);
		if (waitpid(pid, &status, WNOHANG) == pid)
			return;
		sleep_ms(10);
	}
	CHECK_THAT(false, "process %d does not die", (int)pid);
}

static void nothing(int sig)
{
	(void)sig;
}

static volatile int sigs_seen;

static void count_one(int sig)
{
	(void)sig;
	sigs_seen++;
}

/* Forks, executes, waits, sleeps, for ever. */
static void busy_life(void)
{
	static const int sigs[] = {SIGUSR1, SIGUSR2, SIGALRM, SIGCHLD, SIGINT};
	const struct itimerval often = {{0, 3000}, {0, 3000}};

	for (size_t i = 0; i < ARRAY_LEN(sigs); i++)
		handle(sigs[i], nothing, test_random() % 2 ? SA_RESTART : 0);
	setitimer(ITIMER_REAL, &often, NULL);
	for (;;) {
		struct timespec t = {0, (long)(test_random() % 2000000)};
		pid_t pid = fork();

		if (pid == 0) {
			if (test_random() % 2)
				execl("/bin/true", "true", (char *)NULL);
			_exit(0);
		}
		if (pid > 0 && test_random() % 4)
			while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
				;
		if (test_random() % 4 == 0)
			nanosleep(&t, NULL);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
	}
}

TEST(signals_against_everything)
{
	static const int sigs[] = {SIGUSR1, SIGUSR2, SIGINT,  SIGSTOP, SIGCONT,
				   SIGCONT, SIGTSTP, SIGCONT, SIGCHLD};
	long before = free_pages();
	long long end;
	pid_t pids[6];

	for (size_t i = 0; i < ARRAY_LEN(pids); i++) {
		unsigned long branch = test_random();

		pids[i] = START({
			setpgid(0, 0);
			test_random_branch(branch);
			busy_life();
		});
		setpgid(pids[i], pids[i]);
	}
	sleep_ms(50);
	for (end = now_ns() + 3 * SECOND; now_ns() < end;) {
		pid_t pid = pids[test_random() % ARRAY_LEN(pids)];

		kill(pid, sigs[test_random() % ARRAY_LEN(sigs)]);
		if (test_random() % 32 == 0)
			sleep_ms(1);
		if (test_random() % 256 == 0)
			while (waitpid(-1, NULL, WNOHANG | WUNTRACED | WCONTINUED) > 0)
				;
	}
	for (size_t i = 0; i < ARRAY_LEN(pids); i++)
		check_dies(pids[i], 3000);
	check_pages(before, "a storm of signals");
}

#define WRITERS 5
#define READERS 4
#define RECORD 64

/* Each record is whole, and those that nobody was killed over arrive once. */
TEST(pipe_with_many_ends)
{
	long before = free_pages();
	pid_t writers[WRITERS], readers[READERS];
	int data[2], results[2], counts[WRITERS] = {0}, line[2];

	REQUIRE_EQ(pipe(data), 0);
	REQUIRE_EQ(pipe(results), 0);
	for (int i = 0; i < WRITERS; i++)
		writers[i] = START({
			unsigned char rec[RECORD];

			close(data[0]);
			memset(rec, i + 1, sizeof(rec));
			for (int n = 0; n < 2000; n++)
				CHILD_CHECK(write(data[1], rec, RECORD) == RECORD);
		});
	for (int i = 0; i < READERS; i++)
		readers[i] = START({
			unsigned char rec[RECORD];
			int got[WRITERS] = {0};

			close(data[1]);
			while (read(data[0], rec, RECORD) == RECORD) {
				for (int k = 1; k < RECORD; k++)
					CHILD_CHECK(rec[k] == rec[0]);
				got[rec[0] - 1]++;
			}
			for (int k = 0; k < WRITERS; k++) {
				int out[2] = {k, got[k]};

				CHILD_CHECK(write(results[1], out, sizeof(out)) == sizeof(out));
			}
		});
	close(data[0]);
	close(data[1]);
	close(results[1]);
	while (read(results[0], line, sizeof(line)) == sizeof(line))
		counts[line[0]] += line[1];
	for (int i = 0; i < WRITERS; i++) {
		CHECK_EXIT(wait_status(writers[i]), 0);
		CHECK_EQ(counts[i], 2000);
	}
	for (int i = 0; i < READERS; i++)
		CHECK_EXIT(wait_status(readers[i]), 0);
	close(results[0]);
	check_pages(before, "a crowded pipe");
}

/* Those who wait are killed at random; the others must not miss what was meant for these. */
TEST(pipe_users_die)
{
	long before = free_pages();

	for (int round = 0; round < 15; round++) {
		pid_t writers[4], readers[4];
		int data[2];
		unsigned char big[3000];

		REQUIRE_EQ(pipe(data), 0);
		memset(big, 1, sizeof(big));
		for (int i = 0; i < 4; i++) {
			writers[i] = START({
				close(data[0]);
				for (int n = 0; n < 40; n++)
					CHILD_CHECK(write(data[1], big, sizeof(big)) ==
						    sizeof(big));
			});
			readers[i] = START({
				close(data[1]);
				while (read(data[0], big, 1 + i * 700) > 0)
					;
			});
		}
		close(data[0]);
		close(data[1]);
		sleep_ms((long)(test_random() % 30));
		/* One reader and one writer stay at least. */
		for (int i = 0; i < 3; i++) {
			if (test_random() % 2)
				kill(writers[i], SIGKILL);
			if (test_random() % 2)
				kill(readers[i], SIGKILL);
		}
		for (int i = 0; i < 4; i++) {
			int w = wait_status(writers[i]);

			CHECK(i < 3 ? WIFEXITED(w) || WTERMSIG(w) == SIGKILL : w == 0);
		}
		for (int i = 0; i < 4; i++) {
			int r = wait_status(readers[i]);

			CHECK(i < 3 ? WIFEXITED(r) || WTERMSIG(r) == SIGKILL : r == 0);
		}
	}
	check_pages(before, "deaths at a pipe");
}

static void name_life(int rounds)
{
	static const char *const names[] = {"a", "b", "d", "d/x", "d/y", "e", "e/x", "l"};
	char buf[64];

	for (int n = 0; n < rounds; n++) {
		const char *one = names[test_random() % ARRAY_LEN(names)];
		const char *two = names[test_random() % ARRAY_LEN(names)];
		int fd;

		switch (test_random() % 8) {
		case 0:
			fd = open(one, O_RDWR | O_CREAT, 0600);
			if (fd >= 0) {
				(void)!write(fd, names, sizeof(names));
				close(fd);
			}
			break;
		case 1:
			mkdir(one, 0700);
			break;
		case 2:
			unlink(one);
			break;
		case 3:
			rmdir(one);
			break;
		case 4:
			link(one, two);
			break;
		case 5:
			symlink(two, one);
			(void)!readlink(one, buf, sizeof(buf));
			break;
		default:
			rename(one, two);
		}
	}
}

static void names_race(const char *place)
{
	long before;
	pid_t pids[4];

	REQUIRE(enter_scratch(place));
	before = free_pages();
	for (int i = 0; i < 4; i++) {
		unsigned long branch = test_random();

		pids[i] = START({
			test_random_branch(branch);
			name_life(1500);
		});
	}
	for (int i = 0; i < 4; i++)
		CHECK_EXIT(wait_status(pids[i]), 0);
	leave_scratch(place);
	check_pages(before, "a race for names");
}

TEST(names_of_tmpfs)
{
	names_race("/tmp");
}

TEST(names_on_disk)
{
	names_race("/var/tmp");
}

static void read_below(const char *dir, int depth)
{
	char path[300], buf[777];
	struct dirent *e;
	DIR *d = opendir(dir);

	if (!d)
		return;
	while ((e = readdir(d))) {
		struct stat st;
		int fd;

		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		if (lstat(path, &st) < 0)
			continue;
		if (S_ISDIR(st.st_mode)) {
			if (depth)
				read_below(path, depth - 1);
			continue;
		}
		if (S_ISLNK(st.st_mode)) {
			(void)!readlink(path, buf, sizeof(buf));
			continue;
		}
		if (!S_ISREG(st.st_mode) || !strcmp(e->d_name, "trace"))
			continue;
		fd = open(path, O_RDONLY | O_NONBLOCK);
		if (fd < 0)
			continue;
		for (int i = 0; i < 4; i++)
			(void)!pread(fd, buf, 1 + test_random() % sizeof(buf),
				     (off_t)(test_random() % 900));
		while (read(fd, buf, 1 + test_random() % sizeof(buf)) > 0)
			;
		close(fd);
	}
	closedir(d);
}

TEST(proc_of_the_dying)
{
	long before = free_pages();
	pid_t pids[4];

	for (int i = 0; i < 4; i++) {
		unsigned long branch = test_random();

		pids[i] = START({
			setpgid(0, 0);
			test_random_branch(branch);
			busy_life();
		});
	}
	for (long long end = now_ns() + 3 * SECOND; now_ns() < end;)
		read_below("/proc", 2);
	for (int i = 0; i < 4; i++)
		check_dies(pids[i], 3000);
	/* Hundreds of /proc's inodes stay in their cache. */
	check_pages_but(before, 100, "reading /proc");
}

TEST(stopped_and_continued)
{
	pid_t pid = START({
		for (;;)
			pause();
	});
	int status;

	for (int i = 0; i < 200; i++) {
		CHECK_EQ(kill(pid, SIGSTOP), 0);
		REQUIRE_EQ(waitpid(pid, &status, WUNTRACED), pid);
		REQUIRE(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
		CHECK_EQ(kill(pid, SIGCONT), 0);
		REQUIRE_EQ(waitpid(pid, &status, WCONTINUED), pid);
		REQUIRE(WIFCONTINUED(status));
	}
	check_dies(pid, 1000);
}

TEST(sleepers_wake_in_order)
{
	int fds[2], who[20];
	pid_t pids[20];

	REQUIRE_EQ(pipe(fds), 0);
	long long begin = now_ns() + 400000000LL;
	for (int i = 0; i < 20; i++) {
		int order = i * 7 % 20;

		pids[order] = START({
			long long left = begin + order * 10000000LL - now_ns();
			struct timespec t = {0, (long)left};

			CHILD_CHECK(left > 0);
			CHILD_CHECK(nanosleep(&t, NULL) == 0);
			CHILD_CHECK(write(fds[1], &order, sizeof(order)) == sizeof(order));
		});
	}
	for (int i = 0; i < 20; i++)
		REQUIRE_EQ(read(fds[0], &who[i], sizeof(int)), sizeof(int));
	for (int i = 0; i < 20; i++) {
		CHECK_EQ(who[i], i);
		CHECK_EXIT(wait_status(pids[i]), 0);
	}
	close(fds[0]);
	close(fds[1]);
}

TEST(timers_every_moment)
{
	const struct itimerval often = {{0, 200}, {0, 200}}, off = {{0, 0}, {0, 0}};
	struct pollfd none = {.fd = -1};
	long long end;

	sigs_seen = 0;
	handle(SIGALRM, count_one, SA_RESTART);
	CHECK_EQ(setitimer(ITIMER_REAL, &often, NULL), 0);
	for (end = now_ns() + SECOND; now_ns() < end;) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(7);
		REQUIRE(pid > 0);
		CHECK_EXIT(wait_status(pid), 7);
		poll(&none, 1, 1);
	}
	CHECK_EQ(setitimer(ITIMER_REAL, &off, NULL), 0);
	CHECK_THAT(sigs_seen > 20, "%d signals", sigs_seen);
	handle(SIGALRM, SIG_DFL, 0);
}
