/* SPDX-License-Identifier: MIT */
/*
 * Job control without a terminal: who may be moved to which group, stops and what the parent hears
 * of them, groups that nobody is left to continue. What terminals do with groups is in t_tty and
 * t_pty.
 */
#include "guest.h"

static int fds[2];

/* One byte from one who is on the other end. */
static char hear(void)
{
	char c = 0;

	return read(fds[0], &c, 1) == 1 ? c : 0;
}

static void say(char c)
{
	if (write(fds[1], &c, 1) != 1)
		_exit(98);
}

static void wait_forever(void)
{
	for (;;)
		pause();
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	wait_status(pid);
}

TEST(who_may_be_moved_to_a_group)
{
	pid_t child = START(wait_forever()), other = START(wait_forever());

	CHECK_EQ(setpgid(child, 0), 0);
	CHECK_EQ(getpgid(child), child);
	CHECK_EQ(setpgid(child, child), 0); /* again */
	CHECK_EQ(setpgid(other, child), 0);
	CHECK_EQ(getpgid(other), child);
	CHECK_EQ(setpgid(other, getpgrp()), 0);
	CHECK_ERRNO(setpgid(child, -1), EINVAL);
	CHECK_ERRNO(setpgid(99999999, 0), ESRCH);
	CHECK_ERRNO(setpgid(getppid(), 0), ESRCH); /* no child of ours */
	CHECK_ERRNO(setpgid(child, other), EPERM); /* there is no such group */
	CHECK_ERRNO(setpgid(child, 1), EPERM);     /* that is in another session */
	CHECK_ERRNO(getpgid(99999999), ESRCH);
	CHECK_ERRNO(getsid(99999999), ESRCH);
	CHECK_EQ(getpgid(0), getpgrp());
	end(child);
	end(other);
}

TEST(session_leaders_stay_where_they_are)
{
	CHECK_EXIT(CHILD_STATUS({
			   CHILD_CHECK(setsid() == getpid());
			   CHILD_CHECK(getpgrp() == getpid() && getsid(0) == getpid());
			   CHILD_CHECK(setpgid(0, 0) == -1 && errno == EPERM);
			   CHILD_CHECK(setsid() == -1 && errno == EPERM);
		   }),
		   0);
	CHECK_EXIT(CHILD_STATUS({
			   setpgid(0, 0);
			   CHILD_CHECK(setsid() == -1 && errno == EPERM);
		   }),
		   0);
}

TEST(not_after_exec)
{
	pid_t pid;

	REQUIRE_EQ(pipe(fds), 0);
	pid = START({
		dup2(fds[1], 1);
		execl("/bin/sh", "sh", "-c", "echo; read x", NULL);
	});
	CHECK_EQ(hear(), '\n');
	CHECK_ERRNO(setpgid(pid, 0), EACCES);
	end(pid);
	close(fds[0]);
	close(fds[1]);
}

static volatile sig_atomic_t children, code;

static void on_child(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	children++;
	code = info->si_code;
}

static void catch_children(int flags)
{
	struct sigaction act;

	memset(&act, 0, sizeof(act));
	act.sa_sigaction = on_child;
	act.sa_flags = SA_SIGINFO | SA_RESTART | flags;
	sigaction(SIGCHLD, &act, NULL);
	children = code = 0;
}

