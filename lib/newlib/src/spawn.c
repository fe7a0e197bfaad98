/* SPDX-License-Identifier: MIT */
/*
 * posix_spawn: a program as a child, without copying the parent.
 *
 * The kernel's vfork lends the child the parent's memory and lets the calling thread sleep until
 * the child has executed its program or ended. So an error of the child, in an open() or the
 * execve(), is simply written to where the parent reads it. VFORK_SPAWN gives caught signals their
 * default action in the child, as execve would: no handler of the parent can run in the middle of
 * this, in the parent's memory. All signals are blocked until the child has its mask.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <parvix/types.h>
#include "sys.h"

extern char **environ;

struct __posix_spawnattr {
	short flags;
	pid_t pgroup;
	sigset_t sigdefault, sigmask;
	struct sched_param param;
	int policy;
};

struct action {
	struct action *next;
	enum { OPEN, DUP2, CLOSE, CHDIR, FCHDIR } what;
	int fd, to;
	int flags;
	mode_t mode;
	char path[];
};

struct __posix_spawn_file_actions {
	struct action *first, **last;
};

struct spawn {
	const char *path;
	const posix_spawn_file_actions_t *actions;
	const posix_spawnattr_t *attr;
	char *const *argv;
	char *const *envp;
	int search;
	sigset_t mask;
	volatile int error;
};

/* -- what the child does, on the parent's stack; 0 or an error number -- */

static int set_attributes(const struct __posix_spawnattr *a, sigset_t *mask)
{
	struct sigaction dfl = {.sa_handler = SIG_DFL};

	if (a->flags & (POSIX_SPAWN_SETSCHEDPARAM | POSIX_SPAWN_SETSCHEDULER))
		return ENOSYS; /* there is one policy, without parameters */
	if ((a->flags & POSIX_SPAWN_SETSID) && setsid() < 0)
		return errno;
	if ((a->flags & POSIX_SPAWN_SETPGROUP) && setpgid(0, a->pgroup) < 0)
		return errno;
	if ((a->flags & POSIX_SPAWN_RESETIDS) && (setegid(getgid()) < 0 || seteuid(getuid()) < 0))
		return errno;
	for (int sig = 1; (a->flags & POSIX_SPAWN_SETSIGDEF) && sig < NSIG; sig++)
		if (sigismember(&a->sigdefault, sig) == 1 && sig != SIGKILL && sig != SIGSTOP &&
		    sigaction(sig, &dfl, NULL) < 0)
			return errno;
	if (a->flags & POSIX_SPAWN_SETSIGMASK)
		*mask = a->sigmask;
	return 0;
}

static int do_open(const struct action *a)
{
	int fd;

	close(a->fd);
	fd = open(a->path, a->flags, a->mode);
	if (fd < 0)
		return errno;
	if (fd == a->fd)
		return 0;
	if (dup2(fd, a->fd) < 0)
		return errno;
	close(fd);
	return 0;
}

static int do_dup2(const struct action *a)
{
	int flags;

	if (a->fd != a->to)
		return dup2(a->fd, a->to) < 0 ? errno : 0;
	/* The same: it is to stay open. */
	flags = fcntl(a->fd, F_GETFD);
	if (flags < 0 || fcntl(a->fd, F_SETFD, flags & ~FD_CLOEXEC) < 0)
		return errno;
	return 0;
}

static int do_action(const struct action *a)
{
	switch (a->what) {
	case OPEN:
		return do_open(a);
	case DUP2:
		return do_dup2(a);
	case CLOSE:
		close(a->fd); /* closed already: just as well */
		return 0;
	case CHDIR:
		return chdir(a->path) < 0 ? errno : 0;
	case FCHDIR:
		return fchdir(a->fd) < 0 ? errno : 0;
	}
	return EINVAL;
}

static void __attribute__((noinline, noreturn)) child(struct spawn *s)
{
	int err = s->attr && *s->attr ? set_attributes(*s->attr, &s->mask) : 0;

	for (const struct action *a = s->actions ? (*s->actions)->first : NULL; a && !err;
	     a = a->next)
		err = do_action(a);
	if (!err) {
		sigprocmask(SIG_SETMASK, &s->mask, NULL);
		if (s->search)
			execvpe(s->path, s->argv, s->envp);
		else
			execve(s->path, s->argv, s->envp);
		err = errno;
	}
	s->error = err;
	_exit(127);
}

static int spawn(struct spawn *s, pid_t *pid)
{
	sigset_t all, old;
	int saved = errno;
	long ret;

	s->error = 0;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	s->mask = old;
	ret = __SYS1(SYS_vfork, VFORK_SPAWN);
	if (ret == 0)
		child(s);
	if (ret < 0) {
		s->error = (int)-ret;
	} else if (s->error) {
		while (waitpid((pid_t)ret, NULL, 0) < 0 && errno == EINTR)
			;
	} else if (pid) {
		*pid = (pid_t)ret;
	}
	sigprocmask(SIG_SETMASK, &old, NULL);
	errno = saved;
	return s->error;
}

