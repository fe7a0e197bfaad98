/* SPDX-License-Identifier: MIT */
/* Running another program. */
#include "util.h"

#include <sys/wait.h>
#include <unistd.h>

int run_command(char **args)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		execvp(args[0], args);
		warning("%s", args[0]);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0) {
		warning("%s", args[0]);
		return 127;
	}
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
