/* SPDX-License-Identifier: MIT */
/* Unix sockets with names in the file system: bind, listen, connect, accept, datagrams. */
#include "guest.h"

#include <poll.h>
#include <sched.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#define ADDR(name) (const struct sockaddr *)address(name), address_len

static socklen_t address_len;

static struct sockaddr_un *address(const char *name)
{
	static struct sockaddr_un un;

	un.sun_family = AF_UNIX;
	strcpy(un.sun_path, name);
	address_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name) + 1);
	return &un;
}

static int bound(int type, const char *name)
{
	int fd = socket(AF_UNIX, type, 0);

	address(name);
	if (fd >= 0 && bind(fd, ADDR(name)) == 0)
		return fd;
	test_failed(__FILE__, __LINE__, "bind to %s: errno %d", name, errno);
	return -1;
}

static int server(int type, const char *name, int backlog)
{
	int fd = bound(type, name);

	CHECK_EQ(listen(fd, backlog), 0);
	return fd;
}

static int client(int type, const char *name)
{
	int fd = socket(AF_UNIX, type, 0), saved;

	address(name);
	if (connect(fd, ADDR(name)) == 0)
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

static void names_in(const char *parent)
{
	struct sockaddr_un un;
	socklen_t len = sizeof(un);
	struct stat st;
	int fd, fd2;

	REQUIRE(enter_scratch(parent));
	umask(022);
	fd = bound(SOCK_STREAM, "name");
	CHECK_EQ(lstat("name", &st), 0);
	CHECK(S_ISSOCK(st.st_mode));
	CHECK_EQ(st.st_mode & 07777, 0755);
	CHECK_EQ(system("test -S name && ls -l name | grep -q ^s && find . -type s | grep -q name"),
		 0);
	CHECK_EQ(getsockname(fd, (struct sockaddr *)&un, &len), 0);
	CHECK(strcmp(un.sun_path, "name") == 0);
	CHECK_EQ(len, offsetof(struct sockaddr_un, sun_path) + 5);
	len = 4; /* no room: cut, and the length told */
	CHECK_EQ(getsockname(fd, (struct sockaddr *)&un, &len), 0);
	CHECK_EQ(len, offsetof(struct sockaddr_un, sun_path) + 5);
	CHECK_ERRNO(open("name", O_RDWR), ENXIO);
	CHECK_ERRNO(bind(fd, ADDR("other")), EINVAL);
	CHECK_ERRNO(access("other", F_OK), ENOENT);
	fd2 = socket(AF_UNIX, SOCK_STREAM, 0);
	address("name");
	CHECK_ERRNO(bind(fd2, ADDR("name")), EADDRINUSE);
	address("missing/name");
	CHECK_ERRNO(bind(fd2, ADDR("missing/name")), ENOENT);
	address("name/below");
	CHECK_ERRNO(bind(fd2, ADDR("name/below")), ENOTDIR);
	CHECK_ERRNO(bind(fd2, (struct sockaddr *)address("x"), 1), EINVAL);
	CHECK_ERRNO(bind(fd2, (struct sockaddr *)address("x"), 1000), EINVAL);
	CHECK_ERRNO(bind(fd2, (struct sockaddr *)8, 20), EFAULT);
	CHECK_ERRNO(client(SOCK_STREAM, "name"), ECONNREFUSED); /* nobody listens */
	close(fd);
	CHECK_ERRNO(client(SOCK_STREAM, "name"), ECONNREFUSED); /* a stale name */
	CHECK_ERRNO(client(SOCK_STREAM, "none"), ENOENT);
	address("name");
	CHECK_ERRNO(bind(fd2, ADDR("name")), EADDRINUSE);
	CHECK_EQ(unlink("name"), 0);
	CHECK_EQ(bind(fd2, ADDR("name")), 0);
	CHECK_EQ(rename("name", "moved"), 0);
	CHECK_EQ(listen(fd2, 5), 0);
	fd = client(SOCK_STREAM, "moved");
	CHECK(fd >= 0);
	close(fd);
	CHECK_EQ(unlink("moved"), 0);
	close(fd2);
	leave_scratch(parent);
}

TEST(names_in_tmp)
{
	names_in("/tmp");
}

TEST(names_on_disk)
{
	names_in("/var/tmp");
}

TEST(a_path_as_long_as_it_may_be)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX}, got;
	socklen_t len = sizeof(got);
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	REQUIRE(enter_scratch("/tmp"));
	memset(un.sun_path, 'x', sizeof(un.sun_path));
	CHECK_EQ(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	memset(&got, 0, sizeof(got));
	CHECK_EQ(getsockname(fd, (struct sockaddr *)&got, &len), 0);
	CHECK(len >= sizeof(un) && memcmp(got.sun_path, un.sun_path, sizeof(un.sun_path)) == 0);
	close(fd);
	leave_scratch("/tmp");
}

