/* SPDX-License-Identifier: MIT */
/*
 * Signals that queue, and what a receiver is told: real-time signals, sigqueue, sigwaitinfo and
 * sigtimedwait, siginfo of faults, children, kill and raise, waitid.
 */
#include "guest.h"

#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>

static siginfo_t infos[64];
static volatile sig_atomic_t got;

static void keep_info(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	if (got < (int)ARRAY_LEN(infos))
		infos[got] = *info;
	got++;
}

static void catch (int sig, int flags)
{
	struct sigaction act;

	memset(&act, 0, sizeof(act));
	act.sa_sigaction = keep_info;
	act.sa_flags = SA_SIGINFO | flags;
	/* Not one inside the other: the order in which they are taken is to be seen. */
	sigfillset(&act.sa_mask);
	sigaction(sig, &act, NULL);
	got = 0;
}

static void mask(int how, int sig)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	sigprocmask(how, &set, NULL);
}

static int queue(int sig, int value)
{
	return sigqueue(getpid(), sig, (union sigval){.sival_int = value});
}

TEST(there_are_real_time_signals)
{
	CHECK(SIGRTMAX - SIGRTMIN >= 8 - 1);
	CHECK(SIGRTMIN > SIGUSR2);
	CHECK(sysconf(_SC_RTSIG_MAX) >= 8);
	CHECK(sysconf(_SC_SIGQUEUE_MAX) >= 32);
	CHECK(sysconf(_SC_REALTIME_SIGNALS) > 0);
}

TEST(real_time_signals_queue_in_order)
{
	catch (SIGRTMIN, 0);
	catch (SIGRTMIN + 1, 0);
	catch (SIGRTMAX, 0);
	for (int s = SIGRTMIN; s <= SIGRTMAX; s++)
		mask(SIG_BLOCK, s);
	CHECK_EQ(queue(SIGRTMAX, 1), 0);
	CHECK_EQ(queue(SIGRTMIN + 1, 2), 0);
	CHECK_EQ(queue(SIGRTMIN + 1, 3), 0);
	CHECK_EQ(queue(SIGRTMIN, 4), 0);
	CHECK_EQ(queue(SIGRTMIN + 1, 5), 0);
	CHECK_EQ(got, 0);
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	REQUIRE_EQ(got, 5);
	CHECK_EQ(infos[0].si_signo, SIGRTMIN);
	CHECK_EQ(infos[0].si_value.sival_int, 4);
	CHECK_EQ(infos[1].si_value.sival_int, 2);
	CHECK_EQ(infos[2].si_value.sival_int, 3);
	CHECK_EQ(infos[3].si_value.sival_int, 5);
	CHECK_EQ(infos[4].si_signo, SIGRTMAX);
	CHECK_EQ(infos[4].si_value.sival_int, 1);
	CHECK_EQ(infos[4].si_code, SI_QUEUE);
	CHECK_EQ(infos[4].si_pid, getpid());
	CHECK_EQ(infos[4].si_uid, getuid());
}

TEST(others_do_not_queue)
{
	catch (SIGUSR1, 0);
	mask(SIG_BLOCK, SIGUSR1);
	CHECK_EQ(queue(SIGUSR1, 1), 0);
	CHECK_EQ(queue(SIGUSR1, 2), 0);
	CHECK_EQ(kill(getpid(), SIGUSR1), 0);
	mask(SIG_UNBLOCK, SIGUSR1);
	CHECK_EQ(got, 1);
	CHECK_EQ(infos[0].si_value.sival_int, 1);
}

TEST(sigqueue_errors)
{
	union sigval v = {.sival_int = 0};

	CHECK_EQ(sigqueue(getpid(), 0, v), 0);
	CHECK_ERRNO(sigqueue(getpid(), NSIG + 1, v), EINVAL);
	CHECK_ERRNO(sigqueue(getpid(), -1, v), EINVAL);
	CHECK_ERRNO(sigqueue(99999999, SIGUSR1, v), ESRCH);
	if (getuid() == 0)
		CHECK_EXIT(CHILD_STATUS({
				   CHILD_CHECK(setuid(1000) == 0);
				   CHILD_CHECK(sigqueue(1, SIGUSR1, v) == -1 && errno == EPERM);
			   }),
			   0);
}

