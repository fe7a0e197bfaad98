/* SPDX-License-Identifier: MIT */
/*
 * What becomes of threads when one of them ends, or the process forks, executes, stops or is
 * killed; and which of them takes a signal. By system calls, as t_thread_kernel.
 */
#if defined(__parvix__)
#include "raw_thread.h"

static volatile int counter, here, there;

static void say_tid(struct task *t)
{
	t->result = (int)CALL(gettid, 0, 0, 0, 0, 0);
}

/* ---- ends ---- */

static void forget_stack(struct task *t)
{
	t->result = 1;
	CALL(thread_exit, t->stack, STACK, 0, 0, 0);
}

TEST(a_thread_gives_its_stack_back)
{
	struct task t;
	int fd = open("/dev/zero", O_RDONLY);

	start(&t, forget_stack);
	while (t.tid)
		CALL(sched_yield, 0, 0, 0, 0, 0);
	for (int i = 0; i < 100 && read(fd, t.stack, 8) == 8; i++)
		sleep_ms(1);
	CHECK_ERRNO(read(fd, t.stack, 8), EFAULT);
	close(fd);
}

static void spin(struct task *t)
{
	t->result = 1;
	for (;;)
		counter++;
}

static void sleep_long(struct task *t)
{
	t->result = 1;
	for (;;)
		futex(&there, FUTEX_WAIT | FUTEX_PRIVATE, 0);
}

static struct task some[4];

/* Two that sleep and two that run. */
static void start_some(void)
{
	there = 0;
	for (int i = 0; i < 4; i++)
		if (start(&some[i], i % 2 ? spin : sleep_long) <= 0)
			_exit(99);
	for (int i = 0; i < 4; i++)
		while (!some[i].result)
			CALL(sched_yield, 0, 0, 0, 0, 0);
}

static void exit_7(struct task *t)
{
	(void)t;
	CALL(exit, 7, 0, 0, 0, 0);
}

static void wait_and_exit_8(struct task *t)
{
	(void)t;
	for (int i = 0; i < 50; i++)
		CALL(sched_yield, 0, 0, 0, 0, 0);
	CALL(exit, 8, 0, 0, 0, 0);
}

static void crash(struct task *t)
{
	t->result = *(volatile int *)(unsigned long)(t->result + 64);
}

TEST(exit_ends_all_threads)
{
	struct task t;

	CHECK_EXIT(CHILD_STATUS(start_some(); _exit(3)), 3);
	CHECK_EXIT(CHILD_STATUS(start_some(); start(&t, exit_7); for (;;) pause()), 7);
	CHECK_EXIT(CHILD_STATUS(start_some(); start(&t, exit_7); for (;;)), 7);
}

TEST(a_fatal_signal_ends_all_threads)
{
	struct task t;

	CHECK_KILLED(CHILD_STATUS(start_some(); kill(getpid(), SIGTERM); pause()), SIGTERM);
	CHECK_KILLED(CHILD_STATUS(start_some(); kill(getpid(), SIGKILL); pause()), SIGKILL);
	CHECK_KILLED(CHILD_STATUS(start_some(); start(&t, crash); pause()), SIGSEGV);
}

TEST(the_first_thread_may_end_first)
{
	struct task t;

	CHECK_EXIT(CHILD_STATUS(start(&t, wait_and_exit_8); CALL(thread_exit, 0, 0, 0, 0, 0)), 8);
	/* The last one's end is the process's. */
	CHECK_EXIT(CHILD_STATUS(start(&t, say_tid); CALL(thread_exit, 0, 0, 0, 0, 0)), 0);
	CHECK_EXIT(CHILD_STATUS(CALL(thread_exit, 0, 0, 0, 0, 0)), 0);
}

static int threads_of(pid_t pid)
{
	char path[32], text[1024], *at;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	fd = open(path, O_RDONLY);
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = 0;
	at = strstr(text, "Threads:");
	return at ? atoi(at + 8) : -1;
}

static void fork_and_look(struct task *t)
{
	long pid = CALL(fork, 0, 0, 0, 0, 0);
	int status;

	if (pid == 0) {
		if (CALL(gettid, 0, 0, 0, 0, 0) != CALL(getpid, 0, 0, 0, 0, 0))
			CALL(exit, 40, 0, 0, 0, 0);
		for (;;)
			CALL(sched_yield, 0, 0, 0, 0, 0);
	}
	t->result = threads_of((pid_t)pid);
	CALL(kill, pid, SIGKILL, 0, 0, 0);
	CALL(wait4, pid, &status, 0, 0, 0);
	if (status != SIGKILL)
		t->result = -2;
}