static void connections(int type)
{
	struct sockaddr_un un;
	socklen_t len = sizeof(un);
	int fd, a, b, value = 0;
	char buf[8];

	REQUIRE(enter_scratch("/tmp"));
	fd = server(type, "s", 5);
	len = sizeof(value);
	CHECK_EQ(getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &len), 0);
	CHECK_EQ(value, 1);
	CHECK_EQ(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	CHECK_ERRNO(accept(fd, NULL, NULL), EAGAIN);
	a = client(type, "s");
	CHECK(a >= 0);
	CHECK_EQ(send(a, "early", 5, 0), 5); /* before anybody has accepted */
	len = sizeof(un);
	b = accept4(fd, (struct sockaddr *)&un, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
	CHECK(b >= 0);
	CHECK_EQ(len, sizeof(sa_family_t)); /* the client has no name */
	CHECK_EQ(fcntl(b, F_GETFD), FD_CLOEXEC);
	CHECK(fcntl(b, F_GETFL) & O_NONBLOCK);
	CHECK_ERRNO(accept4(fd, NULL, NULL, 0x10), EINVAL);
	len = sizeof(un);
	CHECK_EQ(getpeername(a, (struct sockaddr *)&un, &len), 0);
	CHECK(strcmp(un.sun_path, "s") == 0);
	len = sizeof(un);
	CHECK_EQ(getsockname(b, (struct sockaddr *)&un, &len), 0);
	CHECK(strcmp(un.sun_path, "s") == 0);
	CHECK_EQ(recv(b, buf, sizeof(buf), 0), 5);
	CHECK_EQ(send(b, "hi", 2, 0), 2);
	CHECK_EQ(recv(a, buf, sizeof(buf), 0), 2);
	address("s");
	CHECK_ERRNO(connect(a, ADDR("s")), EISCONN);
	if (type == SOCK_STREAM)
		CHECK_ERRNO(sendto(a, "x", 1, 0, ADDR("s")), EISCONN);
	CHECK_ERRNO(client(type == SOCK_STREAM ? SOCK_SEQPACKET : SOCK_STREAM, "s"), EPROTOTYPE);
	CHECK_ERRNO(listen(a, 5), EINVAL);
	CHECK_EQ(fcntl(fd, F_SETFL, 0), 0);
	close(a);
	CHECK_EQ(recv(b, buf, sizeof(buf), 0), 0);
	close(b);
	close(fd);
	leave_scratch("/tmp");
}

TEST(stream_connections)
{
	connections(SOCK_STREAM);
}

TEST(seqpacket_connections)
{
	connections(SOCK_SEQPACKET);
}

TEST(wrong_kinds)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	struct sockaddr other = {.sa_family = 4711};
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0), s = socket(AF_UNIX, SOCK_STREAM, 0);

	REQUIRE(enter_scratch("/tmp"));
	CHECK_ERRNO(listen(fd, 1), EOPNOTSUPP);
	CHECK_ERRNO(accept(fd, NULL, NULL), EOPNOTSUPP);
	CHECK_ERRNO(accept(s, NULL, NULL), EINVAL);
#ifdef __parvix__ /* Linux: EINVAL */
	CHECK_ERRNO(listen(s, 1), EDESTADDRREQ);
	CHECK_ERRNO(connect(s, &other, sizeof(other)), EAFNOSUPPORT);
	CHECK_ERRNO(bind(s, &other, sizeof(other)), EAFNOSUPPORT);
	CHECK_ERRNO(send(fd, "x", 1, 0), EDESTADDRREQ);
	CHECK_ERRNO(connect(s, (struct sockaddr *)&un, sizeof(un)), ENOENT);
