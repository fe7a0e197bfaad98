/* SPDX-License-Identifier: MIT */
/*
 * Threads as programs see them: made, joined, detached; attributes; thread-local data and keys;
 * once; fork and exit; signals. malloc and streams are in t_pthread_libc, locks in t_pthread_lock,
 * semaphores in t_pthread_sem, cancellation in t_pthread_cancel.
 */
#include "guest.h"

#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>

#define MANY 8

static void *give_back(void *arg)
{
	return arg;
}

static void *sleep_and_give_back(void *arg)
{
	sleep_ms(30);
	return arg;
}

static void *self_of(void *arg)
{
	*(pthread_t *)arg = pthread_self();
	return NULL;
}

TEST(join_gives_the_result)
{
	pthread_t t, seen;
	void *result = NULL;

	REQUIRE_EQ(pthread_create(&t, NULL, give_back, &seen), 0);
	CHECK(!pthread_equal(t, pthread_self()));
	CHECK_EQ(pthread_join(t, &result), 0);
	CHECK(result == &seen);
	REQUIRE_EQ(pthread_create(&t, NULL, sleep_and_give_back, &seen), 0);
	CHECK_EQ(pthread_join(t, &result), 0);
	CHECK(result == &seen);
	REQUIRE_EQ(pthread_create(&t, NULL, self_of, &seen), 0);
	CHECK_EQ(pthread_join(t, NULL), 0);
	CHECK(pthread_equal(t, seen));
	CHECK_EQ(pthread_join(pthread_self(), NULL), EDEADLK);
}

static void *exit_deep(void *arg)
{
	volatile char room[2000];

	room[0] = 1;
	pthread_exit(room[0] ? arg : NULL);
}

TEST(pthread_exit_from_below)
{
	int something;
	pthread_t t;
	void *result;

	REQUIRE_EQ(pthread_create(&t, NULL, exit_deep, &something), 0);
	CHECK_EQ(pthread_join(t, &result), 0);
	CHECK(result == &something);
}

static int ends;

