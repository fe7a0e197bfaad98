/* SPDX-License-Identifier: MIT */
/*
 * execve: another program in the same process.
 *
 * The new address space is built completely before anything of the old one is given up: regions
 * for the segments, a stack with arguments, and those pages that the program will touch at once,
 * put in while the page tables are still ours alone and an entry costs a store. Only then are
 * the tables published (under PV: pinned, one call) and loaded (one call, with the FS base), and
 * what belongs to the old program is dropped. Up to that point every error is returned to
 * the caller, who is unharmed; behind it nothing can fail.
 *
 * Where the stack lies: a program linked at 17 MiB, as our linker does it, has it right below, so
 * that text, data and stack of a small program share one lowest-level page table and fork has
 * fewer to copy and Xen fewer to check. Programs linked elsewhere have it at the top.
 *
 * A script, "#!interpreter argument", is turned into a call of its interpreter, once: an
 * interpreter is a program.
 */
#include <elf.h>
#include <fs.h>
#include <machine.h>
#include <mm.h>
#include <parvix/mman.h>
#include <printk.h>
#include <parvix/tracer.h>
#include <proc.h>
#include <record.h>
#include <string.h>
#include "exec_args.h"
#include "room.h"

#define PREFAULT_ANON 8 /* pages of data and zeros made ready for a program, per segment */

struct exec_job {
	struct vnode *vn; /* the program; for a script its interpreter */
	char name[16];
	bool script;
	uid_t euid; /* effective ids that it will have */
	gid_t egid;
	struct elf_plan plan;
	struct aspace *as;
	unsigned long rsp;
	char head[ELF_HEAD];
	char interp[SCRIPT_LINE], arg[SCRIPT_LINE];
};

/* @path as an executable file, its head read. */
static int open_program(struct exec_job *job, const char *path, size_t *n)
{
	struct vnode *vn;
	ssize_t got;
	int err = namei(NULL, path, 0, &vn);

	if (err)
		return err;
	if (!S_ISREG(vn->mode) || (vn->mount->flags & MS_NOEXEC))
		err = -EACCES;
	else
		err = vnode_access(vn, X_OK);
	if (!err)
		err = vnode_claim(vn, -1);
	if (!err) {
		got = vnode_read(vn, job->head, sizeof(job->head), 0);
		if (got < 0)
			err = (int)got;
		else
			*n = (size_t)got;
		if (err)
			vnode_unclaim(vn, -1);
	}
	if (err)
		vnode_put(vn);
	else
		job->vn = vn;
	return err;
}

/* Owner and bits are looked at together: chown takes the bits away before a new owner could lend
 * them his name. */
static void find_ids(struct exec_job *job)
{
	const struct cred *c = &current_proc()->cred;
	struct vnode *vn = job->vn;

	job->euid = c->euid;
	job->egid = c->egid;
	if (job->script || (vn->mount->flags & MS_NOSUID) || !(vn->mode & (S_ISUID | S_ISGID)))
		return;
	mutex_lock(&vn->lock);
	if (vn->mode & S_ISUID)
		job->euid = vn->uid;
	/* Without group execute permission the bit means something else (locking). */
	if ((vn->mode & S_ISGID) && (vn->mode & 0010))
		job->egid = vn->gid;
	mutex_unlock(&vn->lock);
}

static void set_name(struct exec_job *job, const char *path)
{
	const char *slash = strrchr(path, '/');

	strlcpy(job->name, slash && slash[1] ? slash + 1 : path, sizeof(job->name));
}

/* The program to be run and its plan; a script's interpreter is put before the arguments. */
static int find_program(struct exec_job *job, const char *path, struct exec_args *args)
{
	const char *strings[3];
	unsigned count = 0;
	size_t n;
	int err = open_program(job, path, &n);

	if (err)
		return err;
	set_name(job, path);
	if (!args->argc) { /* a program always has a name */
		err = exec_args_prepend(args, &path, 1);
		if (err)
			return err;
	}
	if (!script_line(job->head, n, job->interp, job->arg)) {
		exe_put(job->vn);
		job->vn = NULL;
		job->script = true;
		strings[count++] = job->interp;
		if (job->arg[0])
			strings[count++] = job->arg;
		strings[count++] = path;
		err = exec_args_prepend(args, strings, count);
		if (!err)
			err = open_program(job, job->interp, &n);
		if (err)
			return err;
	}
	find_ids(job);
	return elf_check(job->head, n, job->vn->size, &job->plan);
}

static int map_segments(struct exec_job *job)
{
	struct aspace *as = job->as;

	for (unsigned i = 0; i < job->plan.loads; i++) {
		const struct elf_load *l = &job->plan.load[i];
		bool file = l->file_end != 0, writable = l->prot & PROT_WRITE;
		unsigned long ready = min(l->end, l->start + PREFAULT_ANON * PAGE_SIZE);
		int err;

		mutex_lock(&as->lock);
		err = aspace_map(as, l->start, l->end, l->prot, 0, file ? job->vn : NULL,
				 file ? l->offset : 0, file ? l->file_end : ~0ul);
		mutex_unlock(&as->lock);
		if (err)
			return err;
		/* Text that is in memory anyway is mapped as a whole; data is copied, so less. */
		if (writable)
			aspace_prefault(as, l->start, ready, true);
		else
			aspace_prefault(as, l->start, l->end, false);
	}
	as->brk_start = as->brk = job->plan.brk;
	return 0;
}

