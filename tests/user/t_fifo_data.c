/* SPDX-License-Identifier: MIT */
/*
 * FIFOs: what passes through them. Reads and writes that wait or do not, atomic writes, ends that
 * go, what poll() says of each.
 */
#include "guest.h"

#include <limits.h>
#include <poll.h>
#include <sys/ioctl.h>

static char big[1 << 20];

/* Both ends of the FIFO "p" in a fresh directory, neither waits. */
static bool begin(int *rd, int *wr)
{
	if (!enter_scratch("/tmp") || mkfifo("p", 0644) < 0)
		return false;
	*rd = open("p", O_RDONLY | O_NONBLOCK);
	*wr = open("p", O_WRONLY | O_NONBLOCK);
	return *rd >= 0 && *wr >= 0;
}

static void end(int rd, int wr)
{
	close(rd);
	close(wr);
	leave_scratch("/tmp");
}

static void waiting(int fd, bool yes)
{
	int flags = fcntl(fd, F_GETFL);

	fcntl(fd, F_SETFL, yes ? flags & ~O_NONBLOCK : flags | O_NONBLOCK);
}

static size_t fill(int fd)
{
	size_t sum = 0;
	ssize_t n;

	while ((n = write(fd, big, sizeof(big))) > 0)
		sum += n;
	while (write(fd, big, 1) == 1)
		sum++;
	return sum;
}

/* What poll says at once, of everything there is. */
static int says(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN | POLLOUT | POLLPRI};

	poll(&p, 1, 0);
	return p.revents;
}

static void nothing(int sig)
{
	(void)sig;
}

TEST(direction)
{
	char c = 0;
	int rd, wr;

	REQUIRE(begin(&rd, &wr));
	CHECK_ERRNO(write(rd, &c, 1), EBADF);
	CHECK_ERRNO(read(wr, &c, 1), EBADF);
	CHECK_ERRNO(write(wr, (void *)16, 1), EFAULT);
	CHECK_EQ(write(wr, "x", 1), 1);
	CHECK_ERRNO(read(rd, (void *)16, 1), EFAULT);
	CHECK_EQ(read(rd, &c, 1), 1); /* not lost */
	CHECK_EQ(c, 'x');
	end(rd, wr);
}

TEST(reading)
{
	char buf[16];
	int rd, wr, n = -1;

	REQUIRE(begin(&rd, &wr));
	CHECK_ERRNO(read(rd, buf, 1), EAGAIN); /* empty, but somebody may write */
	CHECK_EQ(read(rd, buf, 0), 0);
	CHECK_EQ(write(wr, "abcdef", 6), 6);
	CHECK_EQ(write(wr, "gh", 2), 2);
	CHECK_EQ(ioctl(rd, FIONREAD, &n), 0);
	CHECK_EQ(n, 8);
	CHECK_EQ(read(rd, buf, 4), 4);
	CHECK_EQ(read(rd, buf, sizeof(buf)), 4); /* what there is; writes have no borders */
	CHECK(memcmp(buf, "efgh", 4) == 0);
	CHECK_EQ(write(wr, "z", 1), 1);
	close(wr);
	CHECK_EQ(read(rd, buf, sizeof(buf)), 1); /* what is left */
	CHECK_EQ(read(rd, buf, sizeof(buf)), 0);
	CHECK_EQ(read(rd, buf, sizeof(buf)), 0);
	wr = open("p", O_WRONLY); /* and it goes on with the next writer */
	CHECK_ERRNO(read(rd, buf, 1), EAGAIN);
	CHECK_EQ(write(wr, "y", 1), 1);
	CHECK_EQ(read(rd, buf, sizeof(buf)), 1);
	end(rd, wr);
}

TEST(without_any_writer_a_read_is_at_the_end)
{
	int rd;

	REQUIRE(enter_scratch("/tmp") && mkfifo("p", 0644) == 0);
	rd = open("p", O_RDONLY | O_NONBLOCK);
	CHECK_EQ(read(rd, &(char){0}, 1), 0);
	waiting(rd, true);
	CHECK_EQ(read(rd, &(char){0}, 1), 0);
	close(rd);
	leave_scratch("/tmp");
}