#endif
	(void)other;
	(void)un;
	CHECK(make_file("file", "x", 1));
	CHECK_ERRNO(client(SOCK_STREAM, "file"), ECONNREFUSED);
	close(fd);
	close(s);
	leave_scratch("/tmp");
}

TEST(the_backlog)
{
	int fds[5], n = 0, fd, flags;

	REQUIRE(enter_scratch("/tmp"));
	fd = server(SOCK_STREAM, "s", 2);
	for (; n < 5; n++) {
		fds[n] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
		address("s");
		if (connect(fds[n], ADDR("s")) < 0)
			break;
	}
	CHECK(n >= 2 && n <= 3);
	CHECK_EQ(errno, EAGAIN);
	/* A blocking connect waits until there is room. */
	pid_t pid = START(CHILD_CHECK(client(SOCK_STREAM, "s") >= 0));

	sleep_ms(50);
	flags = accept(fd, NULL, NULL);
	CHECK(flags >= 0);
	CHECK_EXIT(wait_status(pid), 0);
	close(flags);
	/* Those who were not accepted find a reset connection. */
	close(fd);
	CHECK_ERRNO(recv(fds[1], &flags, 1, 0), ECONNRESET);
	CHECK_ERRNO(send(fds[1], "x", 1, MSG_NOSIGNAL), EPIPE);
	for (int i = 0; i <= n && i < 5; i++)
		close(fds[i]);
	leave_scratch("/tmp");
}

TEST(closed_while_connecting)
{
	int fd, fd2, fd3;
	pid_t pid;

	REQUIRE(enter_scratch("/tmp"));
	fd = server(SOCK_STREAM, "s", 0);
	fd2 = client(SOCK_STREAM, "s");
	CHECK(fd2 >= 0);
	fcntl(fd2, F_SETFD, FD_CLOEXEC);
	pid = START({
		close(fd);
		/* One more may fit; the next waits, and is refused. */
		fd3 = client(SOCK_STREAM, "s");
		if (fd3 >= 0)
			fd3 = client(SOCK_STREAM, "s");
		CHILD_CHECK(fd3 < 0 && errno == ECONNREFUSED);
	});
	sleep_ms(100);
	close(fd);
	CHECK_EXIT(wait_status(pid), 0);
	close(fd2);
	leave_scratch("/tmp");
}

TEST(polling_for_connections)
{
	struct pollfd p;
	pid_t pid;
	int fd;

	REQUIRE(enter_scratch("/tmp"));
	fd = server(SOCK_STREAM, "s", 5);
	p = (struct pollfd){.fd = fd, .events = POLLIN};
	CHECK_EQ(poll(&p, 1, 0), 0);
	pid = START({
		sleep_ms(50);
		CHILD_CHECK(client(SOCK_STREAM, "s") >= 0);
	});
	CHECK_EQ(poll(&p, 1, 5000), 1);
	CHECK_EQ(p.revents, POLLIN);
	CHECK_EXIT(wait_status(pid), 0);
	close(accept(fd, NULL, NULL));
	close(fd);
	leave_scratch("/tmp");
}

TEST(two_hundred_connections)
{
	enum { HOW_MANY = 200 };
	int fd, status;
	pid_t pid;
	char c;

	REQUIRE(enter_scratch("/tmp"));
	fd = server(SOCK_STREAM, "s", 8);
	pid = START({
		static int fds[HOW_MANY];

		for (int i = 0; i < HOW_MANY; i++) {
			fds[i] = client(SOCK_STREAM, "s");
			CHILD_CHECK(fds[i] >= 0);
			c = (char)i;
			CHILD_CHECK(send(fds[i], &c, 1, 0) == 1);
		}
		for (int i = 0; i < HOW_MANY; i++) {
			CHILD_CHECK(recv(fds[i], &c, 1, 0) == 1 && c == (char)(i + 1));
		}
	});
	static int fds[HOW_MANY];
	static struct pollfd p[HOW_MANY];

	for (int i = 0; i < HOW_MANY; i++) {
		fds[i] = accept(fd, NULL, NULL);
		REQUIRE(fds[i] >= 0);
		p[i] = (struct pollfd){.fd = fds[i], .events = POLLIN};
	}
	for (int left = HOW_MANY; left > 0;) {
		int n = poll(p, HOW_MANY, 5000);

		REQUIRE(n > 0);
		for (int i = 0; i < HOW_MANY; i++) {
			if (!(p[i].revents & POLLIN) || p[i].fd < 0)
				continue;
			CHECK_EQ(recv(fds[i], &c, 1, 0), 1);
			c++;
			CHECK_EQ(send(fds[i], &c, 1, 0), 1);
			p[i].fd = -1;
			p[i].revents = 0;
			left--;
		}
	}
	status = wait_status(pid);
	CHECK_EXIT(status, 0);
	for (int i = 0; i < HOW_MANY; i++)
		close(fds[i]);
	close(fd);
	leave_scratch("/tmp");
}