TEST(fork_copies_the_caller_only)
{
	int status = CHILD_STATUS({
		struct task t;

		start_some();
		CHILD_CHECK(threads_of(getpid()) == 5);
		start(&t, fork_and_look);
		join(&t);
		_exit(t.result == 1 ? 0 : 50 + t.result);
	});

	CHECK_EXIT(status, 0);
}

static char *const shell[] = {"sh", "-c", "test $$ = $WANT && exit 5; exit 6", NULL};
static char want[32];
static char *const environment[] = {want, "PATH=/bin:/usr/bin", NULL};

static void execute(struct task *t)
{
	(void)t;
	CALL(execve, "/bin/sh", shell, environment, 0, 0);
}

static void execute_nothing(struct task *t)
{
	t->result = (int)CALL(execve, "/nowhere", shell, environment, 0, 0);
}

TEST(exec_ends_the_others_and_keeps_the_pid)
{
	struct task t;

	CHECK_EXIT(CHILD_STATUS(snprintf(want, sizeof(want), "WANT=%d", getpid()); start_some();
				start(&t, execute); for (;;) pause()),
		   5);
	CHECK_EXIT(CHILD_STATUS(snprintf(want, sizeof(want), "WANT=%d", getpid()); start_some();
				execute(&t); _exit(9)),
		   5);
	/* With the first thread gone already. */
	CHECK_EXIT(CHILD_STATUS(snprintf(want, sizeof(want), "WANT=%d", getpid()); start_some();
				start(&t, execute); CALL(thread_exit, 0, 0, 0, 0, 0)),
		   5);
	/* An exec that fails leaves all as it is. */
	CHECK_EXIT(CHILD_STATUS(start_some(); start(&t, execute_nothing); join(&t);
				CHILD_CHECK(threads_of(getpid()) == 5);
				_exit(t.result == -ENOENT ? 0 : 1)),
		   0);
}

TEST(exec_by_all_at_once)
{
	for (int round = 0; round < 10; round++)
		CHECK_EXIT(CHILD_STATUS({
				   static struct task t[8];

				   snprintf(want, sizeof(want), "WANT=%d", getpid());
				   for (int i = 0; i < 8; i++)
					   start(&t[i], execute);
				   for (;;)
					   pause();
			   }),
			   5);
}

TEST(exec_against_exit)
{
	for (int round = 0; round < 20; round++) {
		int status = CHILD_STATUS({
			static struct task t[4];

			snprintf(want, sizeof(want), "WANT=%d", getpid());
			for (int i = 0; i < 4; i++)
				start(&t[i], i % 2 ? execute : wait_and_exit_8);
			for (;;)
				pause();
		});

		CHECK(WIFEXITED(status) && (WEXITSTATUS(status) == 5 || WEXITSTATUS(status) == 8));
	}
}

/* ---- signals ---- */

static volatile int handler_tid, handler_code, handler_pid;

static void note_tid(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	handler_code = info->si_code;
	handler_pid = info->si_pid;
	handler_tid = (int)CALL(gettid, 0, 0, 0, 0, 0);
}

static void catch_with_info(int sig)
{
	struct sigaction act;

	memset(&act, 0, sizeof(act));
	act.sa_sigaction = note_tid;
	act.sa_flags = SA_SIGINFO;
	sigaction(sig, &act, NULL);
	handler_tid = handler_code = handler_pid = 0;
}

static void mask(int how, int sig)
{
	unsigned long set = 1ul << sig;

	CALL(sigprocmask, how, &set, 0, 0, 0);
}

static void wait_for_handler(struct task *t)
{
	t->result = 1;
	while (!handler_tid)
		t->result = (int)futex(&there, FUTEX_WAIT | FUTEX_PRIVATE, 0) ?: 1;
}

