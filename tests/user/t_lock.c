/* SPDX-License-Identifier: MIT */
/* Advisory locks: records (fcntl, lockf) and whole files (flock). */
#include "guest.h"

#include <sched.h>
#include <sys/file.h>

static const char *const places[] = {"/tmp", "/var/tmp"};

static struct flock range(int type, off_t start, off_t len)
{
	return (struct flock){
		.l_type = (short)type, .l_whence = SEEK_SET, .l_start = start, .l_len = len};
}

static int lock(int fd, int cmd, int type, off_t start, off_t len)
{
	struct flock fl = range(type, start, len);

	return fcntl(fd, cmd, &fl);
}

/* What a stranger would find in his way: "w 10+5 " for each run of bytes below @end, asked one by
 * one, so that joined and split ranges look the same only if they are. */
static const char *seen_by_child(int fd, off_t end)
{
	static char text[128];
	int fds[2], n;

	text[0] = 0;
	if (pipe(fds) < 0)
		return "no pipe";
	CHECK_EXIT(CHILD_STATUS({
			   char line[128] = "";
			   off_t last = -1;

			   for (off_t at = 0; at < end; at++) {
				   struct flock fl = range(F_WRLCK, at, 1);

				   CHILD_CHECK(fcntl(fd, F_GETLK, &fl) == 0);
				   if (fl.l_type == F_UNLCK || fl.l_start == last)
					   continue;
				   CHILD_CHECK(fl.l_pid == getppid());
				   CHILD_CHECK(fl.l_whence == SEEK_SET);
				   last = fl.l_start;
				   sprintf(line + strlen(line), "%c%d+%d ",
					   fl.l_type == F_WRLCK ? 'w' : 'r', (int)fl.l_start,
					   (int)fl.l_len);
			   }
			   CHILD_CHECK(write(fds[1], line, strlen(line) + 1) > 0);
		   }),
		   0);
	close(fds[1]);
	n = read(fds[0], text, sizeof(text) - 1);
	close(fds[0]);
	text[n > 0 ? n : 0] = 0;
	return text;
}

static int new_file(void)
{
	return open("f", O_RDWR | O_CREAT | O_TRUNC, 0644);
}

static void ranges_in(const char *place)
{
	int fd;

	REQUIRE(enter_scratch(place));
	fd = new_file();
	REQUIRE(fd >= 0);
	CHECK_EQ(lock(fd, F_SETLK, F_WRLCK, 10, 10), 0);
	CHECK_STR(seen_by_child(fd, 40), "w10+10 ");
	CHECK_EQ(lock(fd, F_SETLK, F_WRLCK, 20, 5), 0); /* it touches: joined */
	CHECK_STR(seen_by_child(fd, 40), "w10+15 ");
	CHECK_EQ(lock(fd, F_SETLK, F_UNLCK, 14, 2), 0); /* split */
	CHECK_STR(seen_by_child(fd, 40), "w10+4 w16+9 ");
	CHECK_EQ(lock(fd, F_SETLK, F_RDLCK, 12, 6), 0); /* a part becomes another type */
	CHECK_STR(seen_by_child(fd, 40), "w10+2 r12+6 w18+7 ");
	CHECK_EQ(lock(fd, F_SETLK, F_WRLCK, 0, 30), 0); /* all covered */
	CHECK_STR(seen_by_child(fd, 40), "w0+30 ");
	CHECK_EQ(lock(fd, F_SETLK, F_RDLCK, 5, 5), 0);
	CHECK_STR(seen_by_child(fd, 40), "w0+5 r5+5 w10+20 ");
	CHECK_EQ(lock(fd, F_SETLK, F_UNLCK, 0, 0), 0);
	CHECK_STR(seen_by_child(fd, 40), "");
	CHECK_EQ(lock(fd, F_SETLK, F_WRLCK, 7, 0), 0); /* to the end, however far */
	CHECK_STR(seen_by_child(fd, 10), "w7+0 ");
	CHECK_EQ(lock(fd, F_SETLK, F_UNLCK, 0, 0), 0);
	CHECK_EQ(ftruncate(fd, 20), 0);
	CHECK_EQ(lseek(fd, 12, SEEK_SET), 12);
	{
		struct flock fl = {.l_type = F_WRLCK, .l_whence = SEEK_CUR, .l_len = -4};

		CHECK_EQ(fcntl(fd, F_SETLK, &fl), 0);
		CHECK_STR(seen_by_child(fd, 40), "w8+4 ");
		fl = (struct flock){
			.l_type = F_WRLCK, .l_whence = SEEK_END, .l_start = -2, .l_len = 4};
		CHECK_EQ(fcntl(fd, F_SETLK, &fl), 0);
		CHECK_STR(seen_by_child(fd, 40), "w8+4 w18+4 ");
	}
	close(fd);
	leave_scratch(place);
}

