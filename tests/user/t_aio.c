/* SPDX-License-Identifier: MIT */
/* Asynchronous input and output: requests, their end and who is told, order, cancellation. */
#include "guest.h"

#include <aio.h>
#include <pthread.h>
#include <semaphore.h>

static int scratch(void)
{
	char name[] = "/tmp/aio.XXXXXX";
	int fd = mkstemp(name);

	unlink(name);
	return fd;
}

static struct aiocb block(int fd, void *buf, size_t n, off_t at)
{
	return (struct aiocb){.aio_fildes = fd, .aio_buf = buf, .aio_nbytes = n, .aio_offset = at};
}

/* Waits for one; its error. */
static int end_of(struct aiocb *cb)
{
	const struct aiocb *list[] = {NULL, cb};

	while (aio_suspend(list, 2, NULL) < 0 && errno == EINTR)
		;
	return aio_error(cb);
}

TEST(what_is_written_is_read)
{
	char in[8] = "", out[] = "abcdefg";
	int fd = scratch();
	struct aiocb w = block(fd, out, 8, 100), r = block(fd, in, 8, 100);

	REQUIRE_EQ(aio_write(&w), 0);
	CHECK_EQ(end_of(&w), 0);
	CHECK_EQ(aio_return(&w), 8);
	REQUIRE_EQ(aio_read(&r), 0);
	CHECK_EQ(end_of(&r), 0);
	CHECK_EQ(aio_return(&r), 8);
	CHECK_STR(in, out);
	CHECK_EQ(lseek(fd, 0, SEEK_END), 108);
	CHECK_EQ(aio_fsync(O_SYNC, &w), 0);
	CHECK_EQ(end_of(&w), 0);
	CHECK_EQ(aio_return(&w), 0);
	close(fd);
}

TEST(many_at_once)
{
	static char bytes[40][512], back[40][512];
	static struct aiocb cb[40];
	struct aiocb *list[40];
	int fd = scratch();

	for (int i = 0; i < 40; i++) {
		memset(bytes[i], 'a' + i % 26, 512);
		cb[i] = block(fd, bytes[i], 512, i * 512L);
		cb[i].aio_lio_opcode = i == 7 ? LIO_NOP : LIO_WRITE;
		list[i] = &cb[i];
	}
	list[9] = NULL;
	CHECK_EQ(lio_listio(LIO_WAIT, list, 40, NULL), 0);
	for (int i = 0; i < 40; i++) {
		if (i != 7 && i != 9)
			CHECK_EQ(aio_return(&cb[i]), 512);
		CHECK_EQ(pread(fd, back[i], 512, i * 512L), 512);
		CHECK_EQ(back[i][511], i == 7 || i == 9 ? 0 : 'a' + i % 26);
	}
	close(fd);
}

TEST(errors)
{
	char c = 0;
	int fd = open("/dev/null", O_RDONLY), err;
	struct aiocb cb = block(fd, &c, 1, 0), bad = block(-1, &c, 1, 0), *list[] = {&cb, &bad};

	REQUIRE(fd >= 0);
	/* Who asks is told, or the request. */
	err = aio_write(&cb) < 0 ? errno : end_of(&cb);
	CHECK_EQ(err, EBADF);
	CHECK_EQ(aio_return(&cb), -1);
	err = aio_read(&bad) < 0 ? errno : end_of(&bad);
	CHECK_EQ(err, EBADF);
	CHECK_ERRNO(aio_fsync(O_SYNC, &bad), EBADF);
	CHECK_ERRNO(aio_fsync(O_RDONLY, &cb), EINVAL);
	CHECK_ERRNO(aio_cancel(-1, NULL), EBADF);
	CHECK_ERRNO(lio_listio(99, list, 1, NULL), EINVAL);
	bad.aio_lio_opcode = cb.aio_lio_opcode = LIO_READ;
	CHECK_ERRNO(lio_listio(LIO_WAIT, list, 2, NULL), EIO);
	CHECK_EQ(aio_error(&cb), 0);
	CHECK_EQ(aio_error(&bad), EBADF);
	cb.aio_reqprio = -1;
	err = aio_read(&cb) < 0 ? errno : end_of(&cb);
	CHECK_EQ(err, EINVAL);
	close(fd);
}

TEST(a_pipe_keeps_the_order_and_holds_up_nobody)
{
	char a[3], b[3], zero = 1;
	int fds[2], other = open("/dev/zero", O_RDONLY);
	struct timespec soon = {0, 30000000};
	struct aiocb first, second, third = block(other, &zero, 1, 0);
	const struct aiocb *list[] = {&first, &second};

	REQUIRE_EQ(pipe(fds), 0);
	first = block(fds[0], a, 3, 0);
	second = block(fds[0], b, 3, 0);
	CHECK_EQ(aio_read(&first), 0);
	CHECK_EQ(aio_read(&second), 0);
	CHECK_EQ(aio_error(&first), EINPROGRESS);
	CHECK_ERRNO(aio_suspend(list, 2, &soon), EAGAIN);
	CHECK_EQ(aio_read(&third), 0);
	CHECK_EQ(end_of(&third), 0);
	CHECK_EQ(zero, 0);
	CHECK_EQ(write(fds[1], "abc", 3), 3);
	CHECK_EQ(end_of(&first), 0);
	CHECK_EQ(aio_error(&second), EINPROGRESS);
	CHECK_EQ(write(fds[1], "def", 3), 3);
	CHECK_EQ(end_of(&second), 0);
	CHECK_MEM(a, "abc", 3);
	CHECK_MEM(b, "def", 3);
	close(fds[0]);
	close(fds[1]);
	close(other);
}

