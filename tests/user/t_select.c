/* SPDX-License-Identifier: MIT */
/* select, pselect, ppoll: time limits, the signal mask, many descriptors, several who wait. */
#include "guest.h"

#include <poll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>

static volatile sig_atomic_t handled;

static void note(int sig)
{
	handled = sig;
}

static struct timespec ms(long n)
{
	return (struct timespec){n / 1000, n % 1000 * 1000000};
}

TEST(time_limits)
{
	struct timespec t = ms(30);
	long long start = now_ns();

	CHECK_EQ(pselect(0, NULL, NULL, NULL, &t, NULL), 0);
	CHECK(now_ns() - start >= 29000000);
	start = now_ns();
	CHECK_EQ(ppoll(NULL, 0, &t, NULL), 0);
	CHECK(now_ns() - start >= 29000000);
	t.tv_nsec = 1000000000;
	CHECK_ERRNO(pselect(0, NULL, NULL, NULL, &t, NULL), EINVAL);
	CHECK_ERRNO(ppoll(NULL, 0, &t, NULL), EINVAL);
	t = (struct timespec){-1, 0};
	CHECK_ERRNO(ppoll(NULL, 0, &t, NULL), EINVAL);
	t = ms(0);
	CHECK_EQ(pselect(0, NULL, NULL, NULL, &t, NULL), 0);
#ifdef __parvix__ /* elsewhere the library looks at it */
	CHECK_ERRNO(pselect(0, NULL, NULL, NULL, (struct timespec *)8, NULL), EFAULT);
	CHECK_ERRNO(ppoll(NULL, 0, (struct timespec *)8, NULL), EFAULT);
#endif
}

/* The mask is taken and the wait begun in one step: a pending signal ends it at once. */
TEST(a_mask)
{
	struct timespec t = ms(5000);
	sigset_t blocked, empty, old, now;
	struct pollfd p;
	int fds[2];

	handle(SIGUSR1, note, 0);
	sigemptyset(&empty);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR1);
	sigprocmask(SIG_BLOCK, &blocked, &old);
	handled = 0;
	raise(SIGUSR1);
	CHECK_EQ(handled, 0);
	CHECK_ERRNO(ppoll(NULL, 0, &t, &empty), EINTR);
	CHECK_EQ(handled, SIGUSR1);
	sigprocmask(SIG_BLOCK, NULL, &now);
	CHECK(sigismember(&now, SIGUSR1)); /* as before */
	handled = 0;
	raise(SIGUSR1);
	CHECK_ERRNO(pselect(0, NULL, NULL, NULL, NULL, &empty), EINTR);
	CHECK_EQ(handled, SIGUSR1);
	sigprocmask(SIG_BLOCK, NULL, &now);
	CHECK(sigismember(&now, SIGUSR1));
	/* Blocked by the mask: the wait goes on, and the signal comes afterwards. */
	sigprocmask(SIG_SETMASK, &old, NULL);
	handled = 0;
	pid_t pid = START({
		sleep_ms(30);
		kill(getppid(), SIGUSR1);
	});
	t = ms(100);
	CHECK_EQ(ppoll(NULL, 0, &t, &blocked), 0);
	CHECK_EQ(handled, SIGUSR1);
	CHECK_EXIT(wait_status(pid), 0);
	sigprocmask(SIG_BLOCK, NULL, &now);
	CHECK(!sigismember(&now, SIGUSR1));
	/* With something ready, the answer is given and the mask is back. */
	REQUIRE_EQ(pipe(fds), 0);
	CHECK_EQ(write(fds[1], "x", 1), 1);
	p = (struct pollfd){.fd = fds[0], .events = POLLIN};
	CHECK_EQ(ppoll(&p, 1, &t, &blocked), 1);
	sigprocmask(SIG_BLOCK, NULL, &now);
	CHECK(!sigismember(&now, SIGUSR1));
	CHECK_ERRNO(ppoll(&p, 1, &t, (sigset_t *)8), EFAULT);
	close(fds[0]);
	close(fds[1]);
	signal(SIGUSR1, SIG_DFL);
}

/* An ignored signal does not end the wait, and does not lengthen it. */
TEST(an_ignored_signal)
{
	struct timespec t = ms(120);
	sigset_t empty;
	long long start = now_ns();
	pid_t pid;

	sigemptyset(&empty);
	signal(SIGUSR1, SIG_IGN);
	pid = START({
		for (int i = 0; i < 4; i++) {
			sleep_ms(20);
			kill(getppid(), SIGUSR1);
		}
	});
	CHECK_EQ(ppoll(NULL, 0, &t, &empty), 0);
	CHECK(now_ns() - start >= 119000000);
	CHECK_EXIT(wait_status(pid), 0);
	signal(SIGUSR1, SIG_DFL);
}

