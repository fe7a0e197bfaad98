/* SPDX-License-Identifier: MIT */
/* Pipes and named pipes. */
#include "guest.h"

TEST(what_goes_in_comes_out)
{
	char buf[16] = "";
	int fds[2];

	REQUIRE_EQ(pipe(fds), 0);
	CHECK_EQ(write(fds[1], "abcdef", 6), 6);
	CHECK_EQ(read(fds[0], buf, 2), 2);
	CHECK_EQ(read(fds[0], buf + 2, 10), 4);
	CHECK_STR(buf, "abcdef");
	CHECK_EQ(read(fds[0], buf, 0), 0);
	CHECK_EQ(write(fds[1], buf, 0), 0);
	close(fds[1]);
	CHECK_EQ(read(fds[0], buf, 1), 0);
	close(fds[0]);
}

TEST(ends_have_a_direction)
{
	char c = 0;
	int fds[2];
	struct stat st;

	REQUIRE_EQ(pipe(fds), 0);
	CHECK_ERRNO(write(fds[0], &c, 1), EBADF);
	CHECK_ERRNO(read(fds[1], &c, 1), EBADF);
	CHECK_ERRNO(lseek(fds[0], 0, SEEK_SET), ESPIPE);
	CHECK_ERRNO(pread(fds[0], &c, 1, 0), ESPIPE);
	CHECK_ERRNO(ftruncate(fds[1], 0), EINVAL);
	CHECK_EQ(fstat(fds[0], &st), 0);
	CHECK(S_ISFIFO(st.st_mode));
	close(fds[0]);
	close(fds[1]);
}

TEST(writing_to_nobody)
{
	int fds[2];

	REQUIRE_EQ(pipe(fds), 0);
	close(fds[0]);
	CHECK_KILLED(CHILD_STATUS(if (write(fds[1], "x", 1)) _exit(1)), SIGPIPE);
	signal(SIGPIPE, SIG_IGN);
	CHECK_ERRNO(write(fds[1], "x", 1), EPIPE);
	signal(SIGPIPE, SIG_DFL);
	close(fds[1]);
}

TEST(without_waiting)
{
	static char block[PAGE];
	size_t in = 0, out = 0;
	ssize_t n;
	int fds[2];

	REQUIRE_EQ(pipe2(fds, O_NONBLOCK | O_CLOEXEC), 0);
	CHECK_EQ(fcntl(fds[0], F_GETFD), FD_CLOEXEC);
	CHECK(fcntl(fds[1], F_GETFL) & O_NONBLOCK);
	CHECK_ERRNO(read(fds[0], block, 1), EAGAIN);
	while ((n = write(fds[1], block, sizeof(block))) > 0)
		in += (size_t)n;
	CHECK(n == -1 && errno == EAGAIN);
	CHECK(in >= 4096);
	CHECK_ERRNO(write(fds[1], block, 10), EAGAIN);
	/* Room for less than PIPE_BUF bytes: all or nothing. */
	CHECK_EQ(read(fds[0], block, 100), 100);
	out = 100;
	n = write(fds[1], block, PAGE);
	CHECK((n == -1 && errno == EAGAIN) || n == PAGE);
	if (n > 0)
		in += (size_t)n;
	while ((n = read(fds[0], block, sizeof(block))) > 0)
		out += (size_t)n;
	CHECK_EQ(out, in);
	CHECK_ERRNO(pipe2(fds, 0x10000000), EINVAL);
	close(fds[0]);
	close(fds[1]);
}

TEST(a_megabyte_through)
{
	enum { TOTAL = 1 << 20 };
	static unsigned char buf[10000];
	unsigned long sum = 0, wanted = 0;
	size_t got = 0;
	ssize_t n;
	int fds[2];
	pid_t pid;

	REQUIRE_EQ(pipe(fds), 0);
	for (unsigned i = 0; i < TOTAL; i++)
		wanted += (unsigned char)(i * 7 + (i >> 9));
	pid = START({
		close(fds[0]);
		for (unsigned i = 0; i < TOTAL;) {
			size_t chunk = 1 + i % 9999;

			for (size_t j = 0; j < chunk; j++)
				buf[j] = (unsigned char)((i + j) * 7 + ((i + j) >> 9));
			if (i + chunk > TOTAL)
				chunk = TOTAL - i;
			n = write(fds[1], buf, chunk);
			CHILD_CHECK(n == (ssize_t)chunk);
			i += (unsigned)chunk;
		}
	});
	close(fds[1]);
	while ((n = read(fds[0], buf, 1 + got % 7777)) > 0) {
		for (ssize_t i = 0; i < n; i++)
			sum += buf[i];
		got += (size_t)n;
	}
	CHECK_EQ(got, TOTAL);
	CHECK_EQ(sum, wanted);
	CHECK_EXIT(wait_status(pid), 0);
	close(fds[0]);
}

