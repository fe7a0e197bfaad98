/* SPDX-License-Identifier: MIT */
/*
 * Who a process is: real, effective and saved ids, as POSIX has them. The effective ids decide
 * what it may do; set-id programs get the file's as effective and saved ids; the saved one is kept
 * so that a program can step down for a while and come back.
 *
 * setuid() and setreuid() are given as what setresuid() would have to be told; the rule is the same
 * for users and groups, and whoever has the effective user id 0 may set any.
 */
#include <proc.h>

bool cred_root(void)
{
	return !current->proc || current_proc()->cred.euid == 0;
}

static bool among(const unsigned id[3], unsigned value)
{
	return value == id[0] || value == id[1] || value == id[2];
}

int cred_setres(unsigned id[3], const unsigned new[3])
{
	for (int i = 0; i < 3; i++)
		if (new[i] != -1u && !cred_root() && !among(id, new[i]))
			return -EPERM;
	for (int i = 0; i < 3; i++)
		if (new[i] != -1u)
			id[i] = new[i];
	return 0;
}

int cred_set(unsigned id[3], unsigned value)
{
	const unsigned all[] = {value, value, value}, effective[] = {-1u, value, -1u};

	if (cred_root())
		return cred_setres(id, all);
	return value == id[0] || value == id[2] ? cred_setres(id, effective) : -EPERM;
}

int cred_setre(unsigned id[3], unsigned real, unsigned eff)
{
	unsigned new[] = {real, eff, -1u};

	if (real != -1u && real != id[0] && real != id[1] && !cred_root())
		return -EPERM;
	if (real != -1u || (eff != -1u && eff != id[0]))
		new[2] = eff != -1u ? eff : id[1];
	return cred_setres(id, new);
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