int posix_spawn(pid_t *__restrict pid, const char *__restrict path,
		const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *__restrict attr,
		char *const argv[], char *const envp[])
{
	struct spawn s = {path, actions, attr, argv, envp ? envp : environ, 0, 0, 0};

	return spawn(&s, pid);
}

int posix_spawnp(pid_t *__restrict pid, const char *__restrict file,
		 const posix_spawn_file_actions_t *actions,
		 const posix_spawnattr_t *__restrict attr, char *const argv[], char *const envp[])
{
	struct spawn s = {file, actions, attr, argv, envp ? envp : environ, 1, 0, 0};

	return spawn(&s, pid);
}

/* -- file actions -- */

int posix_spawn_file_actions_init(posix_spawn_file_actions_t *fa)
{
	*fa = malloc(sizeof(**fa));
	if (!*fa)
		return ENOMEM;
	(*fa)->first = NULL;
	(*fa)->last = &(*fa)->first;
	return 0;
}

int posix_spawn_file_actions_destroy(posix_spawn_file_actions_t *fa)
{
	struct action *a, *next;

	for (a = (*fa)->first; a; a = next) {
		next = a->next;
		free(a);
	}
	free(*fa);
	*fa = NULL;
	return 0;
}

static int add(posix_spawn_file_actions_t *fa, const struct action *what, const char *path)
{
	struct action *a;

	if (what->fd < 0 || what->to < 0 || what->fd >= OPEN_MAX || what->to >= OPEN_MAX)
		return EBADF;
	a = malloc(sizeof(*a) + (path ? strlen(path) + 1 : 0));
	if (!a)
		return ENOMEM;
	*a = *what;
	if (path)
		strcpy(a->path, path);
	*(*fa)->last = a;
	(*fa)->last = &a->next;
	return 0;
}

int posix_spawn_file_actions_addopen(posix_spawn_file_actions_t *__restrict fa, int fd,
				     const char *__restrict path, int flags, mode_t mode)
{
	return add(fa, &(struct action){.what = OPEN, .fd = fd, .flags = flags, .mode = mode},
		   path);
}

int posix_spawn_file_actions_adddup2(posix_spawn_file_actions_t *fa, int fd, int to)
{
	return add(fa, &(struct action){.what = DUP2, .fd = fd, .to = to}, NULL);
}

int posix_spawn_file_actions_addclose(posix_spawn_file_actions_t *fa, int fd)
{
	return add(fa, &(struct action){.what = CLOSE, .fd = fd}, NULL);
}

int posix_spawn_file_actions_addchdir_np(posix_spawn_file_actions_t *__restrict fa,
					 const char *__restrict path)
{
	return add(fa, &(struct action){.what = CHDIR}, path);
}

int posix_spawn_file_actions_addfchdir_np(posix_spawn_file_actions_t *fa, int fd)
{
	return add(fa, &(struct action){.what = FCHDIR, .fd = fd}, NULL);
}

/* -- attributes -- */

int posix_spawnattr_init(posix_spawnattr_t *attr)
{
	*attr = calloc(1, sizeof(**attr));
	return *attr ? 0 : ENOMEM;
}

int posix_spawnattr_destroy(posix_spawnattr_t *attr)
{
	free(*attr);
	*attr = NULL;
	return 0;
}

#define ATTRIBUTE(name, type, field)                                            \
	int posix_spawnattr_get##name(const posix_spawnattr_t *__restrict attr, \
				      type *__restrict value)                   \
	{                                                                       \
		*value = (*attr)->field;                                        \
		return 0;                                                       \
	}

#define SETTER(name, type, field)                                          \
	int posix_spawnattr_set##name(posix_spawnattr_t *attr, type value) \
	{                                                                  \
		(*attr)->field = value;                                    \
		return 0;                                                  \
	}

#define SETTER_FROM(name, type, field)                                    \
	int posix_spawnattr_set##name(posix_spawnattr_t *__restrict attr, \
				      const type *__restrict value)       \
	{                                                                 \
		(*attr)->field = *value;                                  \
		return 0;                                                 \
	}

ATTRIBUTE(flags, short, flags)
ATTRIBUTE(pgroup, pid_t, pgroup)
ATTRIBUTE(schedparam, struct sched_param, param)
ATTRIBUTE(schedpolicy, int, policy)
ATTRIBUTE(sigdefault, sigset_t, sigdefault)
ATTRIBUTE(sigmask, sigset_t, sigmask)
SETTER(pgroup, pid_t, pgroup)
SETTER(schedpolicy, int, policy)
SETTER_FROM(schedparam, struct sched_param, param)
SETTER_FROM(sigdefault, sigset_t, sigdefault)
SETTER_FROM(sigmask, sigset_t, sigmask)

int posix_spawnattr_setflags(posix_spawnattr_t *attr, short flags)
{
	if (flags & ~(POSIX_SPAWN_RESETIDS | POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSCHEDPARAM |
		      POSIX_SPAWN_SETSCHEDULER | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK |
		      POSIX_SPAWN_SETSID))
		return EINVAL;
	(*attr)->flags = flags;
	return 0;
}
