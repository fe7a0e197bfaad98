/* SPDX-License-Identifier: MIT */
/* System calls about identity: users, groups, the mask for new files. */
#include <proc.h>
#include <string.h>
#include <usercopy.h>
#include "syscall.h"

#define UIDS (current_proc()->cred.uids)
#define GIDS (current_proc()->cred.gids)

long sys_getuid(struct trapframe *tf)
{
	(void)tf;
	return current_proc()->cred.uid;
}

long sys_geteuid(struct trapframe *tf)
{
	(void)tf;
	return current_proc()->cred.euid;
}

long sys_getgid(struct trapframe *tf)
{
	(void)tf;
	return current_proc()->cred.gid;
}

long sys_getegid(struct trapframe *tf)
{
	(void)tf;
	return current_proc()->cred.egid;
}

/* -1 means "keep" elsewhere and is no user. */
long sys_setuid(struct trapframe *tf)
{
	return (uid_t)ARG0(tf) == (uid_t)-1 ? -EINVAL : cred_set(UIDS, (uid_t)ARG0(tf));
}

long sys_setgid(struct trapframe *tf)
{
	return (gid_t)ARG0(tf) == (gid_t)-1 ? -EINVAL : cred_set(GIDS, (gid_t)ARG0(tf));
}

long sys_setreuid(struct trapframe *tf)
{
	return cred_setre(UIDS, (uid_t)ARG0(tf), (uid_t)ARG1(tf));
}

long sys_setregid(struct trapframe *tf)
{
	return cred_setre(GIDS, (gid_t)ARG0(tf), (gid_t)ARG1(tf));
}

static long setres(struct trapframe *tf, unsigned id[3])
{
	const unsigned new[] = {(unsigned)ARG0(tf), (unsigned)ARG1(tf), (unsigned)ARG2(tf)};

	return cred_setres(id, new);
}

static long getres(struct trapframe *tf, const unsigned id[3])
{
	if (put_user(UADDR(ARG0(tf)), id[0]) || put_user(UADDR(ARG1(tf)), id[1]) ||
	    put_user(UADDR(ARG2(tf)), id[2]))
		return -EFAULT;
	return 0;
}

long sys_setresuid(struct trapframe *tf)
{
	return setres(tf, UIDS);
}

long sys_getresuid(struct trapframe *tf)
{
	return getres(tf, UIDS);
}

long sys_setresgid(struct trapframe *tf)
{
	return setres(tf, GIDS);
}

long sys_getresgid(struct trapframe *tf)
{
	return getres(tf, GIDS);
}

long sys_getgroups(struct trapframe *tf)
{
	const struct cred *c = &current_proc()->cred;
	int size = (int)ARG0(tf);

	if (size == 0)
		return c->ngroups;
	if (size < (int)c->ngroups)
		return -EINVAL;
	if (copy_to_user(UADDR(ARG1(tf)), c->groups, c->ngroups * sizeof(gid_t)))
		return -EFAULT;
	return c->ngroups;
}

long sys_setgroups(struct trapframe *tf)
{
	struct cred *c = &current_proc()->cred;
	gid_t groups[ARRAY_SIZE(c->groups)];
	unsigned long n = ARG0(tf);

	if (!cred_root())
		return -EPERM;
	if (n > ARRAY_SIZE(groups))
		return -EINVAL;
	if (copy_from_user(groups, UADDR(ARG1(tf)), n * sizeof(gid_t)))
		return -EFAULT;
	memcpy(c->groups, groups, n * sizeof(gid_t));
	c->ngroups = (unsigned)n;
	return 0;
}

long sys_umask(struct trapframe *tf)
{
	struct proc *p = current_proc();
	mode_t old = p->umask;

	p->umask = (mode_t)ARG0(tf) & 0777;
	return old;
}