/* The same file in very many places, and many files: an answer for each. */
TEST(a_thousand)
{
	static struct pollfd p[1000];
	int fds[100][2], fd, n;

	for (int i = 0; i < 100; i++)
		REQUIRE_EQ(pipe(fds[i]), 0);
	for (int i = 0; i < 1000; i++)
		p[i] = (struct pollfd){.fd = fds[i % 100][0], .events = POLLIN};
	CHECK_EQ(poll(p, 1000, 0), 0);
	CHECK_EQ(poll(p, 1000, 10), 0);
	CHECK_EQ(write(fds[7][1], "x", 1), 1);
	CHECK_EQ(poll(p, 1000, 5000), 10);
	CHECK_EQ(p[7].revents, POLLIN);
	CHECK_EQ(p[8].revents, 0);
	CHECK_EQ(p[907].revents, POLLIN);
	CHECK_EQ(read(fds[7][0], &fd, 1), 1);
	/* Woken by the last of them. */
	pid_t pid = START({
		sleep_ms(30);
		CHILD_CHECK(write(fds[99][1], "x", 1) == 1);
	});
	CHECK_EQ(poll(p, 1000, 5000), 10);
	CHECK_EXIT(wait_status(pid), 0);
	fd_set in;

	FD_ZERO(&in);
	for (int i = 0; i < 100; i++)
		FD_SET(fds[i][0], &in);
	n = select(FD_SETSIZE, &in, NULL, NULL, NULL);
	CHECK_EQ(n, 1);
	CHECK(FD_ISSET(fds[99][0], &in) && !FD_ISSET(fds[0][0], &in));
	for (int i = 0; i < 100; i++) {
		close(fds[i][0]);
		close(fds[i][1]);
	}
}

/* Each kind of file says what it can do. */
TEST(all_kinds)
{
	static const char *const names[] = {"/dev/null", "/dev/zero", "/etc/passwd", "/", "/proc"};
	fd_set in, out, except;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		int fd = open(names[i], O_RDONLY);
		struct pollfd p = {.fd = fd, .events = POLLIN | POLLOUT};

		REQUIRE(fd >= 0);
		FD_ZERO(&in);
		FD_ZERO(&out);
		FD_ZERO(&except);
		FD_SET(fd, &in);
		FD_SET(fd, &out);
		FD_SET(fd, &except);
		CHECK_THAT(select(fd + 1, &in, &out, &except, NULL) == 2, "%s", names[i]);
		CHECK(FD_ISSET(fd, &in) && FD_ISSET(fd, &out) && !FD_ISSET(fd, &except));
		CHECK_EQ(poll(&p, 1, -1), 1);
		CHECK_EQ(p.revents, POLLIN | POLLOUT);
		close(fd);
	}
}

TEST(a_fifo)
{
	struct pollfd p[2];
	int rd, wr;
	char c;

	REQUIRE(enter_scratch("/tmp"));
	REQUIRE_EQ(mkfifo("fifo", 0600), 0);
	rd = open("fifo", O_RDONLY | O_NONBLOCK);
	p[0] = (struct pollfd){.fd = rd, .events = POLLIN};
	CHECK_EQ(poll(p, 1, 0), 0); /* nobody has written: no end either */
	wr = open("fifo", O_WRONLY);
	p[1] = (struct pollfd){.fd = wr, .events = POLLOUT};
	CHECK_EQ(poll(p, 2, 0), 1);
	CHECK_EQ(p[1].revents, POLLOUT);
	CHECK_EQ(write(wr, "x", 1), 1);
	CHECK_EQ(poll(p, 1, 0), 1);
	CHECK_EQ(p[0].revents, POLLIN);
	CHECK_EQ(read(rd, &c, 1), 1);
	close(wr);
	CHECK_EQ(poll(p, 1, 0), 1);
	CHECK_EQ(p[0].revents, POLLHUP);
	close(rd);
	leave_scratch("/tmp");
}

/* select() is told of the end, and of an error, as of something to read or write. */
TEST(ends)
{
	fd_set set;
	int fds[2];

	REQUIRE_EQ(pipe(fds), 0);
	close(fds[0]);
	FD_ZERO(&set);
	FD_SET(fds[1], &set);
	CHECK_EQ(select(fds[1] + 1, NULL, &set, NULL, NULL), 1);
	close(fds[1]);
	REQUIRE_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	close(fds[1]);
	FD_ZERO(&set);
	FD_SET(fds[0], &set);
	CHECK_EQ(select(fds[0] + 1, &set, NULL, NULL, NULL), 1);
	CHECK_EQ(select(fds[0] + 1, NULL, &set, NULL, NULL), 1);
	close(fds[0]);
}

/* Several processes wait in poll for the same byte: all are woken, one gets it. And again. */
TEST(several_wait)
{
	enum { WAITERS = 5, BYTES = 60 };
	pid_t pids[WAITERS];
	int fds[2], done[2], sum = 0;

	REQUIRE_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	REQUIRE_EQ(pipe(done), 0);
	for (int i = 0; i < WAITERS; i++)
		pids[i] = START({
			struct pollfd p = {.fd = fds[0], .events = POLLIN};
			int got = 0;
			char c;
			ssize_t n;

			close(fds[1]);
			fcntl(fds[0], F_SETFL, O_NONBLOCK);
			for (;;) {
				CHILD_CHECK(poll(&p, 1, 10000) == 1);
				n = read(fds[0], &c, 1);
				if (n == 0)
					break;
				got += n > 0;
			}
			CHILD_CHECK(write(done[1], &got, sizeof(got)) == sizeof(got));
		});
	for (int i = 0; i < BYTES; i++) {
		CHECK_EQ(write(fds[1], "x", 1), 1);
		if (i % 10 == 0)
			sleep_ms(5);
	}
	close(fds[1]);
	for (int i = 0; i < WAITERS; i++) {
		int got = 0;

		CHECK_EXIT(wait_status(pids[i]), 0);
		CHECK_EQ(read(done[0], &got, sizeof(got)), sizeof(got));
		sum += got;
	}
	CHECK_EQ(sum, BYTES);
	close(fds[0]);
	close(done[0]);
	close(done[1]);
}
