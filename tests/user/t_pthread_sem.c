/* SPDX-License-Identifier: MIT */
/* Semaphores: of threads, of processes in shared memory, and with names. */
#include "guest.h"

#include <limits.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/mman.h>

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

static sem_t empty, full;
static long counter;

static void *consume(void *arg)
{
	for (int n = 0; n < 1000; n++) {
		while (sem_wait(&full) < 0)
			;
		counter++;
		sem_post(&empty);
	}
	return arg;
}

TEST(semaphore_of_threads)
{
	struct timespec t = in_ms(CLOCK_REALTIME, 30), wrong_time = {0, 1000000000};
	pthread_t other;
	int value = -1;

	CHECK_ERRNO(sem_init(&empty, 0, (unsigned)SEM_VALUE_MAX + 1), EINVAL);
	REQUIRE_EQ(sem_init(&empty, 0, 2), 0);
	REQUIRE_EQ(sem_init(&full, 0, 0), 0);
	CHECK_EQ(sem_getvalue(&empty, &value), 0);
	CHECK_EQ(value, 2);
	CHECK_ERRNO(sem_trywait(&full), EAGAIN);
	CHECK_ERRNO(sem_timedwait(&full, &t), ETIMEDOUT);
	CHECK_ERRNO(sem_timedwait(&full, &wrong_time), EINVAL);
	CHECK_EQ(sem_trywait(&empty), 0);
	CHECK_EQ(sem_post(&empty), 0);
	counter = 0;
	REQUIRE_EQ(pthread_create(&other, NULL, consume, NULL), 0);
	for (int n = 0; n < 1000; n++) {
		while (sem_wait(&empty) < 0)
			;
		sem_post(&full);
	}
	CHECK_EQ(pthread_join(other, NULL), 0);
	CHECK_EQ(counter, 1000);
	CHECK_EQ(sem_destroy(&empty), 0);
	CHECK_EQ(sem_destroy(&full), 0);
}

static void nothing(int sig)
{
	(void)sig;
}

TEST(a_signal_interrupts_sem_wait)
{
	sem_t s;
	pid_t pid;

	REQUIRE_EQ(sem_init(&s, 0, 0), 0);
	handle(SIGUSR1, nothing, 0);
	pid = START({
		sleep_ms(40);
		kill(getppid(), SIGUSR1);
	});
	CHECK_ERRNO(sem_wait(&s), EINTR);
	CHECK_EXIT(wait_status(pid), 0);
	handle(SIGUSR1, SIG_DFL, 0);
	sem_destroy(&s);
}

TEST(semaphore_of_processes)
{
	sem_t *s = shared_memory(2 * sizeof(*s));
	pid_t pid;

	REQUIRE(s != NULL);
	REQUIRE_EQ(sem_init(&s[0], 1, 0), 0);
	REQUIRE_EQ(sem_init(&s[1], 1, 0), 0);
	pid = START({
		for (int n = 0; n < 300; n++) {
			sem_wait(&s[0]);
			sem_post(&s[1]);
		}
	});
	for (int n = 0; n < 300; n++) {
		CHECK_EQ(sem_post(&s[0]), 0);
		CHECK_EQ(sem_wait(&s[1]), 0);
	}
	CHECK_EXIT(wait_status(pid), 0);
	munmap(s, 2 * sizeof(*s));
}

TEST(semaphore_with_a_name)
{
	char name[32];
	sem_t *s, *same;
	pid_t pid;
	int value = -1;

	snprintf(name, sizeof(name), "/test.%d", (int)getpid());
	CHECK(sem_open(name, 0) == SEM_FAILED && errno == ENOENT);
	s = sem_open(name, O_CREAT | O_EXCL, 0600, 1);
	REQUIRE(s != SEM_FAILED);
	CHECK(sem_open(name, O_CREAT | O_EXCL, 0600, 1) == SEM_FAILED && errno == EEXIST);
	CHECK(sem_open("/big", O_CREAT, 0600, (unsigned)SEM_VALUE_MAX + 1) == SEM_FAILED &&
	      errno == EINVAL);
	same = sem_open(name, O_CREAT, 0600, 9);
	CHECK(same == s);
	CHECK_EQ(sem_getvalue(s, &value), 0);
	CHECK_EQ(value, 1);
	CHECK_EQ(sem_close(same), 0);
	CHECK_EQ(sem_wait(s), 0);
	pid = START({
		sem_t *mine = sem_open(name, 0);

		CHILD_CHECK(mine != SEM_FAILED);
		sleep_ms(20);
		CHILD_CHECK(sem_post(mine) == 0);
	});
	CHECK_EQ(sem_wait(s), 0);
	CHECK_EXIT(wait_status(pid), 0);
	CHECK_EQ(sem_unlink(name), 0);
	CHECK_ERRNO(sem_unlink(name), ENOENT);
	CHECK_EQ(sem_post(s), 0); /* still there for who has it */
	CHECK_EQ(sem_close(s), 0);
}