TEST(small_writes_are_not_mixed)
{
	enum { WRITERS = 4, ROUNDS = 40, SIZE = 512 };
	char record[SIZE];
	pid_t pids[WRITERS];
	int fds[2], count = 0;

	REQUIRE_EQ(pipe(fds), 0);
	for (int w = 0; w < WRITERS; w++)
		pids[w] = START({
			memset(record, 'a' + w, SIZE);
			for (int i = 0; i < ROUNDS; i++)
				CHILD_CHECK(write(fds[1], record, SIZE) == SIZE);
		});
	close(fds[1]);
	for (;;) {
		size_t have = 0;
		ssize_t n = 0;

		while (have < SIZE && (n = read(fds[0], record + have, SIZE - have)) > 0)
			have += (size_t)n;
		if (have == 0)
			break;
		REQUIRE_EQ(have, SIZE);
		for (int i = 1; i < SIZE; i++)
			REQUIRE_EQ(record[i], record[0]);
		count++;
	}
	CHECK_EQ(count, WRITERS * ROUNDS);
	for (int w = 0; w < WRITERS; w++)
		CHECK_EXIT(wait_status(pids[w]), 0);
	close(fds[0]);
}

TEST(ping_pong)
{
	int there[2], back[2];
	unsigned char c = 0;
	pid_t pid;

	REQUIRE(pipe(there) == 0 && pipe(back) == 0);
	pid = START({
		close(there[1]);
		while (read(there[0], &c, 1) == 1) {
			c++;
			CHILD_CHECK(write(back[1], &c, 1) == 1);
		}
	});
	close(there[0]);
	for (int i = 0; i < 500; i++) {
		unsigned char sent = (unsigned char)i;

		CHECK_EQ(write(there[1], &sent, 1), 1);
		REQUIRE_EQ(read(back[0], &c, 1), 1);
		CHECK_EQ(c, (unsigned char)(i + 1));
	}
	close(there[1]);
	CHECK_EXIT(wait_status(pid), 0);
	close(back[0]);
	close(back[1]);
}

TEST(a_copy_keeps_it_open)
{
	int fds[2], copy;
	char c;

	REQUIRE_EQ(pipe(fds), 0);
	copy = dup(fds[1]);
	close(fds[1]);
	CHECK_EQ(write(copy, "z", 1), 1);
	CHECK_EQ(read(fds[0], &c, 1), 1);
	close(copy);
	CHECK_EQ(read(fds[0], &c, 1), 0);
	close(fds[0]);
}

static void named_pipe_in(const char *dir)
{
	char buf[8] = "";
	struct stat st;
	pid_t pid;
	int fd;

	REQUIRE(enter_scratch(dir));
	REQUIRE_EQ(mkfifo("fifo", 0644), 0);
	CHECK_ERRNO(mkfifo("fifo", 0644), EEXIST);
	CHECK_EQ(stat("fifo", &st), 0);
	CHECK(S_ISFIFO(st.st_mode));
	CHECK_ERRNO(open("fifo", O_WRONLY | O_NONBLOCK), ENXIO);
	pid = START({
		int out = open("fifo", O_WRONLY); /* waits for the reader */

		CHILD_CHECK(out >= 0 && write(out, "named", 5) == 5);
	});
	fd = open("fifo", O_RDONLY);
	REQUIRE(fd >= 0);
	CHECK_EQ(read(fd, buf, sizeof(buf)), 5);
	CHECK_STR(buf, "named");
	CHECK_EQ(read(fd, buf, sizeof(buf)), 0);
	CHECK_EXIT(wait_status(pid), 0);
	close(fd);
	fd = open("fifo", O_RDONLY | O_NONBLOCK);
	CHECK(fd >= 0);
	close(fd);
	CHECK_EQ(unlink("fifo"), 0);
	leave_scratch(dir);
}

TEST(named_pipes)
{
	named_pipe_in("/tmp");
	named_pipe_in("/var/tmp");
}