#ifdef __parvix__ /* Linux's library cannot cancel what is under way */
TEST(cancelling)
{
	char a[4], b[4];
	int fds[2];
	struct aiocb first, second;

	REQUIRE_EQ(pipe(fds), 0);
	first = block(fds[0], a, 4, 0);
	second = block(fds[0], b, 4, 0);
	CHECK_EQ(aio_read(&first), 0);
	CHECK_EQ(aio_read(&second), 0);
	sleep_ms(20);
	CHECK_EQ(aio_cancel(fds[0], &second), AIO_CANCELED);
	CHECK_EQ(aio_error(&second), ECANCELED);
	CHECK_EQ(aio_return(&second), -1);
	CHECK_EQ(aio_error(&first), EINPROGRESS);
	CHECK_ERRNO(aio_cancel(fds[1], &first), EINVAL);
	CHECK_EQ(aio_cancel(fds[0], NULL), AIO_CANCELED);
	CHECK_EQ(aio_error(&first), ECANCELED);
	CHECK_EQ(aio_cancel(fds[0], NULL), AIO_ALLDONE);
	/* Nothing was taken; and a result is taken once. */
	CHECK_EQ(aio_return(&first), -1);
	CHECK_ERRNO(aio_return(&first), EINVAL);
	CHECK_ERRNO(aio_error(&first), EINVAL);
	CHECK_EQ(write(fds[1], "left", 4), 4);
	CHECK_EQ(read(fds[0], a, 4), 4);
	CHECK_EQ(aio_read(&first), 0);
	sleep_ms(20);
	close(fds[0]);
	CHECK_EQ(aio_error(&first), ECANCELED);
	close(fds[1]);
}
#endif

static volatile sig_atomic_t told;
static sem_t called;

static void on_signal(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	told = info->si_value.sival_int;
}

static void function(union sigval value)
{
	told = value.sival_int;
	sem_post(&called);
}

TEST(who_is_told)
{
	struct sigaction act;
	char c;
	int fd = open("/dev/zero", O_RDONLY);
	struct aiocb cb = block(fd, &c, 1, 0), more = cb, *list[] = {&cb, &more};
	struct sigevent ev;

	memset(&act, 0, sizeof(act));
	memset(&ev, 0, sizeof(ev));
	act.sa_sigaction = on_signal;
	act.sa_flags = SA_SIGINFO;
	sigaction(SIGUSR1, &act, NULL);
	told = 0;
	cb.aio_sigevent.sigev_notify = SIGEV_SIGNAL;
	cb.aio_sigevent.sigev_signo = SIGUSR1;
	cb.aio_sigevent.sigev_value.sival_int = 5;
	CHECK_EQ(aio_read(&cb), 0);
	CHECK_EQ(end_of(&cb), 0);
	for (int i = 0; i < 1000 && told != 5; i++)
		sleep_ms(2);
	CHECK_EQ(told, 5);

	sem_init(&called, 0, 0);
	cb.aio_sigevent.sigev_notify = SIGEV_NONE;
	cb.aio_lio_opcode = more.aio_lio_opcode = LIO_READ;
	more.aio_sigevent.sigev_notify = SIGEV_NONE;
	ev.sigev_notify = SIGEV_THREAD;
	ev.sigev_notify_function = function;
	ev.sigev_value.sival_int = 6;
	CHECK_EQ(lio_listio(LIO_NOWAIT, list, 2, &ev), 0);
	while (sem_wait(&called) < 0)
		;
	CHECK_EQ(told, 6);
	CHECK_EQ(aio_error(&cb), 0);
	CHECK_EQ(aio_error(&more), 0);
	sem_destroy(&called);
	signal(SIGUSR1, SIG_DFL);
	close(fd);
}

TEST(appended_in_order)
{
	static struct aiocb cb[26];
	static char letters[] = "abcdefghijklmnopqrstuvwxyz";
	char name[] = "/tmp/aio.XXXXXX", back[27] = "";
	int fd = mkstemp(name);

	close(fd);
	fd = open(name, O_RDWR | O_APPEND);
	for (int i = 0; i < 26; i++) {
		cb[i] = block(fd, &letters[i], 1, 0);
		CHECK_EQ(aio_write(&cb[i]), 0);
	}
	for (int i = 0; i < 26; i++)
		CHECK_EQ(end_of(&cb[i]), 0);
	CHECK_EQ(pread(fd, back, 26, 0), 26);
	CHECK_STR(back, letters);
	close(fd);
	unlink(name);
}
