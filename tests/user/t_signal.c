/* SPDX-License-Identifier: MIT */
/* Signals: handlers, masks, pending, restart, what a handler learns, timers, defaults. */
#include "guest.h"

#include <sys/time.h>

static volatile sig_atomic_t hits, last_signal, nested, order[8];
static volatile sig_atomic_t seen_code, seen_pid, seen_status;

static void on_signal(int sig)
{
	if (hits < (int)ARRAY_LEN(order))
		order[hits] = sig;
	hits++;
	last_signal = sig;
}

static void on_info(int sig, siginfo_t *info, void *context)
{
	(void)context;
	on_signal(sig);
	seen_code = info->si_code;
	seen_pid = info->si_pid;
	seen_status = info->si_status;
}

static void handle_info(int sig, int flags)
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_sigaction = on_info;
	action.sa_flags = SA_SIGINFO | flags;
	sigemptyset(&action.sa_mask);
	sigaction(sig, &action, NULL);
}

static sigset_t set_of(int sig)
{
	sigset_t set;

	sigemptyset(&set);
	if (sig)
		sigaddset(&set, sig);
	return set;
}

static void block(int how, int sig)
{
	sigset_t set = set_of(sig);

	sigprocmask(how, &set, NULL);
}

TEST(handler_is_called)
{
	hits = 0;
	handle(SIGUSR1, on_signal, 0);
	CHECK_EQ(kill(getpid(), SIGUSR1), 0);
	CHECK_EQ(hits, 1);
	CHECK_EQ(last_signal, SIGUSR1);
	CHECK_EQ(raise(SIGUSR1), 0);
	CHECK_EQ(hits, 2);
	signal(SIGUSR1, SIG_IGN);
	raise(SIGUSR1);
	CHECK_EQ(hits, 2);
	signal(SIGUSR1, SIG_DFL);
}

TEST(sigaction_returns_the_old_one)
{
	struct sigaction old, new = {.sa_handler = on_signal, .sa_flags = SA_RESTART};

	sigemptyset(&new.sa_mask);
	sigaddset(&new.sa_mask, SIGUSR2);
	CHECK_EQ(sigaction(SIGUSR1, &new, &old), 0);
	CHECK(old.sa_handler == SIG_DFL);
	CHECK_EQ(sigaction(SIGUSR1, NULL, &old), 0);
	CHECK(old.sa_handler == on_signal);
	CHECK(old.sa_flags & SA_RESTART);
	CHECK(sigismember(&old.sa_mask, SIGUSR2) == 1 && sigismember(&old.sa_mask, SIGUSR1) == 0);
	signal(SIGUSR1, SIG_DFL);
}

TEST(some_cannot_be_caught)
{
	struct sigaction action = {.sa_handler = on_signal};

	CHECK_ERRNO(sigaction(SIGKILL, &action, NULL), EINVAL);
	CHECK_ERRNO(sigaction(SIGSTOP, &action, NULL), EINVAL);
	CHECK_ERRNO(sigaction(0, &action, NULL), EINVAL);
	CHECK_ERRNO(sigaction(200, &action, NULL), EINVAL);
	CHECK_ERRNO(sigaction(-1, &action, NULL), EINVAL);
	CHECK_EXIT(CHILD_STATUS({
			   sigset_t all;

			   sigfillset(&all);
			   CHILD_CHECK(sigprocmask(SIG_BLOCK, &all, NULL) == 0);
			   CHILD_CHECK(sigprocmask(SIG_BLOCK, NULL, &all) == 0);
			   CHILD_CHECK(sigismember(&all, SIGTERM) == 1 &&
				       sigismember(&all, SIGKILL) == 0);
		   }),
		   0);
}

TEST(kill_errors)
{
	CHECK_EQ(kill(getpid(), 0), 0);
	CHECK_ERRNO(kill(99999, 0), ESRCH);
	CHECK_ERRNO(kill(99999, SIGTERM), ESRCH);
	CHECK_ERRNO(kill(-99999, SIGTERM), ESRCH);
	CHECK_ERRNO(kill(getpid(), 99), EINVAL);
	CHECK_ERRNO(kill(getpid(), -1), EINVAL);
}

