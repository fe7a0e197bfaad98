/* SPDX-License-Identifier: MIT */
/*
 * What threads, and processes, wait for each other with: mutexes of every kind, condition
 * variables, read-write locks, barriers, spin locks.
 */
#include "guest.h"

#include <limits.h>
#include <pthread.h>
#include <sys/mman.h>

#define MANY 8

static struct timespec in_ms(clockid_t clock, long ms)
{
	struct timespec t;

	clock_gettime(clock, &t);
	t.tv_nsec += ms * 1000000;
	t.tv_sec += t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	return t;
}

static void *shared_memory(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* What another thread gets from a call with this lock. */
struct probe {
	int (*call)(void *);
	void *lock;
};

static void *probe_thread(void *arg)
{
	struct probe *p = arg;

	return (void *)(long)p->call(p->lock);
}

static int from_another(int (*call)(void *), void *lock)
{
	struct probe p = {call, lock};
	void *result;
	pthread_t t;

	if (pthread_create(&t, NULL, probe_thread, &p) || pthread_join(t, &result))
		return -1;
	return (int)(long)result;
}

/* ---- mutexes ---- */

static int lock(void *m)
{
	return pthread_mutex_lock(m);
}

static int trylock(void *m)
{
	int err = pthread_mutex_trylock(m);

	if (!err)
		pthread_mutex_unlock(m);
	return err;
}

static int unlock(void *m)
{
	return pthread_mutex_unlock(m);
}

static int timedlock(void *m)
{
	struct timespec t = in_ms(CLOCK_REALTIME, 30);

	return pthread_mutex_timedlock(m, &t);
}

static bool make_mutex(pthread_mutex_t *m, int type, int robust, int shared)
{
	pthread_mutexattr_t attr;
	bool ok = !pthread_mutexattr_init(&attr) && !pthread_mutexattr_settype(&attr, type) &&
		  !pthread_mutexattr_setrobust(&attr, robust) &&
		  !pthread_mutexattr_setpshared(&attr, shared) && !pthread_mutex_init(m, &attr);

	pthread_mutexattr_destroy(&attr);
	return ok;
}

TEST(mutex_types)
{
	pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;

	CHECK_EQ(pthread_mutex_lock(&m), 0);
	CHECK_EQ(from_another(trylock, &m), EBUSY);
	CHECK_EQ(from_another(timedlock, &m), ETIMEDOUT);
	CHECK_EQ(pthread_mutex_trylock(&m), EBUSY);
	CHECK_EQ(pthread_mutex_unlock(&m), 0);
	CHECK_EQ(from_another(trylock, &m), 0);
	CHECK_EQ(pthread_mutex_destroy(&m), 0);

	REQUIRE(make_mutex(&m, PTHREAD_MUTEX_ERRORCHECK, PTHREAD_MUTEX_STALLED, 0));
	CHECK_EQ(pthread_mutex_unlock(&m), EPERM);
	CHECK_EQ(pthread_mutex_lock(&m), 0);
	CHECK_EQ(pthread_mutex_lock(&m), EDEADLK);
	CHECK_EQ(from_another(unlock, &m), EPERM);
	CHECK_EQ(pthread_mutex_unlock(&m), 0);
	CHECK_EQ(pthread_mutex_destroy(&m), 0);

	REQUIRE(make_mutex(&m, PTHREAD_MUTEX_RECURSIVE, PTHREAD_MUTEX_STALLED, 0));
	CHECK_EQ(pthread_mutex_lock(&m), 0);
	CHECK_EQ(pthread_mutex_trylock(&m), 0);
	CHECK_EQ(pthread_mutex_unlock(&m), 0);
	CHECK_EQ(from_another(trylock, &m), EBUSY);
	CHECK_EQ(pthread_mutex_unlock(&m), 0);
	CHECK_EQ(from_another(trylock, &m), 0);
	CHECK_EQ(pthread_mutex_unlock(&m), EPERM);
	CHECK_EQ(pthread_mutex_destroy(&m), 0);
}

TEST(mutex_attributes)
{
	pthread_mutexattr_t attr;
	int value = -1;

	REQUIRE_EQ(pthread_mutexattr_init(&attr), 0);
	CHECK_EQ(pthread_mutexattr_gettype(&attr, &value), 0);
	CHECK_EQ(value, PTHREAD_MUTEX_DEFAULT);
	CHECK_EQ(pthread_mutexattr_settype(&attr, 99), EINVAL);
	CHECK_EQ(pthread_mutexattr_getpshared(&attr, &value), 0);
	CHECK_EQ(value, PTHREAD_PROCESS_PRIVATE);
	CHECK_EQ(pthread_mutexattr_setpshared(&attr, 99), EINVAL);
	CHECK_EQ(pthread_mutexattr_getrobust(&attr, &value), 0);
	CHECK_EQ(value, PTHREAD_MUTEX_STALLED);
	CHECK_EQ(pthread_mutexattr_setrobust(&attr, 99), EINVAL);
	CHECK_EQ(pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST), 0);
	CHECK_EQ(pthread_mutexattr_getrobust(&attr, &value), 0);
	CHECK_EQ(value, PTHREAD_MUTEX_ROBUST);
	CHECK_EQ(pthread_mutexattr_setprotocol(&attr, 99), EINVAL);
	CHECK_EQ(pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_NONE), 0);
	CHECK_EQ(pthread_mutexattr_destroy(&attr), 0);
}