static void *count_end(void *arg)
{
	sleep_ms((long)arg);
	__atomic_add_fetch(&ends, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static void wait_for_ends(int wanted)
{
	for (int n = 0; n < 500 && __atomic_load_n(&ends, __ATOMIC_SEQ_CST) < wanted; n++)
		sleep_ms(10);
	CHECK_EQ(ends, wanted);
}

TEST(detached_threads_come_and_go)
{
	pthread_attr_t attr;
	pthread_t t;
	int state = -1;

	ends = 0;
	REQUIRE_EQ(pthread_attr_init(&attr), 0);
	CHECK_EQ(pthread_attr_getdetachstate(&attr, &state), 0);
	CHECK_EQ(state, PTHREAD_CREATE_JOINABLE);
	CHECK_EQ(pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED), 0);
	CHECK_EQ(pthread_attr_setdetachstate(&attr, 77), EINVAL);
	for (long n = 0; n < 20; n++)
		REQUIRE_EQ(pthread_create(&t, &attr, count_end, (void *)(n % 3)), 0);
	for (long n = 0; n < 20; n++) {
		REQUIRE_EQ(pthread_create(&t, NULL, count_end, (void *)(n % 3)), 0);
		CHECK_EQ(pthread_detach(t), 0);
	}
	wait_for_ends(40);
	CHECK_EQ(pthread_attr_destroy(&attr), 0);
}

/* More than fit at one time, so stacks must be given back. */
TEST(two_thousand_one_after_the_other)
{
	pthread_t t[MANY];

	for (int n = 0; n < 2000 / MANY; n++) {
		for (int m = 0; m < MANY; m++)
			REQUIRE_EQ(pthread_create(&t[m], NULL, give_back, NULL), 0);
		for (int m = 0; m < MANY; m++)
			REQUIRE_EQ(pthread_join(t[m], NULL), 0);
	}
}

static void *touch_stack(void *arg)
{
	size_t size = *(size_t *)arg;
	volatile char *room = __builtin_alloca(size);
	void *volatile where = (void *)room; /* the address is wanted after the thread's end */

	for (size_t n = 0; n < size; n += 512)
		room[n] = 1;
	return where;
}

TEST(stack_attributes)
{
	pthread_attr_t attr;
	size_t size = 0, use;
	void *stack, *result, *where;
	pthread_t t;

	REQUIRE_EQ(pthread_attr_init(&attr), 0);
	CHECK_EQ(pthread_attr_setstacksize(&attr, PTHREAD_STACK_MIN - 1), EINVAL);
	CHECK_EQ(pthread_attr_setstacksize(&attr, 2 << 20), 0);
	CHECK_EQ(pthread_attr_getstacksize(&attr, &size), 0);
	CHECK_EQ(size, 2 << 20);
	use = (2 << 20) - 32768;
	REQUIRE_EQ(pthread_create(&t, &attr, touch_stack, &use), 0);
	CHECK_EQ(pthread_join(t, &result), 0);
	size = 256 << 10;
	stack = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	REQUIRE(stack != MAP_FAILED);
	CHECK_EQ(pthread_attr_setstack(&attr, stack, size), 0);
	CHECK_EQ(pthread_attr_getstack(&attr, &where, &use), 0);
	CHECK(where == stack && use == size);
	use = 1000;
	for (int n = 0; n < 3; n++) {
		REQUIRE_EQ(pthread_create(&t, &attr, touch_stack, &use), 0);
		CHECK_EQ(pthread_join(t, &result), 0);
		CHECK((char *)result > (char *)stack && (char *)result < (char *)stack + size);
	}
	CHECK_EQ(munmap(stack, size), 0);
	CHECK_EQ(pthread_attr_destroy(&attr), 0);
}

/* The room is used after the call too, so that each call has its own. */
static int overrun(volatile char *above)
{
	volatile char room[4096];

	room[0] = (char)(above[0] + 1);
	return above ? overrun(room) + room[0] : 0;
}

static void *overrun_thread(void *arg)
{
	volatile char first = (char)(arg == NULL);

	return (void *)(long)overrun(&first);
}

TEST(guard_below_the_stack)
{
	pthread_attr_t attr;
	size_t guard = 0;

	REQUIRE_EQ(pthread_attr_init(&attr), 0);
	CHECK_EQ(pthread_attr_getguardsize(&attr, &guard), 0);
	CHECK(guard > 0);
	pthread_attr_destroy(&attr);
	CHECK_KILLED(CHILD_STATUS({
			     pthread_t t;

			     pthread_create(&t, NULL, overrun_thread, NULL);
			     pthread_join(t, NULL);
		     }),
		     SIGSEGV);
}

TEST(scheduling_attributes)
{
	struct sched_param param = {.sched_priority = 0};
	pthread_attr_t attr;
	int value = -1;

	REQUIRE_EQ(pthread_attr_init(&attr), 0);
	CHECK_EQ(pthread_attr_getschedpolicy(&attr, &value), 0);
	CHECK_EQ(value, SCHED_OTHER);
	CHECK_EQ(pthread_attr_setschedpolicy(&attr, SCHED_OTHER), 0);
	CHECK_EQ(pthread_attr_setschedparam(&attr, &param), 0);
	CHECK_EQ(pthread_attr_setscope(&attr, PTHREAD_SCOPE_SYSTEM), 0);
	CHECK_EQ(pthread_attr_setscope(&attr, PTHREAD_SCOPE_PROCESS), ENOTSUP);
	CHECK_EQ(pthread_attr_setscope(&attr, 99), EINVAL);
	CHECK_EQ(pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED), 0);
	CHECK_EQ(pthread_attr_getinheritsched(&attr, &value), 0);
	CHECK_EQ(value, PTHREAD_EXPLICIT_SCHED);
	CHECK_EQ(pthread_attr_setinheritsched(&attr, 99), EINVAL);
	CHECK_EQ(pthread_attr_destroy(&attr), 0);
	CHECK_EQ(pthread_getschedparam(pthread_self(), &value, &param), 0);
	CHECK_EQ(value, SCHED_OTHER);
	CHECK_EQ(param.sched_priority, 0);
	CHECK_EQ(sched_getscheduler(0), SCHED_OTHER);
	CHECK_EQ(sched_yield(), 0);
}

/* ---- data of a thread ---- */

static _Thread_local int own = 17;
static _Thread_local char zeroed[300];

static void *change_own(void *arg)
{
	bool fresh = own == 17 && !zeroed[299];

	own = (int)(long)arg;
	zeroed[299] = 1;
	sched_yield();
	return (void *)(long)(fresh && own == (int)(long)arg);
}

TEST(thread_local_variables)
{
	pthread_t t[MANY];
	void *result;

	own = 5;
	for (long n = 0; n < MANY; n++)
		REQUIRE_EQ(pthread_create(&t[n], NULL, change_own, (void *)(100 + n)), 0);
	for (int n = 0; n < MANY; n++) {
		CHECK_EQ(pthread_join(t[n], &result), 0);
		CHECK(result);
	}
	CHECK_EQ(own, 5);
	own = 17;
}