TEST(blocked_signals_wait)
{
	sigset_t pending;

	hits = 0;
	handle(SIGUSR1, on_signal, 0);
	block(SIG_BLOCK, SIGUSR1);
	raise(SIGUSR1);
	raise(SIGUSR1);
	CHECK_EQ(hits, 0);
	CHECK_EQ(sigpending(&pending), 0);
	CHECK_EQ(sigismember(&pending, SIGUSR1), 1);
	CHECK_EQ(sigismember(&pending, SIGUSR2), 0);
	block(SIG_UNBLOCK, SIGUSR1);
	CHECK_EQ(hits, 1); /* one, however often it was sent */
	CHECK_EQ(sigpending(&pending), 0);
	CHECK_EQ(sigismember(&pending, SIGUSR1), 0);
	/* Ignored while it waits: it is gone. */
	block(SIG_BLOCK, SIGUSR1);
	raise(SIGUSR1);
	signal(SIGUSR1, SIG_IGN);
	handle(SIGUSR1, on_signal, 0);
	block(SIG_UNBLOCK, SIGUSR1);
	CHECK_EQ(hits, 1);
	signal(SIGUSR1, SIG_DFL);
}

TEST(bad_how)
{
	sigset_t set = set_of(SIGUSR1);

	CHECK_ERRNO(sigprocmask(77, &set, NULL), EINVAL);
	CHECK_EQ(sigprocmask(SIG_BLOCK, NULL, &set), 0);
}

static void on_nested(int sig)
{
	nested++;
	if (sig == SIGUSR1) {
		raise(SIGUSR1); /* is blocked while its handler runs */
		CHECK_EQ(nested, 1);
		raise(SIGUSR2); /* is not */
		CHECK_EQ(nested, 2);
		handle(SIGUSR1, on_signal, 0);
	}
}

TEST(a_signal_is_blocked_in_its_handler)
{
	nested = hits = 0;
	handle(SIGUSR1, on_nested, 0);
	handle(SIGUSR2, on_nested, 0);
	raise(SIGUSR1);
	CHECK_EQ(nested, 2);
	CHECK_EQ(hits, 1); /* the second one came after the first was done */
	signal(SIGUSR1, SIG_DFL);
	signal(SIGUSR2, SIG_DFL);
}

static void on_masked(int sig)
{
	(void)sig;
	raise(SIGUSR2);
	CHECK_EQ(hits, 0);
}

TEST(sa_mask_blocks_others)
{
	struct sigaction action = {.sa_handler = on_masked};

	hits = 0;
	sigemptyset(&action.sa_mask);
	sigaddset(&action.sa_mask, SIGUSR2);
	sigaction(SIGUSR1, &action, NULL);
	handle(SIGUSR2, on_signal, 0);
	raise(SIGUSR1);
	CHECK_EQ(hits, 1);
	signal(SIGUSR1, SIG_DFL);
	signal(SIGUSR2, SIG_DFL);
}

static void on_again(int sig)
{
	if (++nested < 3)
		raise(sig);
}

TEST(nodefer_and_resethand)
{
	nested = 0;
	handle(SIGUSR1, on_again, SA_NODEFER);
	raise(SIGUSR1);
	CHECK_EQ(nested, 3);
	hits = 0;
	handle(SIGUSR1, on_signal, SA_RESETHAND);
	raise(SIGUSR1);
	CHECK_EQ(hits, 1);
	CHECK_KILLED(CHILD_STATUS(raise(SIGUSR1)), SIGUSR1);
	signal(SIGUSR1, SIG_DFL);
}

TEST(a_handler_learns_who_and_what)
{
	pid_t pid;

	handle_info(SIGUSR1, 0);
	hits = 0;
	pid = START(kill(getppid(), SIGUSR1));
	CHECK_EXIT(wait_status(pid), 0);
	CHECK_EQ(hits, 1);
	CHECK_EQ(seen_pid, pid);
	signal(SIGUSR1, SIG_DFL);

	hits = 0;
	handle_info(SIGCHLD, 0);
	pid = START(_exit(6));
	CHECK_EXIT(wait_status(pid), 6);
	CHECK_EQ(hits, 1);
	CHECK_EQ(seen_pid, pid);
	CHECK_EQ(seen_code, CLD_EXITED);
	CHECK_EQ(seen_status, 6);
	signal(SIGCHLD, SIG_DFL);
}

