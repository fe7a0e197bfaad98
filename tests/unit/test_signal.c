/* SPDX-License-Identifier: MIT */
/*
 * Signal sets and default actions.
 * SOURCES: kernel/proc/sigmask.c
 */
#include "test.h"

#include "../../kernel/proc/room.h"

TEST(masks_change_as_sigprocmask_says)
{
	sigset_t out = 0, a = SIGBIT(SIGINT), b = SIGBIT(SIGUSR1);

	CHECK_EQ(sigset_change(a, SIG_BLOCK, b, &out), 0);
	CHECK_EQ(out, a | b);
	CHECK_EQ(sigset_change(a | b, SIG_UNBLOCK, b, &out), 0);
	CHECK_EQ(out, a);
	CHECK_EQ(sigset_change(a, SIG_SETMASK, b, &out), 0);
	CHECK_EQ(out, b);
	CHECK_EQ(sigset_change(a, 3, b, &out), -EINVAL);
	CHECK_EQ(sigset_change(a, -1, b, &out), -EINVAL);
}

TEST(kill_and_stop_cannot_be_blocked)
{
	sigset_t out;

	CHECK_EQ(sigset_change(0, SIG_SETMASK, ~0ul, &out), 0);
	CHECK(!(out & (SIGBIT(SIGKILL) | SIGBIT(SIGSTOP))));
	CHECK_EQ(out & ~SIG_ALL, 0);
	CHECK_EQ(out & 1, 0);
	CHECK(out & SIGBIT(SIGSEGV));
}

TEST(faults_are_taken_first)
{
	CHECK_EQ(sigset_first(0), 0);
	CHECK_EQ(sigset_first(1), 0);
	CHECK_EQ(sigset_first(SIGBIT(SIGRTMAX) | SIGBIT(SIGRTMIN)), SIGRTMIN);
	CHECK_EQ(sigset_first(SIGBIT(SIGRTMAX) | SIGBIT(SIGUSR2)), SIGUSR2);
	CHECK_EQ(sigset_first(SIGBIT(SIGHUP) | SIGBIT(SIGUSR2)), SIGHUP);
	CHECK_EQ(sigset_first(SIGBIT(SIGHUP) | SIGBIT(SIGSEGV)), SIGSEGV);
	CHECK_EQ(sigset_first(SIGBIT(SIGHUP) | SIGBIT(SIGKILL) | SIGBIT(SIGSEGV)), SIGKILL);
}

TEST(every_signal_has_a_name_and_an_action)
{
	int kills = 0, stops = 0;

	for (int sig = 1; sig < NSIG; sig++) {
		CHECK(signal_name(sig) != NULL);
		kills += signal_default(sig) == SIGDEF_KILL;
		stops += signal_default(sig) == SIGDEF_STOP;
		CHECK_EQ(signal_default(sig) == SIGDEF_STOP, (SIG_STOPS & SIGBIT(sig)) != 0);
	}
	CHECK_EQ(stops, 4);
	CHECK_EQ(kills, NSIG - 1 - stops - 5);
	CHECK_STR(signal_name(SIGSEGV), "SIGSEGV");
	CHECK_STR(signal_name(0), "no signal");
	CHECK_STR(signal_name(NSIG), "no signal");
	CHECK_EQ(signal_default(SIGCHLD), SIGDEF_IGNORE);
	CHECK_EQ(signal_default(SIGCONT), SIGDEF_CONT);
}
