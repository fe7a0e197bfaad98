/* SPDX-License-Identifier: MIT */
/* The socket calls themselves: arguments, options, socketpair, streams. Names are in t_unix_name.c,
 * messages and descriptors in t_unix_msg.c. */
#include "guest.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>

static int pair[2];

static void make_pair(int type)
{
	REQUIRE_EQ(socketpair(AF_UNIX, type, 0, pair), 0);
}

static void close_pair(void)
{
	close(pair[0]);
	close(pair[1]);
}

TEST(making_them)
{
	int *volatile nowhere = (int *)8;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct stat st;

	REQUIRE(fd >= 0);
	CHECK_EQ(fstat(fd, &st), 0);
	CHECK(S_ISSOCK(st.st_mode));
	CHECK_EQ(fcntl(fd, F_GETFD), 0);
	CHECK_EQ(fcntl(fd, F_GETFL) & (O_NONBLOCK | O_ACCMODE), O_RDWR);
	close(fd);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	REQUIRE(fd >= 0);
	CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	CHECK(fcntl(fd, F_GETFL) & O_NONBLOCK);
	CHECK_ERRNO(lseek(fd, 0, SEEK_SET), ESPIPE);
	close(fd);
	CHECK_ERRNO(socket(AF_UNIX, SOCK_STREAM, 77), EPROTONOSUPPORT);
	CHECK_ERRNO(socket(AF_UNIX, 99, 0), EINVAL);
	CHECK_ERRNO(socket(4711, SOCK_STREAM, 0), EAFNOSUPPORT);
	CHECK_ERRNO(socketpair(4711, SOCK_STREAM, 0, pair), EAFNOSUPPORT);
#ifdef __parvix__
	CHECK_ERRNO(socket(AF_INET, SOCK_STREAM, 0), EAFNOSUPPORT);
#endif
	CHECK_ERRNO(socketpair(AF_UNIX, SOCK_STREAM, 0, nowhere), EFAULT);
}

TEST(what_is_no_socket)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	socklen_t len = sizeof(un);
	int fd = open("/dev/null", O_RDWR), value;
	char c;

	CHECK_ERRNO(bind(fd, (struct sockaddr *)&un, len), ENOTSOCK);
	CHECK_ERRNO(listen(fd, 1), ENOTSOCK);
	CHECK_ERRNO(accept(fd, NULL, NULL), ENOTSOCK);
	CHECK_ERRNO(connect(fd, (struct sockaddr *)&un, len), ENOTSOCK);
	CHECK_ERRNO(send(fd, "x", 1, 0), ENOTSOCK);
	CHECK_ERRNO(recv(fd, &c, 1, 0), ENOTSOCK);
	CHECK_ERRNO(shutdown(fd, SHUT_RD), ENOTSOCK);
	CHECK_ERRNO(getsockname(fd, (struct sockaddr *)&un, &len), ENOTSOCK);
	CHECK_ERRNO(getpeername(fd, (struct sockaddr *)&un, &len), ENOTSOCK);
	len = sizeof(value);
	CHECK_ERRNO(getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &len), ENOTSOCK);
	CHECK_ERRNO(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &value, sizeof(value)), ENOTSOCK);
	close(fd);
	CHECK_ERRNO(listen(fd, 1), EBADF);
	CHECK_ERRNO(send(-1, "x", 1, 0), EBADF);
}

TEST(a_stream)
{
	struct iovec out[2] = {{(char *)"ab", 2}, {(char *)"cde", 3}};
	char buf[16];
	int n;

	make_pair(SOCK_STREAM);
	CHECK_EQ(writev(pair[0], out, 2), 5);
	CHECK_EQ(write(pair[0], "fg", 2), 2);
	CHECK_EQ(ioctl(pair[1], FIONREAD, &n), 0);
	CHECK_EQ(n, 7);
	CHECK_EQ(recv(pair[1], buf, 3, MSG_PEEK), 3);
	CHECK(memcmp(buf, "abc", 3) == 0);
	CHECK_EQ(recv(pair[1], buf, sizeof(buf), MSG_PEEK), 7);
	CHECK_EQ(read(pair[1], buf, 4), 4);
	CHECK_EQ(read(pair[1], buf + 4, 12), 3);
	CHECK(memcmp(buf, "abcdefg", 7) == 0);
	CHECK_EQ(send(pair[1], "back", 4, 0), 4);
	CHECK_EQ(recv(pair[0], buf, sizeof(buf), 0), 4);
	CHECK_EQ(send(pair[0], "", 0, 0), 0);
	CHECK_ERRNO(recv(pair[1], buf, 1, MSG_DONTWAIT), EAGAIN);
	close_pair();
}

