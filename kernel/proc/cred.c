/* SPDX-License-Identifier: MIT */
/*
 * Who a process is: real, effective and saved ids, as POSIX has them. The effective ids decide
 * what it may do; set-id programs get the file's as effective and saved ids; the saved one is kept
 * so that a program can step down for a while and come back.
 */
#include <proc.h>

bool cred_root(void)
{
	return !current->proc || current_proc()->cred.euid == 0;
}

int cred_setuid(uid_t uid)
{
	struct cred *c = &current_proc()->cred;

	if (c->euid == 0)
		c->uid = c->suid = uid;
	else if (uid != c->uid && uid != c->suid)
		return -EPERM;
	c->euid = uid;
	return 0;
}

int cred_setgid(gid_t gid)
{
	struct cred *c = &current_proc()->cred;

	if (c->euid == 0)
		c->gid = c->sgid = gid;
	else if (gid != c->gid && gid != c->sgid)
		return -EPERM;
	c->egid = gid;
	return 0;
}

/* The rule is the same for users and groups: @id[0] real, [1] effective, [2] saved; -1: keep. */
static int set_re(unsigned *real, unsigned *eff, unsigned *saved, unsigned nreal, unsigned neff)
{
	unsigned old_real = *real;

	if (!cred_root()) {
		if (nreal != -1u && nreal != *real && nreal != *eff)
			return -EPERM;
		if (neff != -1u && neff != *real && neff != *eff && neff != *saved)
			return -EPERM;
	}
	if (nreal != -1u)
		*real = nreal;
	if (neff != -1u)
		*eff = neff;
	if (nreal != -1u || (neff != -1u && neff != old_real))
		*saved = *eff;
	return 0;
}

int cred_setreuid(uid_t ruid, uid_t euid)
{
	struct cred *c = &current_proc()->cred;

	return set_re(&c->uid, &c->euid, &c->suid, ruid, euid);
}

int cred_setregid(gid_t rgid, gid_t egid)
{
	struct cred *c = &current_proc()->cred;

	return set_re(&c->gid, &c->egid, &c->sgid, rgid, egid);
}

bool cred_may_signal(const struct proc *target, int sig)
{
	const struct proc *p = current_proc();
	const struct cred *c = &p->cred, *t = &target->cred;

	if (c->euid == 0 || c->uid == t->uid || c->uid == t->suid || c->euid == t->uid ||
	    c->euid == t->suid)
		return true;
	return sig == SIGCONT && p->sid == target->sid;
}
