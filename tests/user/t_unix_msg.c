/* SPDX-License-Identifier: MIT */
/* sendmsg and recvmsg: vectors, descriptors and credentials that are passed, and what becomes of
 * those that nobody takes. */
#include "guest.h"

#include <sys/socket.h>
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

/* Send @text with @n descriptors. */
static ssize_t send_fds(int to, const char *text, const int *fds, int n, int flags)
{
	struct iovec iov = {(char *)text, strlen(text)};
	_Alignas(8) char control[CMSG_SPACE(80 * sizeof(int))];
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
	struct cmsghdr *c;

	memset(control, 0, sizeof(control));
	if (n) {
		m.msg_control = control;
		m.msg_controllen = CMSG_SPACE(n * sizeof(int));
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n * sizeof(int));
		memcpy(CMSG_DATA(c), fds, n * sizeof(int));
	}
	return sendmsg(to, &m, flags);
}

/* Receive; @fds has room for @room, of which *@n are filled; -1: no control message. */
static ssize_t recv_fds(int from, char *text, size_t size, int *fds, int room, int *n, int flags,
			int *out_flags)
{
	struct iovec iov = {text, size};
	_Alignas(8) char control[CMSG_SPACE(80 * sizeof(int))];
	struct msghdr m = {.msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = control,
			   .msg_controllen = room ? CMSG_SPACE(room * sizeof(int)) : 0};
	struct cmsghdr *c;
	ssize_t got = recvmsg(from, &m, flags);

	*n = -1;
	if (out_flags)
		*out_flags = m.msg_flags;
	if (got < 0)
		return got;
	for (c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
			*n = (int)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
			memcpy(fds, CMSG_DATA(c), *n * sizeof(int));
		}
	return got;
}

TEST(vectors)
{
	char one[2], two[8];
	struct iovec out[3] = {{"ab", 2}, {"", 0}, {"cdef", 4}}, in[2] = {{one, 2}, {two, 8}};
	struct msghdr m = {.msg_iov = out, .msg_iovlen = 3};

	make_pair(SOCK_DGRAM);
	CHECK_EQ(sendmsg(pair[0], &m, 0), 6);
	m = (struct msghdr){.msg_iov = in, .msg_iovlen = 2};
	CHECK_EQ(recvmsg(pair[1], &m, 0), 6);
	CHECK(memcmp(one, "ab", 2) == 0 && memcmp(two, "cdef", 4) == 0);
	CHECK_EQ(m.msg_flags, 0);
	m = (struct msghdr){.msg_iov = out, .msg_iovlen = 3};
	CHECK_EQ(sendmsg(pair[0], &m, 0), 6);
	m = (struct msghdr){.msg_iov = in, .msg_iovlen = 1};
	CHECK_EQ(recvmsg(pair[1], &m, 0), 2);
	CHECK(m.msg_flags & MSG_TRUNC);
	m.msg_iovlen = 100000;
	CHECK_ERRNO(sendmsg(pair[0], &m, 0), EMSGSIZE);
	CHECK_ERRNO(sendmsg(pair[0], (struct msghdr *)8, 0), EFAULT);
	close_pair();
}

static void passes(int type)
{
	int fds[2], got[8], n, flags;
	char buf[8];
	struct stat a, b;

	make_pair(type);
	REQUIRE_EQ(pipe(fds), 0);
	CHECK_EQ(send_fds(pair[0], "take", fds, 2, 0), 4);
	CHECK_EQ(write(fds[1], "through", 7), 7);
	close(fds[0]);
	close(fds[1]);
	CHECK_EQ(recv_fds(pair[1], buf, sizeof(buf), got, 8, &n, MSG_CMSG_CLOEXEC, &flags), 4);
	REQUIRE_EQ(n, 2);
	CHECK_EQ(flags & (MSG_CTRUNC | MSG_TRUNC), 0);
	CHECK_EQ(fcntl(got[0], F_GETFD), FD_CLOEXEC);
	CHECK_EQ(read(got[0], buf, sizeof(buf)), 7);
	close(got[0]);
	close(got[1]);
	/* To oneself, by way of a child; the same file, not another. */
	n = open("/etc/passwd", O_RDONLY);
	CHECK_EXIT(CHILD_STATUS(CHILD_CHECK(send_fds(pair[0], "x", &n, 1, 0) == 1)), 0);
	fstat(n, &a);
	lseek(n, 3, SEEK_SET);
	CHECK_EQ(recv_fds(pair[1], buf, 1, got, 1, &flags, 0, NULL), 1);
	REQUIRE_EQ(flags, 1);
	CHECK_EQ(fstat(got[0], &b), 0);
	CHECK(a.st_ino == b.st_ino && lseek(got[0], 0, SEEK_CUR) == 3);
	close(got[0]);
	close(n);
	close_pair();
}