TEST(both_ends_in_one_never_end)
{
	int fd;

	REQUIRE(enter_scratch("/tmp") && mkfifo("p", 0644) == 0);
	fd = open("p", O_RDWR | O_NONBLOCK);
	CHECK_ERRNO(read(fd, &(char){0}, 1), EAGAIN);
	CHECK_EQ(says(fd), POLLOUT);
	CHECK_EQ(write(fd, "x", 1), 1);
	CHECK_EQ(says(fd), POLLIN | POLLOUT);
	close(fd);
	/* Nobody has it open any more: what was in it is gone. */
	fd = open("p", O_RDWR | O_NONBLOCK);
	CHECK_ERRNO(read(fd, &(char){0}, 1), EAGAIN);
	close(fd);
	leave_scratch("/tmp");
}

TEST(a_read_waits_for_one_byte_only)
{
	char buf[64];
	int rd, wr;
	pid_t pid;

	REQUIRE(begin(&rd, &wr));
	waiting(rd, true);
	pid = START(sleep_ms(40); CHILD_CHECK(write(wr, "few", 3) == 3));
	CHECK_EQ(read(rd, buf, sizeof(buf)), 3);
	CHECK_EXIT(wait_status(pid), 0);
	/* The end comes to one who waits, too. */
	pid = START(sleep_ms(40));
	close(wr);
	CHECK_EQ(read(rd, buf, sizeof(buf)), 0);
	CHECK_EXIT(wait_status(pid), 0);
	end(rd, -1);
}

TEST(writing_to_nobody)
{
	int rd, wr;

	REQUIRE(begin(&rd, &wr));
	close(rd);
	CHECK_KILLED(CHILD_STATUS(if (write(wr, "x", 1)) _exit(1)), SIGPIPE);
	signal(SIGPIPE, SIG_IGN);
	CHECK_ERRNO(write(wr, "x", 1), EPIPE);
	rd = open("p", O_RDONLY | O_NONBLOCK); /* somebody again */
	CHECK_EQ(write(wr, "x", 1), 1);
	signal(SIGPIPE, SIG_DFL);
	end(rd, wr);
}

TEST(the_reader_goes_while_one_waits_to_write)
{
	int rd, wr;
	pid_t pid;

	REQUIRE(begin(&rd, &wr));
	fill(wr);
	waiting(wr, true);
	pid = START(close(rd); signal(SIGPIPE, SIG_IGN);
		    CHILD_CHECK(write(wr, "x", 1) < 0 && errno == EPIPE));
	sleep_ms(40);
	close(rd);
	CHECK_EXIT(wait_status(pid), 0);
	/* What went before the reader did is counted, and the signal is due at the next. */
	rd = open("p", O_RDONLY | O_NONBLOCK);
	close(wr);
	while (read(rd, big, sizeof(big)) > 0)
		;
	wr = open("p", O_WRONLY);
	pid = START({
		ssize_t n;

		close(rd);
		signal(SIGPIPE, SIG_IGN);
		n = write(wr, big, sizeof(big));
		CHILD_CHECK(n >= PIPE_BUF && n < (ssize_t)sizeof(big));
	});
	poll(&(struct pollfd){.fd = rd, .events = POLLIN}, 1, -1);
	close(rd);
	CHECK_EXIT(wait_status(pid), 0);
	end(-1, wr);
}

TEST(small_writes_go_in_as_a_whole)
{
	static char part[PIPE_BUF];
	size_t sum;
	ssize_t n;
	int rd, wr;

	REQUIRE(begin(&rd, &wr));
	sum = fill(wr);
	CHECK(sum >= PIPE_BUF);
	CHECK_ERRNO(write(wr, part, 1), EAGAIN);
	CHECK_EQ(write(wr, part, 0), 0);
	/* Room for a little less than PIPE_BUF: that much does not go in, not even partly. */
	for (size_t room = 0; room < PIPE_BUF - 1; room += n)
		if ((n = read(rd, big, PIPE_BUF - 1 - room)) <= 0)
			break;
	CHECK_ERRNO(write(wr, part, PIPE_BUF), EAGAIN);
	CHECK_EQ(says(wr), 0);
	CHECK_EQ(read(rd, big, PIPE_BUF), PIPE_BUF);
	CHECK_EQ(says(wr), POLLOUT);
	CHECK_EQ(write(wr, part, PIPE_BUF), PIPE_BUF);
	/* More than that may go in partly. */
	while (read(rd, big, sizeof(big)) > 0)
		;
	n = write(wr, big, sizeof(big));
	CHECK(n >= PIPE_BUF && n < (ssize_t)sizeof(big));
	end(rd, wr);
}