TEST(ranges_are_joined_and_split)
{
	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		ranges_in(places[i]);
}

TEST(readers_share_writers_do_not)
{
	int fd;

	REQUIRE(enter_scratch("/tmp"));
	fd = new_file();
	CHECK_EQ(lock(fd, F_SETLK, F_RDLCK, 0, 10), 0);
	CHECK_EXIT(CHILD_STATUS({
			   CHILD_CHECK(lock(fd, F_SETLK, F_RDLCK, 5, 10) == 0);
			   CHILD_CHECK(lock(fd, F_SETLK, F_WRLCK, 5, 10) == -1);
			   CHILD_CHECK(errno == EAGAIN || errno == EACCES);
			   CHILD_CHECK(lock(fd, F_SETLK, F_WRLCK, 10, 10) == 0);
			   CHILD_CHECK(lock(fd, F_SETLK, F_RDLCK, 9, 1) == 0);
		   }),
		   0);
	/* What the child had went with it. */
	CHECK_EQ(lock(fd, F_SETLK, F_WRLCK, 0, 100), 0);
	close(fd);
	leave_scratch("/tmp");
}

TEST(wrong_arguments)
{
	struct flock fl;
	int fds[2], fd, rd, wr;

	REQUIRE(enter_scratch("/tmp"));
	fd = new_file();
	rd = open("f", O_RDONLY);
	wr = open("f", O_WRONLY);
	CHECK_ERRNO(lock(99, F_SETLK, F_WRLCK, 0, 1), EBADF);
	CHECK_ERRNO(lock(rd, F_SETLK, F_WRLCK, 0, 1), EBADF);
	CHECK_ERRNO(lock(wr, F_SETLK, F_RDLCK, 0, 1), EBADF);
	CHECK_ERRNO(lock(fd, F_SETLK, 77, 0, 1), EINVAL);
	CHECK_ERRNO(lock(fd, F_SETLK, F_WRLCK, -1, 1), EINVAL);
	CHECK_ERRNO(lock(fd, F_SETLK, F_WRLCK, 2, -3), EINVAL);
	fl = range(F_WRLCK, 0, 0);
	fl.l_whence = 9;
	CHECK_ERRNO(fcntl(fd, F_SETLK, &fl), EINVAL);
	CHECK_ERRNO(fcntl(fd, F_SETLK, (void *)8), EFAULT);
	CHECK_ERRNO(flock(99, LOCK_EX), EBADF);
	CHECK_ERRNO(flock(fd, 0), EINVAL);
	CHECK_ERRNO(flock(fd, LOCK_SH | LOCK_EX), EINVAL);
	CHECK_ERRNO(lockf(fd, 77, 0), EINVAL);
	CHECK_EQ(pipe(fds), 0);
	CHECK_EQ(lock(fd, F_SETLK, F_UNLCK, 0, 0), 0); /* nothing there */
	close(fds[0]);
	close(fds[1]);
	close(rd);
	close(wr);
	close(fd);
	leave_scratch("/tmp");
}

TEST(any_close_gives_record_locks_up)
{
	int fd, other, copy;

	REQUIRE(enter_scratch("/tmp"));
	fd = new_file();
	CHECK_EQ(lock(fd, F_SETLK, F_WRLCK, 0, 10), 0);
	CHECK_STR(seen_by_child(fd, 20), "w0+10 ");
	other = open("f", O_RDONLY);
	close(other);
	CHECK_STR(seen_by_child(fd, 20), "");
	CHECK_EQ(lock(fd, F_SETLK, F_WRLCK, 0, 10), 0);
	copy = dup(fd);
	close(copy);
	CHECK_STR(seen_by_child(fd, 20), "");
	CHECK_EQ(lock(fd, F_SETLK, F_WRLCK, 0, 10), 0);
	copy = dup(fd);
	CHECK_EQ(dup2(1, copy), copy); /* closes it */
	CHECK_STR(seen_by_child(fd, 20), "");
	CHECK_EQ(lock(fd, F_SETLK, F_WRLCK, 0, 10), 0);
	/* A child's closes are not ours. */
	CHECK_EXIT(CHILD_STATUS(close(fd)), 0);
	CHECK_STR(seen_by_child(fd, 20), "w0+10 ");
	close(copy);
	close(fd);
	leave_scratch("/tmp");
}