TEST(descriptors_by_stream)
{
	passes(SOCK_STREAM);
}

TEST(descriptors_by_datagram)
{
	passes(SOCK_DGRAM);
}

TEST(descriptors_by_seqpacket)
{
	passes(SOCK_SEQPACKET);
}

/* They come with the first byte of what they were sent with, and recv stops there. */
TEST(where_in_the_stream)
{
	char buf[32];
	int fd = open("/dev/null", O_RDONLY), got[4], n;

	make_pair(SOCK_STREAM);
	CHECK_EQ(send(pair[0], "before", 6, 0), 6);
	CHECK_EQ(send_fds(pair[0], "with", &fd, 1, 0), 4);
	CHECK_EQ(send(pair[0], "after", 5, 0), 5);
#ifdef __parvix__ /* Linux stops only behind them */
	CHECK_EQ(recv_fds(pair[1], buf, sizeof(buf), got, 4, &n, 0, NULL), 6);
#else
	CHECK_EQ(recv_fds(pair[1], buf, 6, got, 4, &n, 0, NULL), 6);
#endif
	CHECK_EQ(n, -1);
	CHECK_EQ(recv_fds(pair[1], buf, 2, got, 4, &n, 0, NULL), 2);
	CHECK_EQ(n, 1);
	close(got[0]);
	CHECK_EQ(recv_fds(pair[1], buf, 7, got, 4, &n, MSG_WAITALL, NULL), 7);
	CHECK(n == -1 && memcmp(buf, "thafter", 7) == 0);
	close(fd);
	close_pair();
}

TEST(peeked_descriptors)
{
	char buf[8];
	int fd = open("/dev/null", O_RDONLY), got[4], n;

	make_pair(SOCK_DGRAM);
	CHECK_EQ(send_fds(pair[0], "x", &fd, 1, 0), 1);
	CHECK_EQ(recv_fds(pair[1], buf, 1, got, 4, &n, MSG_PEEK, NULL), 1);
	CHECK_EQ(n, 1);
	close(got[0]);
	CHECK_EQ(recv_fds(pair[1], buf, 1, got, 4, &n, 0, NULL), 1);
	CHECK_EQ(n, 1);
	close(got[0]);
	close(fd);
	close_pair();
}