/* Nobody may fill the kernel with what he never takes; and what was taken in is all there. */
TEST(the_queue_has_an_end)
{
	struct rlimit few = {200, 200};
	int status;

	(void)few;
	status = CHILD_STATUS({
		siginfo_t info;
		sigset_t set;
		int n = 0, taken = 0;

#ifdef RLIMIT_SIGPENDING
		setrlimit(RLIMIT_SIGPENDING, &few);
#endif
		sigemptyset(&set);
		sigaddset(&set, SIGRTMIN);
		sigprocmask(SIG_BLOCK, &set, NULL);
		while (n < 100000 && queue(SIGRTMIN, n) == 0)
			n++;
		CHILD_CHECK(errno == EAGAIN && n >= 32);
		/* kill never fails for this reason. */
		CHILD_CHECK(kill(getpid(), SIGRTMIN) == 0);
		CHILD_CHECK(kill(getpid(), SIGRTMIN + 1 - 1) == 0);
		while (taken < n) {
			CHILD_CHECK(sigwaitinfo(&set, &info) == SIGRTMIN);
			CHILD_CHECK(info.si_value.sival_int == taken);
			taken++;
		}
		CHILD_CHECK(queue(SIGRTMIN, 1) == 0);
	});
	CHECK_EXIT(status, 0);
}