TEST(small_writes_of_many_are_not_mixed)
{
	enum { WRITERS = 4, PIECES = 60, LEN = PIPE_BUF };
	static char piece[LEN];
	pid_t pids[WRITERS];
	int rd, wr, seen[WRITERS] = {0};

	REQUIRE(begin(&rd, &wr));
	for (int i = 0; i < WRITERS; i++)
		pids[i] = START({
			int fd = open("p", O_WRONLY);

			memset(piece, 'a' + i, LEN);
			for (int k = 0; k < PIECES; k++)
				CHILD_CHECK(write(fd, piece, LEN) == LEN);
		});
	close(wr);
	waiting(rd, true);
	for (int k = 0; k < WRITERS * PIECES; k++) {
		size_t got = 0, same = 0;

		for (ssize_t n; got < LEN && (n = read(rd, piece + got, LEN - got)) >= 0;) {
			if (n == 0)
				sleep_ms(1); /* between two writers */
			got += n;
		}
		while (same < LEN && piece[same] == piece[0])
			same++;
		CHECK_EQ(same, LEN);
		seen[(piece[0] - 'a') & 3]++;
	}
	for (int i = 0; i < WRITERS; i++) {
		CHECK_EXIT(wait_status(pids[i]), 0);
		CHECK_EQ(seen[i], PIECES);
	}
	CHECK_EQ(read(rd, piece, 1), 0);
	end(rd, -1);
}

TEST(a_byte_has_one_reader)
{
	enum { READERS = 4, BYTES = 4000 };
	pid_t pids[READERS];
	int rd, wr, back[2];
	long sum = 0;

	REQUIRE(begin(&rd, &wr));
	REQUIRE_EQ(pipe(back), 0);
	for (int i = 0; i < READERS; i++)
		pids[i] = START({
			char buf[7];
			long mine = 0;

			close(wr);
			waiting(rd, true);
			for (ssize_t n; (n = read(rd, buf, sizeof(buf))) > 0;)
				mine += n;
			CHILD_CHECK(write(back[1], &mine, sizeof(mine)) == sizeof(mine));
		});
	waiting(wr, true);
	for (int at = 0; at < BYTES; at += 16)
		CHECK_EQ(write(wr, big, 16), 16);
	close(wr);
	for (int i = 0; i < READERS; i++) {
		long one = 0;

		CHECK_EXIT(wait_status(pids[i]), 0);
		CHECK_EQ(read(back[0], &one, sizeof(one)), sizeof(one));
		sum += one;
	}
	CHECK_EQ(sum, BYTES);
	close(back[0]);
	close(back[1]);
	end(rd, -1);
}

TEST(a_megabyte_through)
{
	unsigned long sum = 0, want = 0;
	int rd, wr;
	pid_t pid;

	REQUIRE(begin(&rd, &wr));
	for (size_t i = 0; i < sizeof(big); i++)
		want += (unsigned char)(big[i] = (char)(i * 31 + (i >> 12)));
	waiting(wr, true);
	waiting(rd, true);
	pid = START(close(rd); CHILD_CHECK(write(wr, big, sizeof(big)) == sizeof(big)));
	close(wr);
	memset(big, 0, sizeof(big));
	for (ssize_t n; (n = read(rd, big, 10000)) > 0;)
		for (ssize_t i = 0; i < n; i++)
			sum += (unsigned char)big[i];
	CHECK_EQ(sum, want);
	CHECK_EXIT(wait_status(pid), 0);
	end(rd, -1);
}