/* Connecting against the server's close, many times: refused, reset or served, never stuck. */
TEST(connect_against_close)
{
	REQUIRE(enter_scratch("/tmp"));
	for (int i = 0; i < 40; i++) {
		int fd;
		pid_t pid;

		unlink("s");
		fd = server(SOCK_STREAM, "s", 1);
		pid = START({
			close(fd);
			for (int n = 0; n < 3; n++) {
				int c = client(SOCK_STREAM, "s");
				char byte;

				if (c < 0) {
					CHILD_CHECK(errno == ECONNREFUSED);
					continue;
				}
				if (recv(c, &byte, 1, 0) < 0)
					CHILD_CHECK(errno == ECONNRESET);
				close(c);
			}
		});
		if (i % 3)
			close(accept(fd, NULL, NULL));
		if (i % 2)
			sched_yield();
		close(fd);
		CHECK_EXIT(wait_status(pid), 0);
	}
	leave_scratch("/tmp");
}

TEST(permission_to_connect)
{
	int fd;

	if (getuid()) /* on the host */
		return;
	REQUIRE(enter_scratch("/tmp"));
	fd = server(SOCK_STREAM, "s", 5);
	CHECK_EQ(chmod("s", 0700), 0);
	CHECK_EXIT(CHILD_STATUS({
			   CHILD_CHECK(setuid(1000) == 0);
			   CHILD_CHECK(client(SOCK_STREAM, "s") < 0 && errno == EACCES);
		   }),
		   0);
	CHECK_EQ(chmod("s", 0722), 0);
	CHECK_EXIT(CHILD_STATUS({
			   CHILD_CHECK(setuid(1000) == 0);
			   CHILD_CHECK(client(SOCK_STREAM, "s") >= 0);
			   CHILD_CHECK(bind(socket(AF_UNIX, SOCK_STREAM, 0), ADDR("mine")) < 0);
			   CHILD_CHECK(errno == EACCES || errno == EADDRINUSE);
		   }),
		   0);
	close(fd);
	leave_scratch("/tmp");
}