TEST(a_waiter_gets_it_when_it_is_free)
{
	int fd, go[2];
	pid_t pid;
	char c;

	REQUIRE(enter_scratch("/tmp"));
	fd = new_file();
	REQUIRE_EQ(pipe(go), 0);
	CHECK_EQ(lock(fd, F_SETLK, F_WRLCK, 0, 0), 0);
	pid = START({
		CHILD_CHECK(write(go[1], "r", 1) == 1);
		CHILD_CHECK(lock(fd, F_SETLKW, F_WRLCK, 5, 1) == 0);
		CHILD_CHECK(write(go[1], "g", 1) == 1);
		CHILD_CHECK(lock(fd, F_SETLKW, F_UNLCK, 5, 1) == 0);
	});
	CHECK_EQ(read(go[0], &c, 1), 1);
	sleep_ms(50);
	fcntl(go[0], F_SETFL, O_NONBLOCK);
	CHECK_ERRNO(read(go[0], &c, 1), EAGAIN);
	fcntl(go[0], F_SETFL, 0);
	CHECK_EQ(lock(fd, F_SETLK, F_UNLCK, 5, 1), 0);
	CHECK_EQ(read(go[0], &c, 1), 1);
	CHECK_EQ(c, 'g');
	CHECK_EXIT(wait_status(pid), 0);
	close(go[0]);
	close(go[1]);
	close(fd);
	leave_scratch("/tmp");
}

static void ignore(int sig)
{
	(void)sig;
}

TEST(a_signal_ends_the_wait)
{
	int fd;
	pid_t pid;

	REQUIRE(enter_scratch("/tmp"));
	fd = new_file();
	CHECK_EQ(lock(fd, F_SETLK, F_WRLCK, 0, 0), 0);
	pid = START({
		handle(SIGALRM, ignore, 0);
		alarm(1);
		CHILD_CHECK(lock(fd, F_SETLKW, F_WRLCK, 0, 0) == -1 && errno == EINTR);
		alarm(1);
		CHILD_CHECK(flock(open("f", O_RDWR), LOCK_EX) == 0);
	});
	CHECK_EXIT(wait_status(pid), 0);
	close(fd);
	leave_scratch("/tmp");
}

TEST(a_circle_is_refused)
{
	int fd, to_child[2], to_parent[2], status;
	bool refused;
	pid_t pid;
	char c;

	REQUIRE(enter_scratch("/tmp"));
	fd = new_file();
	REQUIRE_EQ(pipe(to_child), 0);
	REQUIRE_EQ(pipe(to_parent), 0);
	CHECK_EQ(lock(fd, F_SETLK, F_WRLCK, 0, 1), 0);
	pid = START({
		CHILD_CHECK(lock(fd, F_SETLK, F_WRLCK, 1, 1) == 0);
		CHILD_CHECK(write(to_parent[1], "1", 1) == 1);
		/* Whoever comes second is refused; the other then gets what he wants. */
		if (lock(fd, F_SETLKW, F_WRLCK, 0, 1) == 0)
			_exit(1);
		_exit(errno == EDEADLK ? 2 : 3);
	});
	CHECK_EQ(read(to_parent[0], &c, 1), 1);
	sleep_ms(50);
	refused = lock(fd, F_SETLKW, F_WRLCK, 1, 1) < 0;
	if (refused)
		CHECK_EQ(errno, EDEADLK);
	CHECK_EQ(lock(fd, F_SETLK, F_UNLCK, 0, 0), 0);
	status = wait_status(pid);
	CHECK_EXIT(status, refused ? 1 : 2);
	for (int i = 0; i < 2; i++) {
		close(to_child[i]);
		close(to_parent[i]);
	}
	close(fd);
	leave_scratch("/tmp");
}

/* Three in a ring: nobody waits for himself directly. */
TEST(a_circle_of_three_is_refused)
{
	int fd, ready[2], refused = 0;
	pid_t pid[3];
	char c;

	REQUIRE(enter_scratch("/tmp"));
	fd = new_file();
	REQUIRE_EQ(pipe(ready), 0);
	CHECK_EQ(lock(fd, F_SETLK, F_WRLCK, 100, 1), 0); /* the gate */
	for (int i = 0; i < 3; i++)
		pid[i] = START({
			CHILD_CHECK(lock(fd, F_SETLK, F_WRLCK, i, 1) == 0);
			CHILD_CHECK(write(ready[1], "1", 1) == 1);
			CHILD_CHECK(lock(fd, F_SETLKW, F_RDLCK, 100, 1) == 0);
			if (lock(fd, F_SETLKW, F_WRLCK, (i + 1) % 3, 1) < 0) {
				CHILD_CHECK(errno == EDEADLK);
				_exit(2);
			}
		});
	for (int i = 0; i < 3; i++)
		CHECK_EQ(read(ready[0], &c, 1), 1);
	CHECK_EQ(lock(fd, F_SETLK, F_UNLCK, 100, 1), 0);
	for (int i = 0; i < 3; i++) {
		int status = wait_status(pid[i]);

		CHECK(WIFEXITED(status));
		refused += WEXITSTATUS(status) == 2;
		CHECK(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 2);
	}
	CHECK_EQ(refused, 1);
	close(ready[0]);
	close(ready[1]);
	close(fd);
	leave_scratch("/tmp");
}

