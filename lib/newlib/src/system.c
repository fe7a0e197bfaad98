/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <paths.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;
int _system(const char *command);

/*
 * While the command runs, the keyboard's signals are the command's affair and the end of other
 * children must not be lost to its waitpid: hence the ignored and the blocked signals.
 */
int _system(const char *command)
{
	struct sigaction ign = {.sa_handler = SIG_IGN}, oldint, oldquit;
	char *argv[] = {"sh", "-c", (char *)command, NULL};
	sigset_t chld, oldmask;
	int status = -1;
	pid_t pid;

	if (!command)
		return access(_PATH_BSHELL, X_OK) == 0;
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigaction(SIGINT, &ign, &oldint);
	sigaction(SIGQUIT, &ign, &oldquit);
	sigprocmask(SIG_BLOCK, &chld, &oldmask);
	pid = fork();
	if (pid != 0) {
		while (pid > 0 && waitpid(pid, &status, 0) < 0) {
			if (errno != EINTR) {
				status = -1;
				break;
			}
		}
	}
	sigaction(SIGINT, &oldint, NULL);
	sigaction(SIGQUIT, &oldquit, NULL);
	sigprocmask(SIG_SETMASK, &oldmask, NULL);
	if (pid == 0) {
		execve(_PATH_BSHELL, argv, environ);
		_exit(127);
	}
	return status;
}
