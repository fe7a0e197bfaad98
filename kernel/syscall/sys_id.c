/* SPDX-License-Identifier: MIT */
/* System calls about identity: users, groups, the mask for new files. */
#include <proc.h>
#include <string.h>
#include <usercopy.h>
#include "syscall.h"

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
	return (uid_t)ARG0(tf) == (uid_t)-1 ? -EINVAL : cred_setuid((uid_t)ARG0(tf));
}

long sys_setgid(struct trapframe *tf)
{
	return (gid_t)ARG0(tf) == (gid_t)-1 ? -EINVAL : cred_setgid((gid_t)ARG0(tf));
}

long sys_setreuid(struct trapframe *tf)
{
	return cred_setreuid((uid_t)ARG0(tf), (uid_t)ARG1(tf));
}

long sys_setregid(struct trapframe *tf)
{
	return cred_setregid((gid_t)ARG0(tf), (gid_t)ARG1(tf));
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
