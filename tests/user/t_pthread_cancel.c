/* SPDX-License-Identifier: MIT */
/*
 * Cancellation: where it takes effect and where it does not, what runs then, and that nothing is
 * lost when it comes at the worst moment.
 */
#include "guest.h"

#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/wait.h>

static int order, first_at, second_at;
static volatile int ready;

static void note(void *where)
{
	*(int *)where = ++order;
}

static void *loop_with_points(void *arg)
{
	(void)arg;
	pthread_cleanup_push(note, &first_at);
	pthread_cleanup_push(note, &second_at);
	ready = 1;
	for (;;)
		pthread_testcancel();
	pthread_cleanup_pop(0);
	pthread_cleanup_pop(0);
	return NULL;
}

static void wait_ready(void)
{
	for (int n = 0; n < 1000 && !ready; n++)
		sleep_ms(2);
	ready = 0;
}

static void check_cancelled(pthread_t t)
{
	void *result = NULL;

	CHECK_EQ(pthread_cancel(t), 0);
	CHECK_EQ(pthread_join(t, &result), 0);
	CHECK(result == PTHREAD_CANCELED);
}

TEST(handlers_run_last_first)
{
	pthread_t t;

	order = 0;
	REQUIRE_EQ(pthread_create(&t, NULL, loop_with_points, NULL), 0);
	wait_ready();
	check_cancelled(t);
	CHECK_EQ(second_at, 1);
	CHECK_EQ(first_at, 2);
	order = first_at = second_at = 0;
	pthread_cleanup_push(note, &first_at);
	pthread_cleanup_push(note, &second_at);
	pthread_cleanup_pop(0);
	pthread_cleanup_pop(1);
	CHECK_EQ(first_at, 1);
	CHECK_EQ(second_at, 0);
}

TEST(states_and_types)
{
	int old = -1;

	CHECK_EQ(pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old), 0);
	CHECK_EQ(old, PTHREAD_CANCEL_ENABLE);
	CHECK_EQ(pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &old), 0);
	CHECK_EQ(old, PTHREAD_CANCEL_DISABLE);
	CHECK_EQ(pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &old), 0);
	CHECK_EQ(old, PTHREAD_CANCEL_DEFERRED);
	CHECK_EQ(pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, &old), 0);
	CHECK_EQ(old, PTHREAD_CANCEL_ASYNCHRONOUS);
	CHECK_EQ(pthread_setcancelstate(99, NULL), EINVAL);
	CHECK_EQ(pthread_setcanceltype(99, NULL), EINVAL);
}

static void *never_looks(void *arg)
{
	(void)arg;
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
	ready = 1;
	for (;;)
		;
	return NULL;
}

TEST(asynchronous)
{
	pthread_t t;

	REQUIRE_EQ(pthread_create(&t, NULL, never_looks, NULL), 0);
	wait_ready();
	check_cancelled(t);
}

static volatile int passed;

static void *first_disabled(void *arg)
{
	(void)arg;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	ready = 1;
	while (!passed)
		sleep_ms(2);
	sleep_ms(2);
	passed = 2;
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
	passed = 3; /* enabling is no point of cancellation */
	pthread_testcancel();
	passed = 4;
	return NULL;
}

TEST(disabled_for_a_time)
{
	void *result;
	pthread_t t;

	passed = 0;
	REQUIRE_EQ(pthread_create(&t, NULL, first_disabled, NULL), 0);
	wait_ready();
	CHECK_EQ(pthread_cancel(t), 0);
	passed = 1;
	CHECK_EQ(pthread_join(t, &result), 0);
	CHECK(result == PTHREAD_CANCELED);
	CHECK_EQ(passed, 3);
}

/* ---- calls that are points ---- */

static int fds[2];
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
static sem_t sem;
static bool held;

static void unlock(void *arg)
{
	/* An error-checking unlock would do as well: it must be ours. */
	held = pthread_mutex_trylock(arg) == EBUSY;
	pthread_mutex_unlock(arg);
}

static void in_read(void)
{
	char b;

	if (read(fds[0], &b, 1) < 0)
		passed++;
}

static void in_poll(void)
{
	struct pollfd p = {fds[0], POLLIN, 0};

	poll(&p, 1, -1);
}

static void in_sleep(void)
{
	sleep(100);
}

static void in_nanosleep(void)
{
	struct timespec t = {100, 0};

	nanosleep(&t, NULL);
}

static void in_wait(void)
{
	waitpid(-1, NULL, 0);
}

static void in_cond_wait(void)
{
	pthread_mutex_lock(&m);
	pthread_cleanup_push(unlock, &m);
	for (;;)
		pthread_cond_wait(&c, &m);
	pthread_cleanup_pop(1);
}

static void in_sem_wait(void)
{
	sem_wait(&sem);
}

static void in_sigsuspend(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigsuspend(&none);
}

static void *sleeps_long(void *arg)
{
	for (int n = 0; n < 1000 && !__atomic_load_n((bool *)arg, __ATOMIC_SEQ_CST); n++)
		sleep_ms(10);
	return NULL;
}

