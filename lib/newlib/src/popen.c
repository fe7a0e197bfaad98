/* SPDX-License-Identifier: MIT */
/*
 * popen: a shell behind a stream. The stream's descriptor is closed in commands that are started
 * later, which would otherwise keep a pipe open that its reader waits to see closed.
 */
#include <errno.h>
#include <fcntl.h>
#include <paths.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;
/* The library's lock of its list of streams. */
void __sfp_lock_acquire(void);
void __sfp_lock_release(void);

static struct command {
	struct command *next;
	FILE *stream;
	pid_t pid;
} * commands;

/* The shell with pipe end @fd as its descriptor @as; 0 or an error number. */
static int start(const char *line, int fd, int as, pid_t *pid)
{
	char *argv[] = {"sh", "-c", (char *)line, NULL};
	posix_spawn_file_actions_t fa;
	int err = posix_spawn_file_actions_init(&fa);

	if (err)
		return err;
	err = posix_spawn_file_actions_adddup2(&fa, fd, as);
	for (struct command *c = commands; c && !err; c = c->next)
		if (fileno(c->stream) != as)
			err = posix_spawn_file_actions_addclose(&fa, fileno(c->stream));
	if (!err)
		err = posix_spawn(pid, _PATH_BSHELL, &fa, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&fa);
	return err;
}

FILE *popen(const char *line, const char *mode)
{
	int reading = *mode == 'r', ours = reading ? 0 : 1, fds[2], err;
	struct command *c;

	if ((*mode != 'r' && *mode != 'w') || strspn(mode + 1, "e") != strlen(mode + 1)) {
		errno = EINVAL;
		return NULL;
	}
	c = malloc(sizeof(*c));
	if (!c)
		return NULL;
	if (pipe2(fds, O_CLOEXEC) < 0) {
		free(c);
		return NULL;
	}
	c->stream = fdopen(fds[ours], reading ? "r" : "w");
	err = c->stream ? 0 : errno;
	__sfp_lock_acquire();
	if (!err)
		err = start(line, fds[!ours], reading ? 1 : 0, &c->pid);
	if (!err) {
		c->next = commands;
		commands = c;
	}
	__sfp_lock_release();
	close(fds[!ours]);
	if (!err) {
		if (!mode[1])
			fcntl(fds[ours], F_SETFD, 0);
		return c->stream;
	}
	if (c->stream)
		fclose(c->stream);
	else
		close(fds[ours]);
	free(c);
	errno = err;
	return NULL;
}

int pclose(FILE *stream)
{
	struct command **at, *c;
	int status;
	pid_t pid;

	__sfp_lock_acquire();
	for (at = &commands; *at && (*at)->stream != stream; at = &(*at)->next)
		;
	c = *at;
	if (c)
		*at = c->next;
	__sfp_lock_release();
	if (!c) {
		errno = ECHILD;
		return -1;
	}
	fclose(stream);
	do
		pid = waitpid(c->pid, &status, 0);
	while (pid < 0 && errno == EINTR);
	free(c);
	return pid < 0 ? -1 : status;
}