TEST(interrupted_read)
{
	int fds[2];
	char c = 0;
	pid_t pid;

	REQUIRE_EQ(pipe(fds), 0);
	hits = 0;
	handle(SIGUSR1, on_signal, 0);
	pid = START({
		sleep_ms(40);
		kill(getppid(), SIGUSR1);
	});
	CHECK_ERRNO(read(fds[0], &c, 1), EINTR);
	CHECK_EQ(hits, 1);
	CHECK_EXIT(wait_status(pid), 0);

	handle(SIGUSR1, on_signal, SA_RESTART);
	pid = START({
		sleep_ms(40);
		kill(getppid(), SIGUSR1);
		sleep_ms(40);
		CHILD_CHECK(write(fds[1], "y", 1) == 1);
	});
	CHECK_EQ(read(fds[0], &c, 1), 1);
	CHECK_EQ(c, 'y');
	CHECK_EQ(hits, 2);
	CHECK_EXIT(wait_status(pid), 0);
	signal(SIGUSR1, SIG_DFL);
	close(fds[0]);
	close(fds[1]);
}

TEST(interrupted_sleep_says_what_is_left)
{
	struct timespec want = {2, 0}, left = {0, 0};
	pid_t pid;

	handle(SIGUSR1, on_signal, SA_RESTART); /* nanosleep is not restarted in any case */
	pid = START({
		sleep_ms(50);
		kill(getppid(), SIGUSR1);
	});
	CHECK_ERRNO(nanosleep(&want, &left), EINTR);
	CHECK(left.tv_sec == 1 && left.tv_nsec > 0);
	CHECK_EXIT(wait_status(pid), 0);
	signal(SIGUSR1, SIG_DFL);
}

TEST(sigsuspend_waits_with_another_mask)
{
	sigset_t none = set_of(0), now;
	pid_t pid;

	hits = 0;
	handle(SIGUSR1, on_signal, 0);
	block(SIG_BLOCK, SIGUSR1);
	pid = START(kill(getppid(), SIGUSR1));
	CHECK_EXIT(wait_status(pid), 0);
	CHECK_EQ(hits, 0);
	CHECK_ERRNO(sigsuspend(&none), EINTR);
	CHECK_EQ(hits, 1);
	sigprocmask(SIG_BLOCK, NULL, &now);
	CHECK_EQ(sigismember(&now, SIGUSR1), 1); /* the old mask is back */
	block(SIG_UNBLOCK, SIGUSR1);
	signal(SIGUSR1, SIG_DFL);
}

TEST(sigwait_takes_it)
{
	sigset_t set = set_of(SIGUSR1);
	int sig = 0;
	pid_t pid;

	block(SIG_BLOCK, SIGUSR1);
	pid = START({
		sleep_ms(20);
		kill(getppid(), SIGUSR1);
	});
	CHECK_EQ(sigwait(&set, &sig), 0);
	CHECK_EQ(sig, SIGUSR1);
	CHECK_EXIT(wait_status(pid), 0);
	block(SIG_UNBLOCK, SIGUSR1);
}

TEST(alarm_and_interval_timer)
{
	struct itimerval every = {{0, 20000}, {0, 20000}}, off = {{0, 0}, {0, 0}}, now;
	long long start = now_ns();

	hits = 0;
	handle(SIGALRM, on_signal, 0);
	CHECK_EQ(alarm(100), 0);
	CHECK(alarm(0) >= 99);
	CHECK_EQ(setitimer(ITIMER_REAL, &every, NULL), 0);
	CHECK_EQ(getitimer(ITIMER_REAL, &now), 0);
	CHECK(now.it_interval.tv_usec == 20000 && now.it_value.tv_sec == 0);
	while (hits < 3 && now_ns() - start < 5000000000LL)
		pause();
	CHECK_EQ(setitimer(ITIMER_REAL, &off, &now), 0);
	CHECK(hits >= 3);
	CHECK(now_ns() - start >= 55000000LL);
	/* In a busy loop as well, without system calls. */
	every.it_interval.tv_usec = 0;
	hits = 0;
	CHECK_EQ(setitimer(ITIMER_REAL, &every, NULL), 0);
	for (volatile long i = 0; hits == 0 && i < 3000000000L; i++)
		;
	CHECK_EQ(hits, 1);
	CHECK_ERRNO(setitimer(9, &every, NULL), EINVAL);
	every.it_value.tv_usec = 1000000;
	CHECK_ERRNO(setitimer(ITIMER_REAL, &every, NULL), EINVAL);
	signal(SIGALRM, SIG_DFL);
}