static void *errno_of_its_own(void *arg)
{
	long bad = 0;

	for (int n = 0; n < 300; n++) {
		if (arg) {
			close(-1);
			sched_yield();
			bad += errno != EBADF;
		} else {
			access("/no/such/file", F_OK);
			sched_yield();
			bad += errno != ENOENT;
		}
	}
	return (void *)bad;
}

TEST(errno_is_a_thread_s_own)
{
	pthread_t t[MANY];
	void *bad;

	for (long n = 0; n < MANY; n++)
		REQUIRE_EQ(pthread_create(&t[n], NULL, errno_of_its_own, (void *)(n & 1)), 0);
	for (int n = 0; n < MANY; n++) {
		CHECK_EQ(pthread_join(t[n], &bad), 0);
		CHECK_EQ((long)bad, 0);
	}
}

static pthread_key_t key, second_key;
static int destroyed, rounds;

static void destructor(void *value)
{
	destroyed += (int)(long)value;
}

/* Sets the other key, whose destructor must run too; and itself, for ever: rounds are bounded. */
static void restless(void *value)
{
	rounds++;
	pthread_setspecific(key, (void *)1);
	pthread_setspecific(second_key, value);
}

static void *be_restless(void *arg)
{
	restless(arg);
	return NULL;
}

static void *use_keys(void *arg)
{
	bool fresh = !pthread_getspecific(key);

	pthread_setspecific(key, arg);
	if (pthread_getspecific(key) != arg)
		fresh = false;
	return (void *)(long)fresh;
}

TEST(keys_and_destructors)
{
	pthread_t t;
	void *fresh;

	REQUIRE_EQ(pthread_key_create(&key, destructor), 0);
	CHECK(!pthread_getspecific(key));
	CHECK_EQ(pthread_setspecific(key, &t), 0);
	destroyed = 0;
	REQUIRE_EQ(pthread_create(&t, NULL, use_keys, (void *)7), 0);
	CHECK_EQ(pthread_join(t, &fresh), 0);
	CHECK(fresh);
	CHECK_EQ(destroyed, 7);
	CHECK(pthread_getspecific(key) == &t);
	REQUIRE_EQ(pthread_key_create(&second_key, restless), 0);
	rounds = 0;
	REQUIRE_EQ(pthread_create(&t, NULL, be_restless, (void *)2), 0);
	CHECK_EQ(pthread_join(t, NULL), 0);
	CHECK(rounds > PTHREAD_DESTRUCTOR_ITERATIONS);
	CHECK_EQ(pthread_key_delete(second_key), 0);
	CHECK_EQ(pthread_key_delete(key), 0);
	CHECK_EQ(pthread_key_delete(key), EINVAL);
	CHECK_EQ(pthread_setspecific(key, &t), EINVAL);
}

