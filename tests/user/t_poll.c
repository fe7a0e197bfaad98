/* SPDX-License-Identifier: MIT */
/* poll and select. */
#include "guest.h"

#include <poll.h>
#include <sys/select.h>
#include <sys/time.h>

TEST(nothing_to_wait_for)
{
	long long start = now_ns();

	CHECK_EQ(poll(NULL, 0, 50), 0);
	CHECK(now_ns() - start >= 49000000);
	CHECK_EQ(poll(NULL, 0, 0), 0);
}

TEST(a_pipe)
{
	struct pollfd p[2];
	int fds[2];
	char c;

	REQUIRE_EQ(pipe(fds), 0);
	p[0] = (struct pollfd){.fd = fds[0], .events = POLLIN};
	p[1] = (struct pollfd){.fd = fds[1], .events = POLLOUT};
	CHECK_EQ(poll(p, 2, 1000), 1);
	CHECK_EQ(p[0].revents, 0);
	CHECK_EQ(p[1].revents, POLLOUT);
	CHECK_EQ(write(fds[1], "x", 1), 1);
	CHECK_EQ(poll(p, 2, -1), 2);
	CHECK_EQ(p[0].revents, POLLIN);
	CHECK_EQ(read(fds[0], &c, 1), 1);
	CHECK_EQ(poll(p, 1, 20), 0);
	close(fds[1]);
	CHECK_EQ(poll(p, 1, -1), 1);
	CHECK(p[0].revents & POLLHUP);
	close(fds[0]);
	REQUIRE_EQ(pipe(fds), 0);
	close(fds[0]);
	p[0] = (struct pollfd){.fd = fds[1], .events = POLLOUT};
	CHECK_EQ(poll(p, 1, -1), 1);
	CHECK(p[0].revents & POLLERR);
	close(fds[1]);
}

TEST(a_full_pipe)
{
	static char block[PAGE];
	struct pollfd p;
	int fds[2];

	REQUIRE_EQ(pipe2(fds, O_NONBLOCK), 0);
	while (write(fds[1], block, sizeof(block)) > 0)
		;
	p = (struct pollfd){.fd = fds[1], .events = POLLOUT};
	CHECK_EQ(poll(&p, 1, 0), 0);
	for (int i = 0; i < 4; i++)
		CHECK(read(fds[0], block, sizeof(block)) > 0);
	CHECK_EQ(poll(&p, 1, 0), 1);
	close(fds[0]);
	close(fds[1]);
}

TEST(bad_and_ignored_descriptors)
{
	struct pollfd p[3] = {{.fd = 99, .events = POLLIN},
			      {.fd = -1, .events = POLLIN, .revents = 7},
			      {.fd = 1, .events = 0}};

	CHECK_EQ(poll(p, 2, -1), 1);
	CHECK_EQ(p[0].revents, POLLNVAL);
	CHECK_EQ(p[1].revents, 0);
	CHECK_ERRNO(poll(p, 100000, 0), EINVAL);
}

TEST(files_are_always_ready)
{
	struct pollfd p = {.fd = open("/etc/passwd", O_RDONLY), .events = POLLIN};

	CHECK_EQ(poll(&p, 1, -1), 1);
	CHECK_EQ(p.revents, POLLIN);
	close(p.fd);
	p.fd = open("/dev/null", O_RDWR);
	p.events = POLLIN | POLLOUT;
	CHECK_EQ(poll(&p, 1, -1), 1);
	CHECK_EQ(p.revents, POLLIN | POLLOUT);
	close(p.fd);
}

TEST(waking_up)
{
	struct pollfd p[2];
	int a[2], b[2];
	pid_t pid;

	REQUIRE(pipe(a) == 0 && pipe(b) == 0);
	pid = START({
		sleep_ms(50);
		CHILD_CHECK(write(b[1], "x", 1) == 1);
	});
	p[0] = (struct pollfd){.fd = a[0], .events = POLLIN};
	p[1] = (struct pollfd){.fd = b[0], .events = POLLIN};
	CHECK_EQ(poll(p, 2, 5000), 1);
	CHECK_EQ(p[1].revents, POLLIN);
	CHECK_EXIT(wait_status(pid), 0);
	close(a[0]);
	close(a[1]);
	close(b[0]);
	close(b[1]);
}

static void ignore(int sig)
{
	(void)sig;
}

TEST(interrupted)
{
	pid_t pid;

	handle(SIGUSR1, ignore, SA_RESTART); /* never restarted */
	pid = START({
		sleep_ms(50);
		kill(getppid(), SIGUSR1);
	});
	CHECK_ERRNO(poll(NULL, 0, 5000), EINTR);
	CHECK_EXIT(wait_status(pid), 0);
	signal(SIGUSR1, SIG_DFL);
}

TEST(selecting)
{
	struct timeval t = {0, 30000};
	fd_set in, out;
	int fds[2];
	char c;

	REQUIRE_EQ(pipe(fds), 0);
	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_SET(fds[0], &in);
	CHECK_EQ(select(fds[1] + 1, &in, NULL, NULL, &t), 0);
	CHECK(!FD_ISSET(fds[0], &in));
	FD_SET(fds[0], &in);
	FD_SET(fds[1], &out);
	CHECK_EQ(select(fds[1] + 1, &in, &out, NULL, NULL), 1);
	CHECK(!FD_ISSET(fds[0], &in) && FD_ISSET(fds[1], &out));
	CHECK_EQ(write(fds[1], "x", 1), 1);
	FD_SET(fds[0], &in);
	CHECK_EQ(select(fds[1] + 1, &in, &out, NULL, NULL), 2);
	CHECK_EQ(read(fds[0], &c, 1), 1);
	close(fds[0]);
	close(fds[1]);
	FD_ZERO(&in);
	FD_SET(fds[0], &in);
	CHECK_ERRNO(select(fds[0] + 1, &in, NULL, NULL, NULL), EBADF);
	CHECK_ERRNO(select(-1, NULL, NULL, NULL, NULL), EINVAL);
	t.tv_sec = -1;
	CHECK_ERRNO(select(0, NULL, NULL, NULL, &t), EINVAL);
}