TEST(timed_lock_looks_at_its_time_when_it_must_wait)
{
	struct timespec wrong = {0, 1000000000}, past = {1, 0};
	pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
	long long before;

	CHECK_EQ(pthread_mutex_timedlock(&m, &past), 0);
	CHECK_EQ(pthread_mutex_timedlock(&m, &wrong), EINVAL);
	CHECK_EQ(pthread_mutex_timedlock(&m, &past), ETIMEDOUT);
	before = now_ns();
	CHECK_EQ(timedlock(&m), ETIMEDOUT);
	CHECK(now_ns() - before >= 29000000);
	CHECK_EQ(pthread_mutex_unlock(&m), 0);
}

static pthread_mutex_t counter_lock = PTHREAD_MUTEX_INITIALIZER;
static long counter;

static void *count_up(void *arg)
{
	for (int n = 0; n < 5000; n++) {
		pthread_mutex_lock(arg);
		counter++;
		if (n % 64 == 0)
			sched_yield();
		pthread_mutex_unlock(arg);
	}
	return NULL;
}

static void count_with(pthread_mutex_t *m)
{
	pthread_t t[MANY];

	counter = 0;
	for (int n = 0; n < MANY; n++)
		REQUIRE_EQ(pthread_create(&t[n], NULL, count_up, m), 0);
	for (int n = 0; n < MANY; n++)
		CHECK_EQ(pthread_join(t[n], NULL), 0);
	CHECK_EQ(counter, MANY * 5000);
}

TEST(nobody_else_is_inside)
{
	pthread_mutex_t m;

	count_with(&counter_lock);
	REQUIRE(make_mutex(&m, PTHREAD_MUTEX_RECURSIVE, PTHREAD_MUTEX_STALLED, 0));
	count_with(&m);
	REQUIRE(make_mutex(&m, PTHREAD_MUTEX_ERRORCHECK, PTHREAD_MUTEX_ROBUST, 1));
	count_with(&m);
}

TEST(a_robust_mutex_outlives_its_owner)
{
	pthread_mutex_t m;

	REQUIRE(make_mutex(&m, PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST, 0));
	CHECK_EQ(from_another(lock, &m), 0);
	CHECK_EQ(pthread_mutex_lock(&m), EOWNERDEAD);
	CHECK_EQ(pthread_mutex_consistent(&m), 0);
	CHECK_EQ(pthread_mutex_unlock(&m), 0);
	CHECK_EQ(pthread_mutex_lock(&m), 0);
	CHECK_EQ(pthread_mutex_unlock(&m), 0);
	CHECK_EQ(from_another(lock, &m), 0);
	CHECK_EQ(pthread_mutex_trylock(&m), EOWNERDEAD);
	/* Not made consistent: from now on it is of no use. */
	CHECK_EQ(pthread_mutex_unlock(&m), 0);
	CHECK_EQ(pthread_mutex_lock(&m), ENOTRECOVERABLE);
	CHECK_EQ(from_another(lock, &m), ENOTRECOVERABLE);
	CHECK_EQ(pthread_mutex_destroy(&m), 0);
	CHECK_EQ(pthread_mutex_consistent(&counter_lock), EINVAL);
}