TEST(not_connected)
{
	struct sockaddr_un un;
	socklen_t len = sizeof(un);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	char c;

	CHECK_ERRNO(send(fd, "x", 1, MSG_NOSIGNAL), ENOTCONN);
	CHECK_ERRNO(recv(fd, &c, 1, 0),
#ifdef __parvix__
		    ENOTCONN
#else
		    EINVAL
#endif
	);
	CHECK_ERRNO(getpeername(fd, (struct sockaddr *)&un, &len), ENOTCONN);
	CHECK_EQ(getsockname(fd, (struct sockaddr *)&un, &len), 0);
	CHECK_EQ(un.sun_family, AF_UNIX);
	CHECK_EQ(len, sizeof(sa_family_t));
#ifdef __parvix__ /* Linux: allowed */
	CHECK_ERRNO(shutdown(fd, SHUT_WR), ENOTCONN);
#endif
	close(fd);
}

static void ignore(int sig)
{
	(void)sig;
}

static volatile sig_atomic_t pipes;

static void count_pipe(int sig)
{
	(void)sig;
	pipes++;
}

TEST(the_end_of_a_stream)
{
	char buf[8];

	make_pair(SOCK_STREAM);
	handle(SIGPIPE, count_pipe, 0);
	pipes = 0;
	CHECK_EQ(send(pair[0], "abc", 3, 0), 3);
	close(pair[0]);
	CHECK_EQ(recv(pair[1], buf, 2, 0), 2);
	CHECK_EQ(recv(pair[1], buf, 2, 0), 1);
	CHECK_EQ(recv(pair[1], buf, 2, 0), 0);
	CHECK_EQ(recv(pair[1], buf, 2, 0), 0);
	CHECK_ERRNO(send(pair[1], "x", 1, MSG_NOSIGNAL), EPIPE);
	CHECK_EQ(pipes, 0);
	CHECK_ERRNO(send(pair[1], "x", 1, 0), EPIPE);
	CHECK_EQ(pipes, 1);
	CHECK_ERRNO(write(pair[1], "x", 1), EPIPE);
	CHECK_EQ(pipes, 2);
	close(pair[1]);
	signal(SIGPIPE, SIG_DFL);
}

/* Closed with something unread: the other end hears of it once. */
TEST(a_reset)
{
	int error = 0;
	socklen_t len = sizeof(error);
	char c;

	make_pair(SOCK_STREAM);
	CHECK_EQ(send(pair[0], "x", 1, 0), 1);
	close(pair[1]);
	CHECK_ERRNO(recv(pair[0], &c, 1, 0), ECONNRESET);
	CHECK_EQ(recv(pair[0], &c, 1, 0), 0);
	close(pair[0]);
	make_pair(SOCK_STREAM);
	CHECK_EQ(send(pair[0], "x", 1, 0), 1);
	close(pair[1]);
	CHECK_EQ(getsockopt(pair[0], SOL_SOCKET, SO_ERROR, &error, &len), 0);
	CHECK_EQ(error, ECONNRESET);
	CHECK_EQ(getsockopt(pair[0], SOL_SOCKET, SO_ERROR, &error, &len), 0);
	CHECK_EQ(error, 0);
	close(pair[0]);
}

TEST(half_closed)
{
	char buf[8];

	make_pair(SOCK_STREAM);
	CHECK_EQ(send(pair[0], "abc", 3, 0), 3);
	CHECK_EQ(shutdown(pair[0], SHUT_WR), 0);
	CHECK_EQ(recv(pair[1], buf, sizeof(buf), 0), 3);
	CHECK_EQ(recv(pair[1], buf, sizeof(buf), 0), 0);
	CHECK_ERRNO(send(pair[0], "x", 1, MSG_NOSIGNAL), EPIPE);
	CHECK_EQ(send(pair[1], "back", 4, 0), 4);
	CHECK_EQ(recv(pair[0], buf, sizeof(buf), 0), 4);
	CHECK_EQ(shutdown(pair[0], SHUT_RD), 0);
	CHECK_EQ(recv(pair[0], buf, sizeof(buf), 0), 0);
	CHECK_ERRNO(send(pair[1], "x", 1, MSG_NOSIGNAL), EPIPE);
	CHECK_ERRNO(shutdown(pair[0], 7), EINVAL);
	close_pair();
}