/* A pipe's read end finds the end of file when its last writer, on its way, is dropped. */
static void end_is_seen(int *fds)
{
	char c;

	CHECK_EQ(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
	CHECK_EQ(read(fds[0], &c, 1), 0);
	close(fds[0]);
}

TEST(nobody_takes_them)
{
	int fds[2], got[4], n, flags;
	char buf[4];

	make_pair(SOCK_STREAM);
	REQUIRE_EQ(pipe(fds), 0);
	CHECK_EQ(send_fds(pair[0], "x", &fds[1], 1, 0), 1);
	close(fds[1]);
	CHECK_EQ(recv(pair[1], buf, 4, 0), 1); /* without asking for them */
	end_is_seen(fds);
	REQUIRE_EQ(pipe(fds), 0);
	CHECK_EQ(send_fds(pair[0], "x", &fds[1], 1, 0), 1);
	close(fds[1]);
	CHECK_EQ(recv_fds(pair[1], buf, 4, got, 0, &n, 0, &flags), 1);
	CHECK(flags & MSG_CTRUNC);
	end_is_seen(fds);
	REQUIRE_EQ(pipe(fds), 0);
	CHECK_EQ(send_fds(pair[0], "x", &fds[1], 1, 0), 1);
	close(fds[1]);
	close_pair();
	end_is_seen(fds);
}

TEST(room_for_some)
{
	int fds[3] = {0, 1, 2}, got[4], n, flags;
	char buf[4];

	make_pair(SOCK_STREAM);
	CHECK_EQ(send_fds(pair[0], "x", fds, 3, 0), 1);
	CHECK_EQ(recv_fds(pair[1], buf, 4, got, 2, &n, 0, &flags), 1);
	CHECK_EQ(n, 2);
	CHECK(flags & MSG_CTRUNC);
	close(got[0]);
	close(got[1]);
	close_pair();
}

TEST(wrong_control_messages)
{
	struct iovec iov = {"x", 1};
	_Alignas(8) char control[CMSG_SPACE(sizeof(int))] = "";
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control};
	struct cmsghdr *c = (struct cmsghdr *)control;
	int bad = 99;
	char byte;

	make_pair(SOCK_STREAM);
	CHECK_ERRNO(send_fds(pair[0], "x", &bad, 1, 0), EBADF);
	m.msg_controllen = sizeof(control);
	*c = (struct cmsghdr){.cmsg_len = 4, .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
	CHECK_ERRNO(sendmsg(pair[0], &m, 0), EINVAL);
	c->cmsg_len = 1000;
	CHECK_ERRNO(sendmsg(pair[0], &m, 0), EINVAL);
	c->cmsg_len = CMSG_LEN(sizeof(int));
	c->cmsg_type = 4711;
	CHECK_ERRNO(sendmsg(pair[0], &m, 0), EINVAL);
	m.msg_control = (void *)8;
	CHECK_ERRNO(sendmsg(pair[0], &m, 0), EFAULT);
	CHECK_ERRNO(recv(pair[1], &byte, 1, MSG_DONTWAIT), EAGAIN); /* nothing was sent */
	close_pair();
}

TEST(who_sends)
{
	char control[CMSG_SPACE(sizeof(struct ucred))], byte;
	struct iovec iov = {&byte, 1};
	struct msghdr m = {.msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = control,
			   .msg_controllen = sizeof(control)};
	struct cmsghdr *c;
	struct ucred cred;
	socklen_t len = sizeof(cred);
	int on = 1, peer;
	pid_t pid;

	make_pair(SOCK_STREAM);
	CHECK_EQ(setsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)), 0);
	pid = START(CHILD_CHECK(send(pair[0], "x", 1, 0) == 1));
	CHECK_EQ(recvmsg(pair[1], &m, 0), 1);
	c = CMSG_FIRSTHDR(&m);
	REQUIRE(c && c->cmsg_type == SCM_CREDENTIALS && c->cmsg_level == SOL_SOCKET);
	CHECK_EQ(c->cmsg_len, CMSG_LEN(sizeof(cred)));
	memcpy(&cred, CMSG_DATA(c), sizeof(cred));
	CHECK_EQ(cred.pid, pid);
	CHECK_EQ(cred.uid, getuid());
	CHECK_EQ(cred.gid, getgid());
	CHECK(!CMSG_NXTHDR(&m, c));
	CHECK_EXIT(wait_status(pid), 0);
	CHECK_EQ(getsockopt(pair[0], SOL_SOCKET, SO_PEERCRED, &cred, &len), 0);
	CHECK(cred.pid == getpid() && cred.uid == geteuid() && cred.gid == getegid());
	/* Another name than one's own is for the super-user. */
	cred.pid = getpid();
	cred.uid = 4711;
	c = (struct cmsghdr *)control;
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_CREDENTIALS;
	c->cmsg_len = CMSG_LEN(sizeof(cred));
	memcpy(CMSG_DATA(c), &cred, sizeof(cred));
	m.msg_controllen = sizeof(control);
	byte = 'y';
	CHECK_EXIT(CHILD_STATUS({
			   CHILD_CHECK(getuid() || setuid(1000) == 0);
			   CHILD_CHECK(sendmsg(pair[0], &m, 0) < 0 && errno == EPERM);
		   }),
		   0);
#ifdef __parvix__
	uid_t uid;
	gid_t gid;

	CHECK_EQ(getpeereid(pair[0], &uid, &gid), 0);
	CHECK(uid == geteuid() && gid == getegid());
#endif
	peer = socket(AF_UNIX, SOCK_STREAM, 0);
#ifdef __parvix__
	CHECK_ERRNO(getpeereid(peer, &uid, &gid), ENOTCONN);
#endif
	close(peer);
	close_pair();
}

