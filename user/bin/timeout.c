/* SPDX-License-Identifier: MIT */
/*
 * timeout [-f] [-s signal] [-k seconds] seconds command...: run a command, end it when the time is
 * over (status 124), and for sure another @k seconds later. Both are sent to its whole process
 * group, which for the terminal is in the background; with -f (foreground) it stays in ours and may
 * use the terminal, and only the command itself is signalled.
 */
#include "../lib/util.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t expired;

static void on_alarm(int sig)
{
	(void)sig;
	expired = 1;
}

int main(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = on_alarm};
	int sig = SIGTERM, status = 0, c;
	long limit, grace = 0;
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
			grace = parse_number(optarg, "time");
			break;
		default:
			usage("[-f] [-s signal] [-k seconds] seconds command...");
		}
	}
	if (argc - optind < 2)
		usage("[-f] [-s signal] [-k seconds] seconds command...");
	limit = parse_number(argv[optind++], "time");
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
	alarm((unsigned)limit);
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
			alarm((unsigned)grace);
	}
	if (timed_out)
		return 124;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
