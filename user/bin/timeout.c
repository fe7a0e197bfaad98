/* SPDX-License-Identifier: MIT */
/*
 * timeout [-f] [-s signal] [-k time] time command...: run a command, end it when the time is
 * over (status 124), and for sure another @k seconds later. Both are sent to its whole process
 * group, which for the terminal is in the background; with -f (foreground) it stays in ours and may
 * use the terminal, and only the command itself is signalled. A time is in seconds, with fractions,
 * or has m, h or d behind it.
 */
#include "../lib/util.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t expired;

static void on_alarm(int sig)
{
	(void)sig;
	expired = 1;
}

static void set_alarm(double seconds)
{
	struct itimerval t = {.it_value.tv_sec = (time_t)seconds};

	t.it_value.tv_usec = (suseconds_t)((seconds - (double)t.it_value.tv_sec) * 1e6);
	if (seconds > 0 && !t.it_value.tv_sec && !t.it_value.tv_usec)
		t.it_value.tv_usec = 1;
	setitimer(ITIMER_REAL, &t, NULL);
}

int main(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = on_alarm};
	int sig = SIGTERM, status = 0, c;
	double limit, grace = 0;
	bool timed_out = false, foreground = false;
	pid_t pid;

	prog_init(argv);
	while ((c = getopt(argc, argv, "+fs:k:")) != -1) {
		switch (c) {
		case 'f':
			foreground = true;
			break;
		case 's':
			sig = signal_number(optarg);
			if (sig < 0)
				fatalx("%s: unknown signal", optarg);
			break;
		case 'k':
			grace = parse_time(optarg);
			break;
		default:
			usage("[-f] [-s signal] [-k time] time command...");
		}
	}
	if (argc - optind < 2)
		usage("[-f] [-s signal] [-k time] time command...");
	limit = parse_time(argv[optind++]);
	sigaction(SIGALRM, &action, NULL); /* without SA_RESTART: it ends the wait */
	pid = fork();
	if (pid < 0)
		fatal("fork");
	if (pid == 0) {
		if (!foreground)
			setpgid(0, 0);
		execvp(argv[optind], argv + optind);
		warning("%s", argv[optind]);
		_exit(errno == ENOENT ? 127 : 126);
	}
	if (!foreground)
		setpgid(pid, pid);
	set_alarm(limit);
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			fatal("wait");
		if (!expired)
			continue;
		expired = 0;
		kill(foreground ? pid : -pid, timed_out ? SIGKILL : sig);
		kill(foreground ? pid : -pid, SIGCONT); /* a stopped one would not notice */
		timed_out = true;
		if (grace)
			set_alarm(grace);
	}
	if (timed_out)
		return 124;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