TEST(sigtimedwait_takes_what_waits)
{
	struct timespec none = {0, 0}, some = {0, 30000000}, bad = {0, -1};
	siginfo_t info;
	sigset_t set;
	long long t0;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGRTMIN + 2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	CHECK_ERRNO(sigtimedwait(&set, &info, &none), EAGAIN);
	CHECK_ERRNO(sigtimedwait(&set, &info, &bad), EINVAL);
	t0 = now_ns();
	CHECK_ERRNO(sigtimedwait(&set, &info, &some), EAGAIN);
	CHECK(now_ns() - t0 >= 30000000);
	queue(SIGRTMIN + 2, 77);
	kill(getpid(), SIGUSR1);
	CHECK_EQ(sigtimedwait(&set, &info, &some), SIGUSR1);
	CHECK_EQ(info.si_signo, SIGUSR1);
	CHECK_EQ(info.si_code, SI_USER);
	CHECK_EQ(info.si_pid, getpid());
	CHECK_EQ(sigtimedwait(&set, NULL, &none), SIGRTMIN + 2);
	queue(SIGRTMIN + 2, 78);
	CHECK_EQ(sigwaitinfo(&set, &info), SIGRTMIN + 2);
	CHECK_EQ(info.si_value.sival_int, 78);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static void nothing(int sig)
{
	(void)sig;
}

TEST(sigtimedwait_is_interrupted)
{
	struct timespec long_ = {10, 0};
	struct itimerval soon = {{0, 0}, {0, 20000}};
	sigset_t set;

	handle(SIGALRM, nothing, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	setitimer(ITIMER_REAL, &soon, NULL);
	CHECK_ERRNO(sigtimedwait(&set, NULL, &long_), EINTR);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	handle(SIGALRM, SIG_DFL, 0);
}

TEST(a_child_wakes_sigwaitinfo)
{
	siginfo_t info;
	sigset_t set;
	pid_t pid;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	pid = START({
		sleep_ms(20);
		_exit(9);
	});
	CHECK_EQ(sigwaitinfo(&set, &info), SIGCHLD);
	CHECK_EQ(info.si_pid, pid);
	CHECK_EQ(info.si_code, CLD_EXITED);
	CHECK_EQ(info.si_status, 9);
	CHECK_EQ(info.si_uid, getuid());
	wait_status(pid);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static char *fault_page;

static void check_and_mend(int sig, siginfo_t *info, void *context)
{
	keep_info(sig, info, context);
	mprotect(fault_page, PAGE, PROT_READ | PROT_WRITE);
}

static void check_and_leave(int sig, siginfo_t *info, void *context)
{
	keep_info(sig, info, context);
	_exit(info->si_code == FPE_INTDIV && info->si_addr ? 0 : 1);
}

TEST(siginfo_of_faults)
{
	struct sigaction act;
	volatile int zero = 0;

	memset(&act, 0, sizeof(act));
	act.sa_sigaction = check_and_mend;
	act.sa_flags = SA_SIGINFO;
	got = 0;
	sigaction(SIGSEGV, &act, NULL);
	fault_page = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	REQUIRE(fault_page != MAP_FAILED);
	*(volatile char *)(fault_page + 5) = 1;
	CHECK_EQ(got, 1);
	CHECK_EQ(infos[0].si_code, SEGV_ACCERR);
	CHECK(infos[0].si_addr == fault_page + 5);
	handle(SIGSEGV, SIG_DFL, 0);
	munmap(fault_page, PAGE);
	act.sa_sigaction = check_and_leave;
	CHECK_EXIT(CHILD_STATUS(sigaction(SIGFPE, &act, NULL); zero = 7 / zero), 0);
	/* Blocked or ignored, a fault kills all the same. */
	CHECK_KILLED(CHILD_STATUS(signal(SIGFPE, SIG_IGN); zero = 7 / zero), SIGFPE);
	CHECK_KILLED(CHILD_STATUS(mask(SIG_BLOCK, SIGFPE); zero = 7 / zero), SIGFPE);
}

static volatile int expected_code;

static void check_code(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	_exit(info->si_code == expected_code ? 0 : 100 + info->si_code);
}

/* By the x87 unit, with invalid operation, division by zero and overflow unmasked. */
static void divide(double a, double b, int code)
{
	struct sigaction act;
	unsigned short control = 0x37f & ~0xdu;

	memset(&act, 0, sizeof(act));
	act.sa_sigaction = check_code;
	act.sa_flags = SA_SIGINFO;
	sigaction(SIGFPE, &act, NULL);
	expected_code = code;
	__asm__ volatile("fldcw %0\n\tfldl %2\n\tfldl %1\n\tfdivp\n\tfstpl %2\n\tfwait"
			 :
			 : "m"(control), "m"(a), "m"(b)
			 : "memory");
	_exit(99);
}

TEST(floating_point_exceptions)
{
	CHECK_EXIT(CHILD_STATUS(divide(1, 0, FPE_FLTDIV)), 0);
	CHECK_EXIT(CHILD_STATUS(divide(0, 0, FPE_FLTINV)), 0);
	CHECK_EXIT(CHILD_STATUS(divide(1e300, 1e-300, FPE_FLTOVF)), 0);
}

TEST(names_of_signals)
{
	siginfo_t info = {.si_signo = SIGTERM};
	char text[256] = "";
	int out[2], saved = dup(2);

	REQUIRE_EQ(pipe(out), 0);
	dup2(out[1], 2);
	psignal(SIGHUP, "one");
	psiginfo(&info, "two");
	fflush(stderr);
	dup2(saved, 2);
	close(out[1]);
	for (ssize_t n, at = 0; (n = read(out[0], text + at, sizeof(text) - 1 - (size_t)at)) > 0;)
		at += n;
	CHECK_THAT(strstr(text, "one: Hangup\n") == text, "%s", text);
	CHECK_THAT(strstr(text, "two: Terminated"), "%s", text);
	close(out[0]);
	close(saved);
}

/* ---- waitid ---- */

static int my_waitid(idtype_t type, id_t id, siginfo_t *info, int options)
{
	memset(info, 0x55, sizeof(*info));
	return waitid(type, id, info, options);
}

TEST(waitid_sees_every_change)
{
	siginfo_t info;
	pid_t pid = START({
		for (;;)
			pause();
	});

	CHECK_EQ(my_waitid(P_PID, pid, &info, WEXITED | WSTOPPED | WCONTINUED | WNOHANG), 0);
	CHECK_EQ(info.si_pid, 0);
	kill(pid, SIGSTOP);
	CHECK_EQ(my_waitid(P_PID, pid, &info, WSTOPPED), 0);
	CHECK_EQ(info.si_signo, SIGCHLD);
	CHECK_EQ(info.si_code, CLD_STOPPED);
	CHECK_EQ(info.si_status, SIGSTOP);
	CHECK_EQ(info.si_pid, pid);
	CHECK_EQ(info.si_uid, getuid());
	CHECK_EQ(my_waitid(P_PID, pid, &info, WSTOPPED | WNOHANG), 0);
	CHECK_EQ(info.si_pid, 0);
	kill(pid, SIGCONT);
	CHECK_EQ(my_waitid(P_PGID, getpgrp(), &info, WCONTINUED), 0);
	CHECK_EQ(info.si_code, CLD_CONTINUED);
	CHECK_EQ(info.si_status, SIGCONT);
	kill(pid, SIGTERM);
	/* WNOWAIT leaves it where it is. */
	CHECK_EQ(my_waitid(P_ALL, 0, &info, WEXITED | WNOWAIT), 0);
	CHECK_EQ(info.si_code, CLD_KILLED);
	CHECK_EQ(info.si_status, SIGTERM);
	CHECK_EQ(my_waitid(P_ALL, 0, &info, WEXITED), 0);
	CHECK_EQ(info.si_pid, pid);
	CHECK_ERRNO(my_waitid(P_ALL, 0, &info, WEXITED), ECHILD);
	pid = START(_exit(0x1234));
	CHECK_EQ(my_waitid(P_PID, pid, &info, WEXITED), 0);
	CHECK_EQ(info.si_code, CLD_EXITED);
	CHECK_EQ(info.si_status & 0xff, 0x34);
}

TEST(waitid_errors)
{
	siginfo_t info;
	pid_t pid = START(_exit(0));

	CHECK_ERRNO(my_waitid(P_ALL, 0, &info, 0), EINVAL);
	CHECK_ERRNO(my_waitid(P_ALL, 0, &info, WNOHANG), EINVAL);
	CHECK_ERRNO(my_waitid((idtype_t)77, 0, &info, WEXITED), EINVAL);
	CHECK_ERRNO(my_waitid(P_ALL, 0, &info, WEXITED | 0x400000), EINVAL);
	CHECK_ERRNO(my_waitid(P_PID, getpid(), &info, WEXITED), ECHILD);
	CHECK_ERRNO(my_waitid(P_PGID, 99999, &info, WEXITED), ECHILD);
	CHECK_EXIT(wait_status(pid), 0);
}

TEST(a_parent_that_ignores_its_children)
{
	siginfo_t info;

	signal(SIGCHLD, SIG_IGN);
	START(sleep_ms(20));
	/* Waits until the last is gone, and has nothing to say. */
	CHECK_ERRNO(my_waitid(P_ALL, 0, &info, WEXITED), ECHILD);
	signal(SIGCHLD, SIG_DFL);
}

/* ---- altogether ---- */

TEST(pending_is_what_waits_and_is_blocked)
{
	sigset_t set;

	handle(SIGUSR1, nothing, 0);
	mask(SIG_BLOCK, SIGUSR1);
	mask(SIG_BLOCK, SIGRTMIN + 3);
	kill(getpid(), SIGUSR1);
	queue(SIGRTMIN + 3, 0);
	CHECK_EQ(sigpending(&set), 0);
	CHECK(sigismember(&set, SIGUSR1) == 1 && sigismember(&set, SIGRTMIN + 3) == 1);
	CHECK_EQ(sigismember(&set, SIGUSR2), 0);
	/* A child begins with none. */
	CHECK_EXIT(CHILD_STATUS({
			   sigpending(&set);
			   CHILD_CHECK(!sigismember(&set, SIGUSR1));
			   CHILD_CHECK(!sigismember(&set, SIGRTMIN + 3));
		   }),
		   0);
	/* To ignore a signal is to forget those that wait. */
	signal(SIGUSR1, SIG_IGN);
	signal(SIGRTMIN + 3, SIG_IGN);
	sigpending(&set);
	CHECK(!sigismember(&set, SIGUSR1) && !sigismember(&set, SIGRTMIN + 3));
	signal(SIGUSR1, SIG_DFL);
	signal(SIGRTMIN + 3, SIG_DFL);
	mask(SIG_UNBLOCK, SIGUSR1);
	mask(SIG_UNBLOCK, SIGRTMIN + 3);
}

TEST(stops_and_continues_cancel_each_other)
{
	pid_t pid = START({
		mask(SIG_BLOCK, SIGTSTP);
		mask(SIG_BLOCK, SIGCONT);
		kill(getpid(), SIGTSTP);
		kill(getpid(), SIGCONT);
		sigset_t set;
		sigpending(&set);
		CHILD_CHECK(!sigismember(&set, SIGTSTP));
		kill(getpid(), SIGTSTP);
		sigpending(&set);
		CHILD_CHECK(!sigismember(&set, SIGCONT) && sigismember(&set, SIGTSTP));
		_exit(4);
	});

	CHECK_EXIT(wait_status(pid), 4);
}

TEST(signals_against_exit)
{
	for (int round = 0; round < 100; round++) {
		pid_t pid = START({
			catch (SIGRTMIN, 0);
			if (round % 2)
				sched_yield();
			_exit(0);
		});

		for (int i = 0; i < 20; i++)
			sigqueue(pid, SIGRTMIN, (union sigval){.sival_int = i});
		int status = wait_status(pid);
		CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 0) ||
		      (WIFSIGNALED(status) && WTERMSIG(status) == SIGRTMIN));
	}
}