/* Somebody sleeps in recv() or send() when the connection is shut down under him. */
TEST(shut_down_while_waiting)
{
	static char block[4096];
	char c;
	pid_t pid;

	make_pair(SOCK_STREAM);
	pid = START(CHILD_CHECK(recv(pair[0], &c, 1, 0) == 0));
	sleep_ms(50);
	CHECK_EQ(shutdown(pair[1], SHUT_WR), 0);
	CHECK_EXIT(wait_status(pid), 0);
	pid = START({
		ssize_t n;

		while ((n = send(pair[1 - 1], block, sizeof(block), MSG_NOSIGNAL)) > 0)
			;
		CHILD_CHECK(n < 0 && errno == EPIPE);
	});
	sleep_ms(100);
	CHECK_EQ(shutdown(pair[1], SHUT_RD), 0);
	CHECK_EXIT(wait_status(pid), 0);
	close_pair();
}

TEST(options)
{
	int value = 0;
	socklen_t len = sizeof(value);
	struct timeval tv = {1, 500000};
	char byte[1];

	make_pair(SOCK_SEQPACKET);
	CHECK_EQ(getsockopt(pair[0], SOL_SOCKET, SO_TYPE, &value, &len), 0);
	CHECK_EQ(value, SOCK_SEQPACKET);
	CHECK_EQ(len, sizeof(value));
	CHECK_EQ(getsockopt(pair[0], SOL_SOCKET, SO_ACCEPTCONN, &value, &len), 0);
	CHECK_EQ(value, 0);
	CHECK_EQ(getsockopt(pair[0], SOL_SOCKET, SO_REUSEADDR, &value, &len), 0);
	CHECK_EQ(value, 0);
	value = 1;
	CHECK_EQ(setsockopt(pair[0], SOL_SOCKET, SO_REUSEADDR, &value, sizeof(value)), 0);
	value = 0;
	CHECK_EQ(getsockopt(pair[0], SOL_SOCKET, SO_REUSEADDR, &value, &len), 0);
	CHECK(value != 0);
	len = 1; /* no room: a part of it */
	CHECK_EQ(getsockopt(pair[0], SOL_SOCKET, SO_TYPE, byte, &len), 0);
	CHECK_EQ(len, 1);
	len = sizeof(value);
	CHECK_EQ(getsockopt(pair[0], SOL_SOCKET, SO_RCVBUF, &value, &len), 0);
	CHECK(value >= 4096);
	value = 8192;
	CHECK_EQ(setsockopt(pair[0], SOL_SOCKET, SO_RCVBUF, &value, sizeof(value)), 0);
	CHECK_EQ(getsockopt(pair[0], SOL_SOCKET, SO_RCVBUF, &value, &len), 0);
	CHECK(value >= 8192);
	CHECK_EQ(setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)), 0);
	tv = (struct timeval){0, 0};
	len = sizeof(tv);
	CHECK_EQ(getsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &tv, &len), 0);
	CHECK(tv.tv_sec == 1 && tv.tv_usec >= 499999 && tv.tv_usec <= 510000);
	CHECK_ERRNO(setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &tv, 1), EINVAL);
	tv.tv_usec = 1000000;
	CHECK_ERRNO(setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)), EDOM);
	CHECK_ERRNO(setsockopt(pair[0], SOL_SOCKET, 4711, &value, sizeof(value)), ENOPROTOOPT);
	len = sizeof(value);
	CHECK_ERRNO(getsockopt(pair[0], SOL_SOCKET, 4711, &value, &len), ENOPROTOOPT);
	CHECK_ERRNO(setsockopt(pair[0], SOL_SOCKET, SO_REUSEADDR, &value, 1), EINVAL);
	CHECK_ERRNO(setsockopt(pair[0], SOL_SOCKET, SO_REUSEADDR, (void *)8, sizeof(value)),
		    EFAULT);
	close_pair();
}