TEST(lockf_is_the_same)
{
	int fd;

	REQUIRE(enter_scratch("/tmp"));
	fd = new_file();
	CHECK_EQ(ftruncate(fd, 100), 0);
	CHECK_EQ(lseek(fd, 50, SEEK_SET), 50);
	CHECK_EQ(lockf(fd, F_LOCK, 10), 0);
	CHECK_STR(seen_by_child(fd, 100), "w50+10 ");
	CHECK_EQ(lockf(fd, F_TEST, 10), 0); /* one's own is not in the way */
	CHECK_EXIT(CHILD_STATUS({
			   CHILD_CHECK(lockf(fd, F_TEST, 0) == -1);
			   CHILD_CHECK(errno == EAGAIN || errno == EACCES);
			   CHILD_CHECK(lockf(fd, F_TLOCK, 5) == -1);
			   CHILD_CHECK(lseek(fd, 60, SEEK_SET) == 60);
			   CHILD_CHECK(lockf(fd, F_TLOCK, 5) == 0);
		   }),
		   0);
	CHECK_EQ(lseek(fd, 50, SEEK_SET), 50);
	CHECK_EQ(lockf(fd, F_ULOCK, 0), 0);
	CHECK_STR(seen_by_child(fd, 100), "");
	close(fd);
	leave_scratch("/tmp");
}

TEST(flock_belongs_to_the_open_file)
{
	int fd, other, copy;

	REQUIRE(enter_scratch("/tmp"));
	fd = new_file();
	other = open("f", O_RDONLY);
	CHECK_EQ(flock(fd, LOCK_EX), 0);
	CHECK_ERRNO(flock(other, LOCK_SH | LOCK_NB), EWOULDBLOCK);
	copy = dup(fd);
	CHECK_EQ(flock(copy, LOCK_EX | LOCK_NB), 0);
	CHECK_EQ(lock(fd, F_SETLK, F_WRLCK, 0, 0), 0); /* of another kind */
	CHECK_EXIT(CHILD_STATUS(CHILD_CHECK(flock(fd, LOCK_SH | LOCK_NB) == 0)), 0);
	CHECK_EQ(flock(other, LOCK_SH | LOCK_NB), 0); /* the child made it shared, for both */
	CHECK_EQ(flock(other, LOCK_UN), 0);
	CHECK_EQ(flock(fd, LOCK_EX | LOCK_NB), 0);
	close(fd);
	CHECK_ERRNO(flock(other, LOCK_EX | LOCK_NB), EWOULDBLOCK);
	close(copy); /* the last */
	CHECK_EQ(flock(other, LOCK_EX | LOCK_NB), 0);
	close(other);
	leave_scratch("/tmp");
}

#define ROUNDS 200

/* A counter in a file, which only a lock keeps right. */
static void count_up(int how)
{
	pid_t pid[3];
	int fd = new_file(), value = 0;

	CHECK_EQ(pwrite(fd, &value, sizeof(value), 0), sizeof(value));
	for (size_t i = 0; i < ARRAY_LEN(pid); i++)
		pid[i] = START({
			int own = open("f", O_RDWR);
			int n;

			for (int r = 0; r < ROUNDS; r++) {
				CHILD_CHECK((how ? flock(own, LOCK_EX)
						 : lock(own, F_SETLKW, F_WRLCK, 0, 4)) == 0);
				CHILD_CHECK(pread(own, &n, sizeof(n), 0) == sizeof(n));
				if (r % 16 == 0)
					sched_yield();
				n++;
				CHILD_CHECK(pwrite(own, &n, sizeof(n), 0) == sizeof(n));
				CHILD_CHECK((how ? flock(own, LOCK_UN)
						 : lock(own, F_SETLK, F_UNLCK, 0, 4)) == 0);
			}
		});
	for (size_t i = 0; i < ARRAY_LEN(pid); i++)
		CHECK_EXIT(wait_status(pid[i]), 0);
	CHECK_EQ(pread(fd, &value, sizeof(value), 0), sizeof(value));
	CHECK_EQ(value, ROUNDS * (int)ARRAY_LEN(pid));
	close(fd);
}

TEST(locks_keep_a_counter_right)
{
	REQUIRE(enter_scratch("/tmp"));
	count_up(0);
	count_up(1);
	leave_scratch("/tmp");
}