static pthread_t joined;

static void in_join(void)
{
	pthread_join(joined, NULL);
}

static void *call(void *arg)
{
	void (*point)(void) = *(void (**)(void))arg;

	ready = 1;
	point();
	return NULL;
}

static void cancel_in(void (*point)(void), bool before)
{
	pthread_t t;

	REQUIRE_EQ(pthread_create(&t, NULL, call, &point), 0);
	if (!before) {
		wait_ready();
		sleep_ms(20);
	}
	check_cancelled(t);
	ready = 0;
}

TEST(blocking_calls)
{
	void (*points[])(void) = {in_read, in_poll,      in_sleep,    in_nanosleep,
				  in_wait, in_cond_wait, in_sem_wait, in_sigsuspend};
	pid_t pid = START(sleep_ms(30000));

	REQUIRE_EQ(pipe(fds), 0);
	REQUIRE_EQ(sem_init(&sem, 0, 0), 0);
	passed = 0;
	for (unsigned n = 0; n < ARRAY_LEN(points); n++) {
		cancel_in(points[n], false);
		cancel_in(points[n], true);
	}
	CHECK_EQ(passed, 0);
	CHECK(held);
	CHECK_EQ(pthread_mutex_trylock(&m), 0);
	pthread_mutex_unlock(&m);
	kill(pid, SIGKILL);
	CHECK_KILLED(wait_status(pid), SIGKILL);
	close(fds[0]);
	close(fds[1]);
}

TEST(join_can_be_cancelled_and_repeated)
{
	static bool stop;

	REQUIRE_EQ(pthread_create(&joined, NULL, sleeps_long, &stop), 0);
	cancel_in(in_join, false);
	__atomic_store_n(&stop, true, __ATOMIC_SEQ_CST);
	CHECK_EQ(pthread_join(joined, NULL), 0);
}

/* Every byte that was read is counted, or is still in the pipe: none is lost between the two. */
static volatile long taken;

static void *read_bytes(void *arg)
{
	char b;

	(void)arg;
	while (read(fds[0], &b, 1) == 1)
		taken++;
	return NULL;
}

TEST(nothing_is_lost)
{
	long sent = 0;
	char b = 'x';

	REQUIRE_EQ(pipe(fds), 0);
	taken = 0;
	for (int n = 0; n < 150; n++) {
		pthread_t t;

		REQUIRE_EQ(pthread_create(&t, NULL, read_bytes, NULL), 0);
		for (unsigned k = test_random() % 6; k > 0; k--)
			sent += write(fds[1], &b, 1);
		if (n % 2)
			sched_yield();
		pthread_cancel(t);
		sent += write(fds[1], &b, 1);
		CHECK_EQ(pthread_join(t, NULL), 0);
	}
	close(fds[1]);
	while (read(fds[0], &b, 1) == 1)
		taken++;
	CHECK_EQ(taken, sent);
	close(fds[0]);
}

/* A lock is no point: who waits for one is cancelled when he comes to the next. */
static void *lock_then_point(void *arg)
{
	ready = 1;
	pthread_mutex_lock(arg);
	passed = 1;
	pthread_mutex_unlock(arg);
	pthread_testcancel();
	passed = 2;
	return NULL;
}

TEST(a_mutex_is_no_point)
{
	pthread_t t;

	passed = 0;
	pthread_mutex_lock(&m);
	REQUIRE_EQ(pthread_create(&t, NULL, lock_then_point, &m), 0);
	wait_ready();
	sleep_ms(20);
	CHECK_EQ(pthread_cancel(t), 0);
	sleep_ms(20);
	CHECK_EQ(passed, 0);
	pthread_mutex_unlock(&m);
	CHECK_EQ(pthread_join(t, NULL), 0);
	CHECK_EQ(passed, 1);
}

static pthread_key_t key;
static int destroyed;

static void destructor(void *value)
{
	destroyed = order++ * 10 + (int)(long)value;
}

static void *with_key_and_handler(void *arg)
{
	pthread_setspecific(key, (void *)3);
	pthread_cleanup_push(note, &first_at);
	ready = 1;
	sleep(100);
	pthread_cleanup_pop(0);
	return arg;
}

TEST(handlers_before_destructors)
{
	pthread_t t;

	order = 0;
	REQUIRE_EQ(pthread_key_create(&key, destructor), 0);
	REQUIRE_EQ(pthread_create(&t, NULL, with_key_and_handler, NULL), 0);
	wait_ready();
	check_cancelled(t);
	CHECK_EQ(first_at, 1);
	CHECK_EQ(destroyed, 13);
	pthread_key_delete(key);
}

static void *cancel_self(void *arg)
{
	pthread_cancel(pthread_self());
	pthread_testcancel();
	return arg;
}

TEST(cancelling_oneself)
{
	void *result = NULL;
	pthread_t t;

	REQUIRE_EQ(pthread_create(&t, NULL, cancel_self, NULL), 0);
	CHECK_EQ(pthread_join(t, &result), 0);
	CHECK(result == PTHREAD_CANCELED);
}