TEST(keys_begin_empty_and_end)
{
	static pthread_key_t keys[2048];
	int count = 0, err = 0;

	while (count < 2048 && (err = pthread_key_create(&keys[count], NULL)) == 0) {
		CHECK(!pthread_getspecific(keys[count]));
		pthread_setspecific(keys[count], &count);
		count++;
	}
	CHECK(count >= 128 - 4);
	CHECK_EQ(err, EAGAIN);
	for (int n = 0; n < count; n++)
		CHECK_EQ(pthread_key_delete(keys[n]), 0);
	/* The same again: old values must not be there. */
	REQUIRE_EQ(pthread_key_create(&keys[0], NULL), 0);
	CHECK(!pthread_getspecific(keys[0]));
	pthread_key_delete(keys[0]);
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int once_runs;

static void once_routine(void)
{
	sleep_ms(20);
	once_runs++;
}

static void *call_once(void *arg)
{
	(void)arg;
	pthread_once(&once, once_routine);
	return (void *)(long)once_runs;
}

TEST(once_is_once_and_waited_for)
{
	pthread_t t[MANY];
	void *runs;

	for (int n = 0; n < MANY; n++)
		REQUIRE_EQ(pthread_create(&t[n], NULL, call_once, NULL), 0);
	for (int n = 0; n < MANY; n++) {
		CHECK_EQ(pthread_join(t[n], &runs), 0);
		CHECK_EQ((long)runs, 1);
	}
}

/* ---- threads and the process ---- */

static char order[16];

static void prepare1(void)
{
	strcat(order, "p");
}

static void prepare2(void)
{
	strcat(order, "P");
}

static void parent1(void)
{
	strcat(order, "a");
}

static void child1(void)
{
	strcat(order, "c");
}

static void child2(void)
{
	strcat(order, "C");
}

static void *allocate_for_ever(void *arg)
{
	while (!__atomic_load_n((bool *)arg, __ATOMIC_SEQ_CST))
		free(malloc(100));
	return NULL;
}

TEST(fork_with_threads_and_handlers)
{
	static bool stop;
	pthread_t t[2];

	for (int n = 0; n < 2; n++)
		REQUIRE_EQ(pthread_create(&t[n], NULL, allocate_for_ever, &stop), 0);
	/* The child must be able to use malloc, and to make threads of its own. */
	for (int n = 0; n < 10; n++)
		CHECK_EXIT(CHILD_STATUS({
				   pthread_t mine;
				   char *block = malloc(1000);

				   CHILD_CHECK(block);
				   free(block);
				   CHILD_CHECK(!pthread_create(&mine, NULL, give_back, NULL));
				   CHILD_CHECK(!pthread_join(mine, NULL));
			   }),
			   0);
	__atomic_store_n(&stop, true, __ATOMIC_SEQ_CST);
	for (int n = 0; n < 2; n++)
		CHECK_EQ(pthread_join(t[n], NULL), 0);
	REQUIRE_EQ(pthread_atfork(prepare1, parent1, child1), 0);
	REQUIRE_EQ(pthread_atfork(prepare2, NULL, child2), 0);
	order[0] = '\0';
	CHECK_EXIT(CHILD_STATUS({
			   CHILD_CHECK(!strcmp(order, "PpcC"));
			   _exit(3);
		   }),
		   3);
	CHECK_STR(order, "Ppa");
}

static void *end_the_process(void *arg)
{
	sleep_ms(20);
	exit((int)(long)arg);
}

static void *end_after_main(void *arg)
{
	pthread_join(*(pthread_t *)arg, NULL);
	return NULL;
}

TEST(exit_and_the_last_thread_s_end)
{
	CHECK_EXIT(CHILD_STATUS({
			   pthread_t t;

			   pthread_create(&t, NULL, end_the_process, (void *)7);
			   sleep_ms(5000);
		   }),
		   7);
	/* main's thread ends; the process does when the other one does, with 0. */
	CHECK_EXIT(CHILD_STATUS({
			   static pthread_t first, t;

			   first = pthread_self();
			   pthread_create(&t, NULL, end_after_main, &first);
			   pthread_exit((void *)9);
		   }),
		   0);
}

static pthread_t handled_by;
static volatile int handled;

static void note_thread(int sig)
{
	(void)sig;
	handled_by = pthread_self();
	handled++;
}

static void *wait_for_signal(void *arg)
{
	sigset_t set;

	(void)arg;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	for (int n = 0; n < 500 && !handled; n++)
		sleep_ms(10);
	return NULL;
}

TEST(signals_for_a_thread)
{
	sigset_t mask;
	pthread_t t;

	handle(SIGUSR1, note_thread, 0);
	handled = 0;
	REQUIRE_EQ(pthread_create(&t, NULL, wait_for_signal, NULL), 0);
	CHECK_EQ(pthread_kill(t, 0), 0);
	CHECK_EQ(pthread_kill(t, -1), EINVAL);
	CHECK_EQ(pthread_kill(t, SIGUSR1), 0);
	CHECK_EQ(pthread_join(t, NULL), 0);
	CHECK_EQ(handled, 1);
	CHECK(pthread_equal(handled_by, t));
	/* Its mask was its own. */
	CHECK_EQ(pthread_sigmask(SIG_BLOCK, NULL, &mask), 0);
	CHECK_EQ(sigismember(&mask, SIGUSR2), 0);
	CHECK_EQ(pthread_sigmask(99, &mask, NULL), EINVAL);
	handle(SIGUSR1, SIG_DFL, 0);
}

static void *use_processor(void *arg)
{
	struct timespec t;
	clockid_t clock;

	(void)arg;
	if (pthread_getcpuclockid(pthread_self(), &clock))
		return (void *)1;
	do
		if (clock_gettime(clock, &t))
			return (void *)2;
	while (t.tv_sec == 0 && t.tv_nsec < 30000000);
	return NULL;
}

TEST(processor_time_of_a_thread)
{
	void *bad;
	pthread_t t;

	REQUIRE_EQ(pthread_create(&t, NULL, use_processor, NULL), 0);
	CHECK_EQ(pthread_join(t, &bad), 0);
	CHECK_EQ((long)bad, 0);
}

#if defined(__parvix__) || defined(_GNU_SOURCE)
TEST(names)
{
	char name[16] = "";

	CHECK_EQ(pthread_setname_np(pthread_self(), "worker"), 0);
	CHECK_EQ(pthread_getname_np(pthread_self(), name, sizeof(name)), 0);
	CHECK_STR(name, "worker");
	CHECK_EQ(pthread_setname_np(pthread_self(), "a name of sixteen and more"), ERANGE);
}
#endif