TEST(processes_share_a_mutex)
{
	struct shared {
		pthread_mutex_t m, robust;
		long count;
	} *s = shared_memory(sizeof(*s));
	pid_t pid[3];

	REQUIRE(s != NULL);
	REQUIRE(make_mutex(&s->m, PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_STALLED, 1));
	REQUIRE(make_mutex(&s->robust, PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST, 1));
	for (int n = 0; n < 3; n++)
		pid[n] = START({
			for (int m = 0; m < 2000; m++) {
				pthread_mutex_lock(&s->m);
				s->count++;
				if (m % 32 == 0)
					sched_yield();
				pthread_mutex_unlock(&s->m);
			}
		});
	for (int n = 0; n < 3; n++)
		CHECK_EXIT(wait_status(pid[n]), 0);
	CHECK_EQ(s->count, 6000);
	/* One that is killed while another waits. */
	pid[0] = START({
		pthread_mutex_lock(&s->robust);
		s->count = -1;
		sleep_ms(20000);
	});
	while (*(volatile long *)&s->count != -1)
		sleep_ms(2);
	pid[1] = START({
		sleep_ms(30);
		kill(pid[0], SIGKILL);
	});
	CHECK_EQ(pthread_mutex_lock(&s->robust), EOWNERDEAD);
	CHECK_EQ(pthread_mutex_consistent(&s->robust), 0);
	CHECK_EQ(pthread_mutex_unlock(&s->robust), 0);
	CHECK_KILLED(wait_status(pid[0]), SIGKILL);
	CHECK_EXIT(wait_status(pid[1]), 0);
	munmap(s, sizeof(*s));
}

/* ---- condition variables ---- */

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER, c2 = PTHREAD_COND_INITIALIZER;
static int turn, waiting;

static void *wait_for_turn(void *arg)
{
	pthread_mutex_lock(&m);
	waiting++;
	while (turn != (int)(long)arg)
		pthread_cond_wait(&c, &m);
	waiting--;
	pthread_mutex_unlock(&m);
	return NULL;
}

static void until_waiting(int wanted)
{
	for (int n = 0; n < 1000; n++) {
		pthread_mutex_lock(&m);
		bool there = waiting == wanted;
		pthread_mutex_unlock(&m);
		if (there)
			return;
		sleep_ms(5);
	}
	CHECK_EQ(waiting, wanted);
}

TEST(broadcast_and_signal)
{
	pthread_t t[MANY];

	turn = 0;
	for (int n = 0; n < MANY; n++)
		REQUIRE_EQ(pthread_create(&t[n], NULL, wait_for_turn, (void *)1), 0);
	until_waiting(MANY);
	pthread_mutex_lock(&m);
	turn = 1;
	CHECK_EQ(pthread_cond_broadcast(&c), 0);
	pthread_mutex_unlock(&m);
	for (int n = 0; n < MANY; n++)
		CHECK_EQ(pthread_join(t[n], NULL), 0);
	CHECK_EQ(waiting, 0);
	REQUIRE_EQ(pthread_create(&t[0], NULL, wait_for_turn, (void *)2), 0);
	until_waiting(1);
	turn = 2;
	CHECK_EQ(pthread_cond_signal(&c), 0);
	CHECK_EQ(pthread_join(t[0], NULL), 0);
}

static void *ping(void *arg)
{
	int mine = (int)(long)arg;

	for (int n = 0; n < 2000; n++) {
		pthread_mutex_lock(&m);
		while (turn != mine)
			pthread_cond_wait(mine ? &c : &c2, &m);
		turn = !mine;
		counter++;
		pthread_cond_signal(mine ? &c2 : &c);
		pthread_mutex_unlock(&m);
	}
	return NULL;
}

TEST(no_signal_is_lost)
{
	pthread_t t[2];

	turn = 0;
	counter = 0;
	for (long n = 0; n < 2; n++)
		REQUIRE_EQ(pthread_create(&t[n], NULL, ping, (void *)n), 0);
	for (int n = 0; n < 2; n++)
		CHECK_EQ(pthread_join(t[n], NULL), 0);
	CHECK_EQ(counter, 4000);
}

