/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <paths.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;
int _system(const char *command);

/*
 * While the command runs, the keyboard's signals are the command's affair and the end of other
 * children must not be lost to its waitpid: hence the ignored and the blocked signals. The command
 * itself gets all of them as they were.
 */
int _system(const char *command)
{
	struct sigaction ign = {.sa_handler = SIG_IGN}, oldint, oldquit;
	char *argv[] = {"sh", "-c", (char *)command, NULL};
	sigset_t chld, oldmask, dfl;
	posix_spawnattr_t attr;
	int status = -1, err;
	pid_t pid;

	if (!command)
		return access(_PATH_BSHELL, X_OK) == 0;
	err = posix_spawnattr_init(&attr);
	if (err) {
		errno = err;
		return -1;
	}
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigaction(SIGINT, &ign, &oldint);
	sigaction(SIGQUIT, &ign, &oldquit);
	sigprocmask(SIG_BLOCK, &chld, &oldmask);
	sigemptyset(&dfl);
	if (oldint.sa_handler != SIG_IGN)
		sigaddset(&dfl, SIGINT);
	if (oldquit.sa_handler != SIG_IGN)
		sigaddset(&dfl, SIGQUIT);
	posix_spawnattr_setsigdefault(&attr, &dfl);
	posix_spawnattr_setsigmask(&attr, &oldmask);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
	err = posix_spawn(&pid, _PATH_BSHELL, NULL, &attr, argv, environ);
	posix_spawnattr_destroy(&attr);
	if (err == EAGAIN || err == ENOMEM)
		errno = err;
	else if (err)
		status = 127 << 8; /* as if the shell could not run it */
	while (!err && waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR) {
			status = -1;
			break;
		}
	}
	sigaction(SIGINT, &oldint, NULL);
	sigaction(SIGQUIT, &oldquit, NULL);
	sigprocmask(SIG_SETMASK, &oldmask, NULL);
	return status;
}