TEST(the_parent_hears_of_stops)
{
	int status = 0;
	pid_t pid = START(wait_forever());

	catch_children(0);
	CHECK_EQ(waitpid(pid, &status, WUNTRACED | WCONTINUED | WNOHANG), 0);
	kill(pid, SIGSTOP);
	CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
	CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
	CHECK_EQ(children, 1);
	CHECK_EQ(code, CLD_STOPPED);
	/* Said once; and to be stopped again is nothing new. */
	kill(pid, SIGTSTP);
	CHECK_EQ(waitpid(pid, &status, WUNTRACED | WNOHANG), 0);
	kill(pid, SIGCONT);
	CHECK_EQ(waitpid(pid, &status, WCONTINUED), pid);
	CHECK(WIFCONTINUED(status));
	/* Elsewhere, on several processors, the signal may come after what it tells of. */
	for (int i = 0; i < 100 && children < 2; i++)
		sleep_ms(5);
	CHECK_EQ(children, 2);
	CHECK_EQ(code, CLD_CONTINUED);
	catch_children(SA_NOCLDSTOP);
	kill(pid, SIGSTOP);
	CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
	CHECK_EQ(children, 0);
	/* Stopped, it takes no signal but the last. */
	kill(pid, SIGTERM);
	sleep_ms(20);
	CHECK_EQ(waitpid(pid, &status, WNOHANG), 0);
	kill(pid, SIGCONT);
	CHECK_KILLED(wait_status(pid), SIGTERM);
	CHECK_EQ(children, 1);
	CHECK_EQ(code, CLD_KILLED);
	signal(SIGCHLD, SIG_DFL);
}

TEST(a_child_nobody_waits_for)
{
	catch_children(SA_NOCLDWAIT);
	START(_exit(0));
	CHECK_ERRNO(waitpid(-1, NULL, 0), ECHILD);
	signal(SIGCHLD, SIG_DFL);
}

static void in_handler(int sig)
{
	say(sig == SIGHUP ? 'h' : sig == SIGCONT ? 'c' : '?');
}

/* The test's process has a parent of its own session, so a group of its children is not orphaned;
 * that of a grandchild is, once the child between has ended. */
TEST(a_stopped_group_that_is_orphaned_goes_on)
{
	char first, second;
	pid_t child;

	REQUIRE_EQ(pipe(fds), 0);
	child = START({
		int status;
		pid_t pid;

		setsid();
		pid = fork();
		if (pid == 0) {
			setpgid(0, 0);
			handle(SIGHUP, in_handler, SA_RESTART);
			handle(SIGCONT, in_handler, SA_RESTART);
			kill(getpid(), SIGTSTP);
			say('r');
			/* Orphaned now: the keyboard's stop is not taken any more. */
			kill(getpid(), SIGTSTP);
			say('e');
			_exit(0);
		}
		waitpid(pid, &status, WUNTRACED);
		_exit(WIFSTOPPED(status) ? 0 : 1);
	});
	CHECK_EXIT(wait_status(child), 0);
	first = hear();
	second = hear();
	CHECK((first == 'h' && second == 'c') || (first == 'c' && second == 'h'));
	CHECK_EQ(hear(), 'r');
	CHECK_EQ(hear(), 'e');
	close(fds[0]);
	close(fds[1]);
}

TEST(a_group_that_runs_is_left_alone)
{
	pid_t child;

	REQUIRE_EQ(pipe(fds), 0);
	child = START({
		setsid();
		if (fork() == 0) {
			setpgid(0, 0);
			handle(SIGHUP, in_handler, SA_RESTART);
			say('g');
			while (getppid() != 1)
				sleep_ms(1);
			sleep_ms(10);
			say('e');
			_exit(0);
		}
		CHILD_CHECK(hear() == 'g');
	});
	CHECK_EXIT(wait_status(child), 0);
#ifdef __parvix__
	CHECK_EQ(hear(), 'e');
#endif
	close(fds[0]);
	close(fds[1]);
}

TEST(killpg_reaches_the_group)
{
	pid_t pid[3];

	for (int i = 0; i < 3; i++) {
		pid[i] = START(wait_forever());
		setpgid(pid[i], pid[0]);
	}
	CHECK_EQ(killpg(pid[0], SIGTERM), 0);
	for (int i = 0; i < 3; i++)
		CHECK_KILLED(wait_status(pid[i]), SIGTERM);
	CHECK_ERRNO(killpg(pid[0], SIGTERM), ESRCH);
	CHECK_ERRNO(killpg(getpgrp(), NSIG + 1), EINVAL);
}