TEST(datagrams)
{
	struct sockaddr_un from;
	socklen_t len = sizeof(from);
	int a, b, c;
	char buf[16];

	REQUIRE(enter_scratch("/tmp"));
	a = bound(SOCK_DGRAM, "a");
	b = bound(SOCK_DGRAM, "b");
	address("b");
	CHECK_EQ(sendto(a, "one", 3, 0, ADDR("b")), 3);
	CHECK_EQ(sendto(a, "second", 6, 0, ADDR("b")), 6);
	CHECK_EQ(sendto(a, "", 0, 0, ADDR("b")), 0);
	CHECK_EQ(recvfrom(b, buf, sizeof(buf), 0, (struct sockaddr *)&from, &len), 3);
	CHECK(len == offsetof(struct sockaddr_un, sun_path) + 2 && !strcmp(from.sun_path, "a"));
	CHECK_EQ(recv(b, buf, 2, MSG_PEEK | MSG_TRUNC), 6);
	CHECK_EQ(recv(b, buf, 2, 0), 2); /* the rest of it is lost */
	CHECK_EQ(recv(b, buf, 2, 0), 0); /* an empty one */
	CHECK_ERRNO(recv(b, buf, 2, MSG_DONTWAIT), EAGAIN);
	CHECK_EQ(connect(a, ADDR("b")), 0);
	CHECK_EQ(send(a, "x", 1, 0), 1);
	CHECK_EQ(recv(b, buf, 2, 0), 1);
	/* Connected: takes messages from its peer only. */
	c = socket(AF_UNIX, SOCK_DGRAM, 0);
	address("a");
	CHECK_ERRNO(sendto(c, "x", 1, 0, ADDR("a")), EPERM);
	CHECK_EQ(sendto(b, "y", 1, 0, ADDR("a")), 1);
	CHECK_EQ(recv(a, buf, 2, 0), 1);
	close(b);
	CHECK_ERRNO(send(a, "x", 1, 0), ECONNREFUSED);
	CHECK(send(a, "x", 1, 0) < 0 && (errno == EDESTADDRREQ || errno == ENOTCONN));
	address("none");
	CHECK_ERRNO(sendto(a, "x", 1, 0, ADDR("none")), ENOENT);
	address("b");
	CHECK_ERRNO(sendto(a, "x", 1, 0, ADDR("b")), ECONNREFUSED);
	close(a);
	close(c);
	leave_scratch("/tmp");
}

TEST(a_datagram_is_whole)
{
	static char block[300000];
	int fds[2], n = 0;
	struct pollfd p;

	REQUIRE_EQ(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds), 0);
	CHECK_ERRNO(send(fds[0], block, sizeof(block), 0), EMSGSIZE);
	CHECK_EQ(send(fds[0], block, 30000, 0), 30000);
	CHECK_EQ(recv(fds[1], block, sizeof(block), 0), 30000);
	/* A flood stops, and goes on when there is room. */
	while (send(fds[0], block, 1000, MSG_DONTWAIT) == 1000)
		n++;
	CHECK_EQ(errno, EAGAIN);
	CHECK(n >= 8 && n < 1000);
	p = (struct pollfd){.fd = fds[0], .events = POLLOUT};
	for (; n > 0; n--)
		CHECK_EQ(recv(fds[1], block, sizeof(block), MSG_DONTWAIT), 1000);
	CHECK_EQ(poll(&p, 1, 0), 1);
	for (n = 0; send(fds[0], "", 0, MSG_DONTWAIT) == 0; n++)
		if (n > 100000)
			break;
	CHECK(n < 100000);
	pid_t pid = START(CHILD_CHECK(send(fds[0], "late", 4, 0) == 4));

	sleep_ms(50);
	for (; n > 0; n--)
		CHECK_EQ(recv(fds[1], block, sizeof(block), 0), 0);
	CHECK_EQ(recv(fds[1], block, sizeof(block), 0), 4);
	CHECK_EXIT(wait_status(pid), 0);
	close(fds[0]);
	close(fds[1]);
}

TEST(sequenced_packets)
{
	char buf[16];
	int fds[2];

	REQUIRE_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	CHECK_EQ(send(fds[0], "abc", 3, 0), 3);
	CHECK_EQ(send(fds[0], "de", 2, 0), 2);
	CHECK_EQ(recv(fds[1], buf, 1, 0), 1);
	CHECK_EQ(recv(fds[1], buf, sizeof(buf), 0), 2);
	close(fds[0]);
	CHECK_EQ(recv(fds[1], buf, sizeof(buf), 0), 0);
	CHECK_ERRNO(send(fds[1], "x", 1, MSG_NOSIGNAL), EPIPE);
	close(fds[1]);
}

TEST(a_datagram_receiver_goes)
{
	static char block[1000];
	int a, b;
	pid_t pid;

	REQUIRE(enter_scratch("/tmp"));
	b = bound(SOCK_DGRAM, "b");
	a = client(SOCK_DGRAM, "b");
	pid = START({
		ssize_t n;

		close(b);
		while ((n = send(a, block, sizeof(block), 0)) > 0)
			;
		CHILD_CHECK(n < 0 && errno == ECONNREFUSED);
	});
	sleep_ms(100);
	close(b); /* while somebody waits for room */
	CHECK_EXIT(wait_status(pid), 0);
	close(a);
	leave_scratch("/tmp");
}