/* Sockets that only their own packets hold: they are found, and their memory is back. */
static void circle(int depth)
{
	int a[2], b[2];

	REQUIRE_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, a), 0);
	REQUIRE_EQ(socketpair(AF_UNIX, SOCK_DGRAM, 0, b), 0);
	switch (depth) {
	case 0: /* itself, in its own queue */
		CHECK_EQ(send_fds(a[0], "x", &a[1], 1, 0), 1);
		CHECK_EQ(send_fds(b[0], "x", b, 2, 0), 1);
		break;
	case 1: /* each in the other's */
		CHECK_EQ(send_fds(a[0], "x", &a[0], 1, 0), 1);
		CHECK_EQ(send_fds(a[1], "x", &a[1], 1, 0), 1);
		break;
	default: /* two pairs, each in the other's */
		CHECK_EQ(send_fds(a[0], "x", b, 2, 0), 1);
		CHECK_EQ(send_fds(b[0], "x", a, 2, 0), 1);
		CHECK_EQ(send_fds(b[1], "x", a, 2, 0), 1);
	}
	for (int i = 0; i < 2; i++) {
		close(a[i]);
		close(b[i]);
	}
}

TEST(circles_are_collected)
{
	static char block[4096];
	long before = 0;

	memset(block, 'x', sizeof(block) - 1);
	for (int i = 0; i < 240; i++) {
		if (i == 40)
			before = free_pages();
		circle(i % 3);
	}
	make_pair(SOCK_STREAM); /* closing one looks for circles */
	close_pair();
	CHECK_THAT(before - free_pages() < 40, "%ld pages are lost", before - free_pages());
}

/* A live socket that is only reached through another's queue is no circle. */
TEST(reachable_ones_stay)
{
	int a[2], b[2], got[2], n;
	char buf[8];

	REQUIRE_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, a), 0);
	REQUIRE_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, b), 0);
	CHECK_EQ(send_fds(b[0], "x", &b[1], 1, 0), 1); /* a circle: b[1] in its own queue */
	CHECK_EQ(send_fds(a[0], "y", &b[1], 1, 0), 1); /* but also in that of a[1], which is ours */
	close(b[1]);
	make_pair(SOCK_STREAM);
	close_pair();
	CHECK_EQ(recv_fds(a[1], buf, 8, got, 2, &n, 0, NULL), 1);
	REQUIRE_EQ(n, 1);
	b[1] = got[0];
	CHECK_EQ(recv_fds(b[1], buf, 8, got, 2, &n, 0, NULL), 1);
	CHECK(n == 1 && buf[0] == 'x');
	close(got[0]);
	CHECK_EQ(send(b[0], "alive", 5, 0), 5);
	CHECK_EQ(recv(b[1], buf, 8, 0), 5);
	for (int i = 0; i < 2; i++) {
		close(a[i]);
		close(b[i]);
	}
}

/* A chain of sockets, each in the next one's queue, as long as the kernel allows: dropped whole. */
TEST(a_long_chain)
{
	int a[2], next[2], n = 0;

	REQUIRE_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, a), 0);
	for (; n < 5000; n++) {
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, next) < 0)
			break;
		if (send_fds(next[0], "x", a, 2, 0) < 0)
			break;
		close(a[0]);
		close(a[1]);
		a[0] = next[0];
		a[1] = next[1];
	}
	if (n < 5000) {
		CHECK_EQ(errno, ETOOMANYREFS);
		close(next[0]);
		close(next[1]);
	}
	CHECK(n >= 100);
	close(a[0]);
	close(a[1]);
	make_pair(SOCK_STREAM); /* there is room again */
	CHECK_EQ(send_fds(pair[0], "x", pair, 2, 0), 1);
	close_pair();
}

/* Descriptors are sent and received by several processes at once, and circles made meanwhile. */
TEST(a_storm_of_descriptors)
{
	enum { PROCESSES = 4, ROUNDS = 150 };
	pid_t pids[PROCESSES];

	make_pair(SOCK_DGRAM);
	for (int i = 0; i < PROCESSES; i++)
		pids[i] = START({
			for (int r = 0; r < ROUNDS; r++) {
				int fds[2], got[8], n;
				char buf[8];

				if (r % 3 == i % 3)
					circle(r % 3);
				fds[0] = pair[0];
				fds[1] = pair[1];
				if (send_fds(pair[i % 2], "x", fds, 2, MSG_DONTWAIT) < 0)
					CHILD_CHECK(errno == EAGAIN || errno == ETOOMANYREFS);
				if (recv_fds(pair[r % 2], buf, 8, got, 8, &n, MSG_DONTWAIT, NULL) >
				    0)
					for (int k = 0; k < n; k++)
						close(got[k]);
			}
		});
	for (int i = 0; i < PROCESSES; i++)
		CHECK_EXIT(wait_status(pids[i]), 0);
	close_pair();
}