TEST(time_limits)
{
	struct timeval tv = {0, 50000};
	static char block[65536];
	long long start;
	char c;

	make_pair(SOCK_STREAM);
	CHECK_EQ(setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)), 0);
	CHECK_EQ(setsockopt(pair[0], SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)), 0);
	start = now_ns();
	CHECK_ERRNO(recv(pair[0], &c, 1, 0), EAGAIN);
	CHECK(now_ns() - start >= 45000000);
	while (send(pair[0], block, sizeof(block), MSG_DONTWAIT) > 0)
		;
	CHECK_EQ(errno, EAGAIN);
	start = now_ns();
	CHECK_ERRNO(send(pair[0], block, sizeof(block), 0), EAGAIN);
	CHECK(now_ns() - start >= 45000000);
	close_pair();
}

TEST(not_blocking)
{
	int on = 1;
	char c;

	make_pair(SOCK_STREAM);
	CHECK_EQ(ioctl(pair[0], FIONBIO, &on), 0);
	CHECK_ERRNO(read(pair[0], &c, 1), EAGAIN);
	CHECK_EQ(fcntl(pair[0], F_GETFL) & O_NONBLOCK, O_NONBLOCK);
	on = 0;
	CHECK_EQ(ioctl(pair[0], FIONBIO, &on), 0);
	CHECK_EQ(fcntl(pair[0], F_GETFL) & O_NONBLOCK, 0);
	close_pair();
}

TEST(waiting_for_all)
{
	char buf[8] = "";
	pid_t pid;

	make_pair(SOCK_STREAM);
	pid = START({
		for (int i = 0; i < 6; i++) {
			sleep_ms(10);
			CHILD_CHECK(send(pair[1], "abcdef" + i, 1, 0) == 1);
		}
	});
	CHECK_EQ(recv(pair[0], buf, 6, MSG_WAITALL), 6);
	CHECK(memcmp(buf, "abcdef", 6) == 0);
	CHECK_EXIT(wait_status(pid), 0);
	CHECK_EQ(send(pair[1], "xy", 2, 0), 2);
	CHECK_EQ(shutdown(pair[1], SHUT_WR), 0);
	CHECK_EQ(recv(pair[0], buf, 6, MSG_WAITALL), 2);
	close_pair();
}

/* Much more than the buffers hold, in pieces of all sizes; what arrives is what was sent. */
TEST(a_long_stream)
{
	static unsigned char block[10000];
	size_t total = 1000000, sent = 0, got = 0;
	bool right = true;
	pid_t pid;

	make_pair(SOCK_STREAM);
	pid = START({
		while (sent < total) {
			size_t n = 1 + test_random() % sizeof(block);
			ssize_t done;

			if (n > total - sent)
				n = total - sent;
			for (size_t i = 0; i < n; i++)
				block[i] = (unsigned char)((sent + i) * 7 >> 3);
			done = send(pair[1], block, n, 0);
			CHILD_CHECK(done == (ssize_t)n);
			sent += n;
		}
	});
	close(pair[1]);
	for (;;) {
		ssize_t n = recv(pair[0], block, 1 + test_random() % sizeof(block), 0);

		if (n <= 0)
			break;
		for (ssize_t i = 0; i < n; i++)
			right &= block[i] == (unsigned char)((got + i) * 7 >> 3);
		got += n;
	}
	CHECK(right);
	CHECK_EQ(got, total);
	CHECK_EXIT(wait_status(pid), 0);
	close(pair[0]);
}

TEST(interrupted)
{
	struct timeval tv = {5, 0};
	pid_t pid;
	char c;

	make_pair(SOCK_STREAM);
	handle(SIGUSR1, ignore, 0);
	pid = START({
		sleep_ms(50);
		kill(getppid(), SIGUSR1);
	});
	CHECK_ERRNO(recv(pair[0], &c, 1, 0), EINTR);
	CHECK_EXIT(wait_status(pid), 0);
	handle(SIGUSR1, ignore, SA_RESTART);
	pid = START({
		sleep_ms(50);
		kill(getppid(), SIGUSR1);
		sleep_ms(50);
		CHILD_CHECK(send(pair[1], "x", 1, 0) == 1);
	});
	CHECK_EQ(recv(pair[0], &c, 1, 0), 1);
	CHECK_EXIT(wait_status(pid), 0);
	/* With a time limit of its own, it is not started again. */
	CHECK_EQ(setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)), 0);
	pid = START({
		sleep_ms(50);
		kill(getppid(), SIGUSR1);
	});
	CHECK_ERRNO(recv(pair[0], &c, 1, 0), EINTR);
	CHECK_EXIT(wait_status(pid), 0);
	signal(SIGUSR1, SIG_DFL);
	close_pair();
}