TEST(a_signal_for_a_thread)
{
	struct task t;
	long tid;

	there = 0;
	catch_with_info(SIGUSR1);
	tid = start(&t, wait_for_handler);
	let_them_sleep(&t, 1);
	CHECK_EQ(CALL(tkill, tid, 0, 0, 0, 0), 0);
	CHECK_EQ(CALL(tkill, tid, SIGUSR1, 0, 0, 0), 0);
	join(&t);
	CHECK_EQ(handler_tid, tid);
	CHECK_EQ(handler_code, SI_TKILL);
	CHECK_EQ(handler_pid, getpid());
	CHECK_EQ(t.result, -EINTR);
	CHECK_EQ(CALL(tkill, tid, SIGUSR1, 0, 0, 0), -ESRCH);
	CHECK_EQ(CALL(tkill, getppid(), SIGUSR1, 0, 0, 0), -ESRCH);
	CHECK_EQ(CALL(tkill, getpid(), 64, 0, 0, 0), -EINVAL);
	CHECK_EQ(CALL(tkill, 0, SIGUSR1, 0, 0, 0), -EINVAL);
}

TEST(who_does_not_block_it_takes_it)
{
	struct task t;
	long tid;

	there = 0;
	catch_with_info(SIGUSR1);
	tid = start(&t, wait_for_handler);
	let_them_sleep(&t, 1);
	mask(SIG_BLOCK, SIGUSR1);
	kill(getpid(), SIGUSR1);
	join(&t);
	CHECK_EQ(handler_tid, tid);
	CHECK_EQ(handler_code, SI_USER);
	mask(SIG_UNBLOCK, SIGUSR1);
}

static void block_and_wait(struct task *t)
{
	mask(SIG_BLOCK, SIGUSR1);
	t->result = 1;
	futex(&here, FUTEX_WAIT | FUTEX_PRIVATE, 0);
	mask(SIG_UNBLOCK, SIGUSR1);
}

TEST(a_thread_that_unblocks_takes_what_waits)
{
	struct task t;
	long tid;

	here = 0;
	catch_with_info(SIGUSR1);
	mask(SIG_BLOCK, SIGUSR1);
	tid = start(&t, block_and_wait);
	let_them_sleep(&t, 1);
	kill(getpid(), SIGUSR1);
	sleep_ms(10);
	CHECK_EQ(handler_tid, 0);
	here = 1;
	futex(&here, FUTEX_WAKE | FUTEX_PRIVATE, 1);
	join(&t);
	CHECK_EQ(handler_tid, tid);
	mask(SIG_UNBLOCK, SIGUSR1);
}

static void wait_for_one(struct task *t)
{
	unsigned long set = 1ul << SIGUSR1 | 1ul << SIGRTMIN;

	t->result = -1;
	t->result = (int)CALL(sigtimedwait, &set, 0, 0, 0, 0);
}

TEST(threads_in_sigwait_share_signals)
{
	struct task t[3];

	mask(SIG_BLOCK, SIGUSR1);
	mask(SIG_BLOCK, SIGRTMIN);
	for (int i = 0; i < 3; i++)
		start(&t[i], wait_for_one);
	let_them_sleep(t, 3);
	kill(getpid(), SIGUSR1);
	kill(getpid(), SIGRTMIN);
	kill(getpid(), SIGRTMIN);
	for (int i = 0; i < 3; i++)
		join(&t[i]);
	CHECK_EQ(t[0].result + t[1].result + t[2].result, SIGUSR1 + 2 * SIGRTMIN);
	mask(SIG_UNBLOCK, SIGUSR1);
	mask(SIG_UNBLOCK, SIGRTMIN);
}

TEST(a_stop_is_for_all)
{
	int *shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status, seen;
	pid_t pid;

	pid = START({
		start_some();
		for (;;) {
			shared[0] = counter;
			CALL(sched_yield, 0, 0, 0, 0, 0);
		}
	});
	while (!shared[0])
		sleep_ms(1);
	kill(pid, SIGSTOP);
	CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
	CHECK(WIFSTOPPED(status));
	sleep_ms(20);
	seen = shared[0];
	sleep_ms(50);
	CHECK_EQ(shared[0], seen);
	kill(pid, SIGCONT);
	CHECK_EQ(waitpid(pid, &status, WCONTINUED), pid);
	CHECK(WIFCONTINUED(status));
	for (int i = 0; i < 1000 && shared[0] == seen; i++)
		sleep_ms(1);
	CHECK(shared[0] != seen);
	kill(pid, SIGSTOP);
	waitpid(pid, &status, WUNTRACED);
	kill(pid, SIGKILL);
	CHECK_KILLED(wait_status(pid), SIGKILL);
	munmap(shared, PAGE);
}

#else
#include "guest.h"

TEST(linux_has_others)
{
}
#endif