TEST(waiting_has_an_end)
{
	struct timespec t, wrong = {0, -1};
	pthread_condattr_t attr;
	pthread_cond_t by_monotonic;
	clockid_t clock = -1;
	long long before;

	pthread_mutex_lock(&m);
	before = now_ns();
	t = in_ms(CLOCK_REALTIME, 40);
	CHECK_EQ(pthread_cond_timedwait(&c, &m, &t), ETIMEDOUT);
	CHECK(now_ns() - before >= 39000000);
	CHECK_EQ(pthread_cond_timedwait(&c, &m, &wrong), EINVAL);
	CHECK_EQ(from_another(trylock, &m), EBUSY); /* it is held again */
	REQUIRE_EQ(pthread_condattr_init(&attr), 0);
	CHECK_EQ(pthread_condattr_setclock(&attr, CLOCK_PROCESS_CPUTIME_ID), EINVAL);
	CHECK_EQ(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC), 0);
	CHECK_EQ(pthread_condattr_getclock(&attr, &clock), 0);
	CHECK_EQ(clock, CLOCK_MONOTONIC);
	REQUIRE_EQ(pthread_cond_init(&by_monotonic, &attr), 0);
	before = now_ns();
	t = in_ms(CLOCK_MONOTONIC, 40);
	CHECK_EQ(pthread_cond_timedwait(&by_monotonic, &m, &t), ETIMEDOUT);
	CHECK(now_ns() - before >= 39000000 && now_ns() - before < 5000000000);
	CHECK_EQ(pthread_cond_destroy(&by_monotonic), 0);
	CHECK_EQ(pthread_condattr_destroy(&attr), 0);
	pthread_mutex_unlock(&m);
}

TEST(processes_share_a_condition)
{
	struct shared {
		pthread_mutex_t m;
		pthread_cond_t c;
		int turn;
	} *s = shared_memory(sizeof(*s));
	pthread_condattr_t attr;
	pid_t pid;

	REQUIRE(s != NULL);
	REQUIRE(make_mutex(&s->m, PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_STALLED, 1));
	REQUIRE_EQ(pthread_condattr_init(&attr), 0);
	CHECK_EQ(pthread_condattr_setpshared(&attr, PTHREAD_PROCESS_SHARED), 0);
	REQUIRE_EQ(pthread_cond_init(&s->c, &attr), 0);
	pid = START({
		for (int n = 0; n < 200; n++) {
			pthread_mutex_lock(&s->m);
			while (s->turn == 0)
				pthread_cond_wait(&s->c, &s->m);
			s->turn = 0;
			pthread_cond_broadcast(&s->c);
			pthread_mutex_unlock(&s->m);
		}
	});
	for (int n = 0; n < 200; n++) {
		pthread_mutex_lock(&s->m);
		while (s->turn == 1)
			pthread_cond_wait(&s->c, &s->m);
		s->turn = 1;
		pthread_cond_broadcast(&s->c);
		pthread_mutex_unlock(&s->m);
	}
	CHECK_EXIT(wait_status(pid), 0);
	munmap(s, sizeof(*s));
}

/* ---- read-write locks ---- */

static int tryrd(void *l)
{
	int err = pthread_rwlock_tryrdlock(l);

	if (!err)
		pthread_rwlock_unlock(l);
	return err;
}

static int trywr(void *l)
{
	int err = pthread_rwlock_trywrlock(l);

	if (!err)
		pthread_rwlock_unlock(l);
	return err;
}

static int timedrd(void *l)
{
	struct timespec t = in_ms(CLOCK_REALTIME, 20);

	return pthread_rwlock_timedrdlock(l, &t);
}

static int timedwr(void *l)
{
	struct timespec t = in_ms(CLOCK_REALTIME, 20);

	return pthread_rwlock_timedwrlock(l, &t);
}

static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;
static volatile int readers, writers, most_readers, wrong;

TEST(rwlock_by_one)
{
	CHECK_EQ(pthread_rwlock_rdlock(&rw), 0);
	CHECK_EQ(from_another(tryrd, &rw), 0);
	CHECK_EQ(from_another(trywr, &rw), EBUSY);
	CHECK_EQ(from_another(timedwr, &rw), ETIMEDOUT);
	CHECK_EQ(pthread_rwlock_rdlock(&rw), 0);
	CHECK_EQ(pthread_rwlock_unlock(&rw), 0);
	CHECK_EQ(from_another(trywr, &rw), EBUSY);
	CHECK_EQ(pthread_rwlock_unlock(&rw), 0);
	CHECK_EQ(pthread_rwlock_wrlock(&rw), 0);
	CHECK_EQ(from_another(tryrd, &rw), EBUSY);
	CHECK_EQ(from_another(trywr, &rw), EBUSY);
	CHECK_EQ(from_another(timedrd, &rw), ETIMEDOUT);
	CHECK_EQ(pthread_rwlock_wrlock(&rw), EDEADLK);
	CHECK_EQ(pthread_rwlock_unlock(&rw), 0);
	CHECK_EQ(from_another(trywr, &rw), 0);
}