static int map_stack(struct exec_job *job, struct exec_args *args)
{
	const struct parvix_rlimit *limits = current_proc()->limits;
	unsigned long low = job->plan.load[0].start, top = STACK_TOP_HIGH, start, room;
	unsigned long space = exec_args_space(args);
	int err;

	if (low >= STACK_TOP_LOW && low < MMAP_BASE)
		top = STACK_TOP_LOW;
	aspace_limits(job->as, limits);
	room = min(job->as->stack_limit, 8ul << 20);
	if (space > room / 2)
		return -E2BIG;
	/* One page more than the arguments need: the first function calls fit in. */
	start = ROUND_DOWN(top - space, PAGE_SIZE) - PAGE_SIZE;
	err = aspace_map(job->as, start, top, PROT_READ | PROT_WRITE, REGION_STACK, NULL, 0, ~0ul);
	if (err)
		return err;
	aspace_prefault(job->as, start, top, true);
	args->euid = job->euid;
	args->egid = job->egid;
	return exec_args_write(args, job->as, &job->plan, top, room, &job->rsp);
}

static int build(struct exec_job *job, struct exec_args *args)
{
	int err;

	job->as = aspace_create();
	if (!job->as)
		return -ENOMEM;
	err = map_segments(job);
	if (!err)
		err = map_stack(job, args);
	if (!err) {
		mutex_lock(&job->as->lock);
		err = mmu_publish(&job->as->mmu);
		mutex_unlock(&job->as->lock);
	}
	return err == -EEXIST || err == -EINVAL ? -ENOEXEC : err;
}

/* Onto the new tables; the old address space goes. */
static void switch_space(struct proc *p, struct aspace *as)
{
	struct thread *t = current;
	struct thread_arch old = t->arch;
	struct aspace *old_as = p->aspace;

	irq_push_off();
	t->arch.fs_base = 0;
	spin_lock(&proc_lock); /* /proc looks at it */
	p->aspace = as;
	spin_unlock(&proc_lock);
	machine->switch_to(&old, &t->arch, &as->mmu);
	fpu_init_state(t->arch.fpu);
	fpu_restore(t->arch.fpu);
	irq_pop_off();
	if (old_as) {
		p->usage.ru_maxrss = max(p->usage.ru_maxrss,
					 (long)(old_as->pages * (PAGE_SIZE / 1024)));
		aspace_put(old_as);
		loan_return(p);
	}
}

void signal_reset(struct proc *p)
{
	spin_lock(&p->sig.lock);
	for (int sig = 1; sig < NSIG; sig++)
		p->sig.action[sig] = (struct sigact){
			.sa_handler = p->sig.action[sig].sa_handler == SIG_IGN ? SIG_IGN : SIG_DFL};
	spin_unlock(&p->sig.lock);
}

static void become(struct exec_job *job)
{
	struct proc *p = current_proc();
	struct thread *t = current;
	struct vnode *old_exe = p->exe;

	futex_thread_exit(t);
	switch_space(p, job->as);
	fdtable_exec(p->fds);
	signal_reset(p);
	ptimers_exec(p);
	t->altstack = (struct parvix_stack){.ss_flags = SS_DISABLE};
	p->cred.euid = p->cred.suid = job->euid;
	p->cred.egid = p->cred.sgid = job->egid;
	/* Who traces a program of his own does not get to see this one, unless he is root. */
	if (unlikely(p->tracer) && p->cred.uid &&
	    (p->cred.euid != p->cred.uid || p->cred.egid != p->cred.gid))
		tracer_leave(p, TRACE_DETACHED);
	spin_lock(&proc_lock);
	p->exe = job->vn;
	p->execed = true;
	memcpy(p->name, job->name, sizeof(p->name));
	memcpy(t->name, job->name, sizeof(t->name));
	spin_unlock(&proc_lock);
	if (old_exe)
		exe_put(old_exe);
	memset(t->frame, 0, sizeof(*t->frame));
	t->frame->vector = TRAP_EVENT;
	t->frame->rip = job->plan.entry;
	t->frame->rsp = job->rsp;
	t->frame->rflags = RFLAGS_IF | 2;
	t->frame->cs = machine->user_cs;
	t->frame->ss = machine->user_ss;
	count(execs);
	trace(exec, p->pid, job->plan.entry, 0);
}

int proc_exec(const char *path, struct exec_args *args)
{
	struct exec_job *job = kmalloc(sizeof(*job), 0);
	struct proc *p = current_proc();
	struct record_op *op;
	int err = -ENOMEM;

	thread_account();
	op = record_begin(current->stamp);
	if (job) {
		job->vn = NULL;
		job->as = NULL;
		job->script = false;
		err = find_program(job, path, args);
		if (!err)
			err = build(job, args);
		if (!err)
			err = threads_end_others();
	}
	exec_args_free(args);
	if (!err) {
		become(job); /* takes over job->vn and job->as */
	} else if (job) {
		if (job->as)
			aspace_put(job->as);
		if (job->vn)
			exe_put(job->vn);
	}
	kfree(job);
	thread_account_kernel();
	if (err)
		record_drop(op);
	else
		record_end(op, current->stamp, RECORD_EXEC, p->pid, 0, p->name);
	return err;
}