TEST(the_alarm_kills_by_default)
{
	CHECK_KILLED(CHILD_STATUS({
			     struct itimerval soon = {{0, 0}, {0, 10000}};

			     setitimer(ITIMER_REAL, &soon, NULL);
			     for (;;)
				     ;
		     }),
		     SIGALRM);
}

TEST(sigchld)
{
	hits = 0;
	handle(SIGCHLD, on_signal, SA_RESTART);
	CHECK_EXIT(CHILD_STATUS(_exit(1)), 1);
	CHECK_EQ(hits, 1);
	signal(SIGCHLD, SIG_IGN); /* nobody wants to wait: they vanish by themselves */
	for (int i = 0; i < 3; i++)
		REQUIRE(START(_exit(1)) > 0);
	CHECK_ERRNO(waitpid(-1, NULL, 0), ECHILD);
	signal(SIGCHLD, SIG_DFL);
	handle(SIGCHLD, on_signal, SA_NOCLDWAIT);
	REQUIRE(START(_exit(1)) > 0);
	CHECK_ERRNO(waitpid(-1, NULL, 0), ECHILD);
	signal(SIGCHLD, SIG_DFL);
	CHECK_EXIT(CHILD_STATUS(_exit(2)), 2);
}

TEST(default_actions)
{
	static const int deadly[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGILL,  SIGTRAP, SIGABRT,
				     SIGBUS,  SIGFPE,  SIGKILL, SIGSEGV, SIGSYS,  SIGPIPE,
				     SIGALRM, SIGTERM, SIGUSR1, SIGUSR2};
	static const int harmless[] = {SIGCHLD, SIGURG, SIGWINCH, SIGCONT};

	for (size_t i = 0; i < ARRAY_LEN(deadly); i++)
		CHECK_KILLED(CHILD_STATUS({
				     signal(deadly[i], SIG_DFL); /* background jobs ignore some */
				     kill(getpid(), deadly[i]);
			     }),
			     deadly[i]);
	for (size_t i = 0; i < ARRAY_LEN(harmless); i++)
		CHECK_EXIT(CHILD_STATUS(kill(getpid(), harmless[i])), 0);
	CHECK_KILLED(CHILD_STATUS(abort()), SIGABRT);
}

TEST(to_a_group)
{
	int fds[2];
	char buf[4];
	pid_t leader;

	REQUIRE_EQ(pipe(fds), 0);
	leader = START({
		setpgid(0, 0);
		for (int i = 0; i < 2; i++)
			if (fork() == 0)
				break;
		if (write(fds[1], "x", 1) == 1)
			for (;;)
				pause();
	});
	close(fds[1]);
	for (int i = 0; i < 3; i++)
		CHECK_EQ(read(fds[0], buf, 1), 1);
	CHECK_EQ(kill(-leader, SIGTERM), 0);
	CHECK_KILLED(wait_status(leader), SIGTERM);
	CHECK_EQ(read(fds[0], buf, 1), 0); /* all of them have gone: nobody holds the pipe */
	close(fds[0]);
}

TEST(fork_and_exec_keep_the_mask)
{
	block(SIG_BLOCK, SIGUSR1);
	raise(SIGUSR1); /* pending here, not in the child */
	CHECK_EXIT(CHILD_STATUS({
			   sigset_t pending;

			   sigpending(&pending);
			   CHILD_CHECK(sigismember(&pending, SIGUSR1) == 0);
			   raise(SIGUSR1);
			   sleep_ms(1);
		   }),
		   0);
	signal(SIGUSR1, SIG_IGN);
	block(SIG_UNBLOCK, SIGUSR1);
	signal(SIGUSR1, SIG_DFL);
}

TEST(many_signals_back_and_forth)
{
	sigset_t none = set_of(0);
	pid_t pid;

	hits = 0;
	handle(SIGUSR1, on_signal, 0);
	block(SIG_BLOCK, SIGUSR1);
	pid = START({
		for (int i = 0; i < 200; i++) {
			kill(getppid(), SIGUSR1);
			sigsuspend(&none);
		}
	});
	for (int i = 0; i < 200; i++) {
		sigsuspend(&none);
		kill(pid, SIGUSR1);
	}
	CHECK_EXIT(wait_status(pid), 0);
	CHECK_EQ(hits, 200);
	block(SIG_UNBLOCK, SIGUSR1);
	signal(SIGUSR1, SIG_DFL);
}