TEST(bad_addresses_of_data)
{
	char c;

	make_pair(SOCK_STREAM);
	CHECK_ERRNO(send(pair[0], (void *)8, 4, 0), EFAULT);
	CHECK_EQ(send(pair[0], "ab", 2, 0), 2);
	CHECK_ERRNO(recv(pair[1], (void *)8, 4, 0), EFAULT);
	CHECK_EQ(recv(pair[1], &c, 1, 0), 1);
	CHECK_EQ(c, 'a');
#ifdef __parvix__ /* Linux: EINVAL */
	CHECK_ERRNO(recv(pair[1], &c, 1, MSG_OOB), EOPNOTSUPP);
#endif
	close_pair();
}

static short poll_bits(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN | POLLOUT | POLLRDHUP};

	return poll(&p, 1, 0) < 0 ? -1 : p.revents;
}

TEST(polling)
{
	static char block[4096];
	char c;

	make_pair(SOCK_STREAM);
	CHECK_EQ(poll_bits(pair[0]), POLLOUT);
	CHECK_EQ(send(pair[1], "x", 1, 0), 1);
	CHECK_EQ(poll_bits(pair[0]), POLLIN | POLLOUT);
	CHECK_EQ(recv(pair[0], &c, 1, 0), 1);
	while (send(pair[0], block, sizeof(block), MSG_DONTWAIT) > 0)
		;
	CHECK_EQ(poll_bits(pair[0]), 0);
	while (recv(pair[1], block, sizeof(block), MSG_DONTWAIT) > 0)
		;
	CHECK_EQ(poll_bits(pair[0]), POLLOUT);
	CHECK_EQ(shutdown(pair[1], SHUT_WR), 0);
	CHECK_EQ(poll_bits(pair[0]), POLLIN | POLLOUT | POLLRDHUP);
	close(pair[1]);
	CHECK_EQ(poll_bits(pair[0]), POLLIN | POLLOUT | POLLRDHUP | POLLHUP);
	close(pair[0]);
}

/* Room that a reader makes wakes who polls for it; so do data and the end. */
TEST(polling_wakes)
{
	static char block[4096];
	struct pollfd p;
	pid_t pid;

	make_pair(SOCK_STREAM);
	while (send(pair[0], block, sizeof(block), MSG_DONTWAIT) > 0)
		;
	pid = START({
		sleep_ms(50);
		while (recv(pair[1], block, sizeof(block), MSG_DONTWAIT) > 0)
			;
		sleep_ms(50);
		CHILD_CHECK(send(pair[1], "x", 1, 0) == 1);
		sleep_ms(50);
		shutdown(pair[1], SHUT_RDWR);
	});
	p = (struct pollfd){.fd = pair[0], .events = POLLOUT};
	CHECK_EQ(poll(&p, 1, 5000), 1);
	p.events = POLLIN;
	CHECK_EQ(poll(&p, 1, 5000), 1);
	CHECK_EQ(recv(pair[0], block, 1, 0), 1);
	p.events = 0;
	CHECK_EQ(poll(&p, 1, 5000), 1);
	CHECK(p.revents & POLLHUP);
	CHECK_EXIT(wait_status(pid), 0);
	close_pair();
}

/* Many readers of one stream: each byte is somebody's, and none sleeps on while there is one. */
TEST(several_readers)
{
	enum { READERS = 6, BYTES = 600 };
	pid_t pids[READERS];
	int counts[2], sum = 0;

	make_pair(SOCK_STREAM);
	REQUIRE_EQ(pipe(counts), 0);
	for (int i = 0; i < READERS; i++)
		pids[i] = START({
			int got = 0;
			char c;

			close(pair[1]);
			while (recv(pair[0], &c, 1, 0) == 1)
				got++;
			CHILD_CHECK(write(counts[1], &got, sizeof(got)) == sizeof(got));
		});
	for (int i = 0; i < BYTES; i += 3)
		CHECK_EQ(send(pair[1], "abc", 3, 0), 3);
	close_pair();
	for (int i = 0; i < READERS; i++) {
		int got = 0;

		CHECK_EXIT(wait_status(pids[i]), 0);
		CHECK_EQ(read(counts[0], &got, sizeof(got)), sizeof(got));
		sum += got;
	}
	CHECK_EQ(sum, BYTES);
	close(counts[0]);
	close(counts[1]);
}