static void *read_or_write(void *arg)
{
	unsigned seed = (unsigned)(long)arg;

	for (int n = 0; n < 400; n++)
		if (rand_r(&seed) % 4 == 0) {
			pthread_rwlock_wrlock(&rw);
			if (__atomic_add_fetch(&writers, 1, __ATOMIC_SEQ_CST) != 1 || readers)
				wrong++;
			sched_yield();
			__atomic_sub_fetch(&writers, 1, __ATOMIC_SEQ_CST);
			pthread_rwlock_unlock(&rw);
		} else {
			pthread_rwlock_rdlock(&rw);
			int now = __atomic_add_fetch(&readers, 1, __ATOMIC_SEQ_CST);
			if (writers)
				wrong++;
			if (now > most_readers)
				most_readers = now;
			sched_yield();
			__atomic_sub_fetch(&readers, 1, __ATOMIC_SEQ_CST);
			pthread_rwlock_unlock(&rw);
		}
	return NULL;
}

TEST(readers_together_writers_alone)
{
	pthread_t t[MANY];

	for (long n = 0; n < MANY; n++)
		REQUIRE_EQ(pthread_create(&t[n], NULL, read_or_write, (void *)(n + 1)), 0);
	for (int n = 0; n < MANY; n++)
		CHECK_EQ(pthread_join(t[n], NULL), 0);
	CHECK_EQ(wrong, 0);
	CHECK(most_readers > 1);
}

/* ---- barriers, spin locks ---- */

static pthread_barrier_t barrier;
static int phase_of[MANY], serial;

static void *through_phases(void *arg)
{
	long me = (long)arg;

	for (int phase = 1; phase <= 50; phase++) {
		phase_of[me] = phase;
		int ret = pthread_barrier_wait(&barrier);

		if (ret == PTHREAD_BARRIER_SERIAL_THREAD)
			__atomic_add_fetch(&serial, 1, __ATOMIC_SEQ_CST);
		else if (ret)
			return (void *)1;
		for (int n = 0; n < MANY; n++)
			if (phase_of[n] != phase)
				return (void *)2;
		pthread_barrier_wait(&barrier);
	}
	return NULL;
}

TEST(barrier_opens_for_all_at_once)
{
	pthread_t t[MANY];
	void *bad;

	CHECK_EQ(pthread_barrier_init(&barrier, NULL, 0), EINVAL);
	REQUIRE_EQ(pthread_barrier_init(&barrier, NULL, MANY), 0);
	for (long n = 0; n < MANY; n++)
		REQUIRE_EQ(pthread_create(&t[n], NULL, through_phases, (void *)n), 0);
	for (int n = 0; n < MANY; n++) {
		CHECK_EQ(pthread_join(t[n], &bad), 0);
		CHECK_EQ((long)bad, 0);
	}
	CHECK_EQ(serial, 50);
	CHECK_EQ(pthread_barrier_destroy(&barrier), 0);
}

static int tryspin(void *l)
{
	return pthread_spin_trylock(l);
}

static void *spin_and_count(void *arg)
{
	for (int n = 0; n < 2000; n++) {
		pthread_spin_lock(arg);
		counter++;
		pthread_spin_unlock(arg);
	}
	return NULL;
}

TEST(spin_locks)
{
	pthread_spinlock_t l;
	pthread_t t[4];

	REQUIRE_EQ(pthread_spin_init(&l, PTHREAD_PROCESS_PRIVATE), 0);
	CHECK_EQ(pthread_spin_lock(&l), 0);
	CHECK_EQ(from_another(tryspin, (void *)&l), EBUSY);
	CHECK_EQ(pthread_spin_unlock(&l), 0);
	counter = 0;
	for (int n = 0; n < 4; n++)
		REQUIRE_EQ(pthread_create(&t[n], NULL, spin_and_count, (void *)&l), 0);
	for (int n = 0; n < 4; n++)
		CHECK_EQ(pthread_join(t[n], NULL), 0);
	CHECK_EQ(counter, 8000);
	CHECK_EQ(pthread_spin_destroy(&l), 0);
}