TEST(signals_while_waiting)
{
	int rd, wr;
	pid_t pid;

	REQUIRE(begin(&rd, &wr));
	waiting(rd, true);
	handle(SIGUSR1, nothing, 0);
	pid = START(CHILD_CHECK(read(rd, &(char){0}, 1) < 0 && errno == EINTR));
	CHECK_EXIT(signal_to_the_end(pid, SIGUSR1), 0);
	handle(SIGUSR1, nothing, SA_RESTART);
	pid = START(CHILD_CHECK(read(rd, &(char){0}, 1) == 1));
	sleep_ms(40);
	kill(pid, SIGUSR1);
	sleep_ms(40);
	CHECK_EQ(write(wr, "x", 1), 1);
	CHECK_EXIT(wait_status(pid), 0);
	/* A write that has begun says how far it got. */
	waiting(wr, true);
	handle(SIGUSR1, nothing, 0);
	pid = START({
		ssize_t n = write(wr, big, sizeof(big));

		CHILD_CHECK(n >= PIPE_BUF && n < (ssize_t)sizeof(big));
		CHILD_CHECK(write(wr, big, 1) < 0 && errno == EINTR);
	});
	poll(&(struct pollfd){.fd = rd, .events = POLLIN}, 1, -1);
	CHECK_EXIT(signal_to_the_end(pid, SIGUSR1), 0);
	signal(SIGUSR1, SIG_DFL);
	end(rd, wr);
}

TEST(poll_of_each_state)
{
	int rd, wr;

	REQUIRE(enter_scratch("/tmp") && mkfifo("p", 0644) == 0);
	rd = open("p", O_RDONLY | O_NONBLOCK);
	CHECK_EQ(says(rd), 0); /* nobody has gone: there was nobody */
	wr = open("p", O_WRONLY | O_NONBLOCK);
	CHECK_EQ(says(rd), 0);
	CHECK_EQ(says(wr), POLLOUT);
	CHECK_EQ(write(wr, "x", 1), 1);
	CHECK_EQ(says(rd), POLLIN);
	fill(wr);
	CHECK_EQ(says(wr), 0);
	close(wr);
	CHECK_EQ(says(rd), POLLIN | POLLHUP);
	while (read(rd, big, sizeof(big)) > 0)
		;
	CHECK_EQ(says(rd), POLLHUP);
	wr = open("p", O_WRONLY | O_NONBLOCK);
	CHECK_EQ(says(rd), 0); /* taken back */
	close(rd);
	CHECK_EQ(says(wr), POLLOUT | POLLERR);
	rd = open("p", O_RDONLY | O_NONBLOCK);
	CHECK_EQ(says(wr), POLLOUT);
	fill(wr);
	close(rd);
	/* A writer has it open: what is in it waits for the next reader. */
	CHECK(says(wr) & POLLERR);
	rd = open("p", O_RDONLY | O_NONBLOCK);
	CHECK_EQ(says(rd), POLLIN);
	end(rd, wr);
}

TEST(poll_is_woken)
{
	struct pollfd p;
	int rd, wr;
	pid_t pid;

	REQUIRE(begin(&rd, &wr));
	pid = START(sleep_ms(40); CHILD_CHECK(write(wr, "x", 1) == 1));
	p = (struct pollfd){.fd = rd, .events = POLLIN};
	CHECK_EQ(poll(&p, 1, 5000), 1);
	CHECK_EQ(p.revents, POLLIN);
	CHECK_EXIT(wait_status(pid), 0);
	CHECK_EQ(read(rd, big, 1), 1);
	pid = START(sleep_ms(40));
	close(wr);
	CHECK_EQ(poll(&p, 1, 5000), 1);
	CHECK_EQ(p.revents, POLLHUP);
	CHECK_EXIT(wait_status(pid), 0);
	wr = open("p", O_WRONLY | O_NONBLOCK);
	fill(wr);
	pid = START({
		sleep_ms(40);
		while (read(rd, big, sizeof(big)) > 0)
			;
	});
	p = (struct pollfd){.fd = wr, .events = POLLOUT};
	CHECK_EQ(poll(&p, 1, 5000), 1);
	CHECK_EQ(p.revents, POLLOUT);
	CHECK_EXIT(wait_status(pid), 0);
	fill(wr);
	pid = START(sleep_ms(40));
	close(rd);
	CHECK_EQ(poll(&p, 1, 5000), 1);
	CHECK(p.revents & POLLERR);
	CHECK_EXIT(wait_status(pid), 0);
	end(-1, wr);
}
