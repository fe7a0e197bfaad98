/* SPDX-License-Identifier: MIT */
/*
 * What is left of a program that a fault, or abort(), has ended: /proc/crash has a report of each
 * of the last few, with its registers, the calls it was in, and the map of its memory. A line on
 * the console says that there is one.
 *
 * The calls are found by reading the stack: a word that is an address in executable memory, just
 * behind an instruction that is a call, is most likely where that call is to return to. So it works
 * for programs without frame pointers and without symbols; now and then a stale address is shown.
 * Beside each stands its place in the file, for addr2line.
 */
#include <fs.h>
#include <mm.h>
#include <parvix/mman.h>
#include <printk.h>
#include <proc.h>
#include <string.h>
#include <usercopy.h>
#include "room.h"

#define REPORTS 6
#define REPORT_SIZE 6144
#define STACK_WORDS 512
#define CALLS_SHOWN 24

struct report {
	uid_t uid; /* who may read it, besides root */
	unsigned serial;
	size_t len;
	char *text;
};

static struct report reports[REPORTS]; /* the oldest first */
static mutex_t reports_lock = MUTEX(reports_lock);
static unsigned serial;

/* Append to @r, as far as there is room. */
static __printf(2, 3) void put(struct report *r, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintk(r->text + r->len, REPORT_SIZE - r->len, fmt, ap);
	va_end(ap);
	r->len = min(r->len + (n > 0 ? n : 0), (size_t)REPORT_SIZE - 1);
}

/* Does an instruction that is a call end at @addr? e8 with 4 bytes, or ff /2 with 2 to 7. */
static bool behind_call(unsigned long addr)
{
	unsigned char code[7];

	if (copy_from_user(code, UADDR(addr - sizeof(code)), sizeof(code)))
		return false;
	if (code[2] == 0xe8)
		return true;
	for (unsigned n = 2; n <= sizeof(code); n++)
		if (code[7 - n] == 0xff && (code[8 - n] & 0x38) == 0x10)
			return true;
	return false;
}

/* The place of executable @addr in its file; false: there is no code. */
static bool find_code(struct aspace *as, unsigned long addr, unsigned long *offset)
{
	struct region *r;
	bool found = false;

	mutex_lock(&as->lock);
	list_for_each (r, &as->regions, link) {
		if (addr < r->start || addr >= r->end)
			continue;
		found = r->prot & PROT_EXEC;
		*offset = r->offset + (addr - r->start);
		break;
	}
	mutex_unlock(&as->lock);
	return found;
}

static void put_calls(struct report *r, struct aspace *as, const struct trapframe *tf)
{
	unsigned long word, offset;
	unsigned shown = 0;

	put(r, "calls (address, offset in the file):\n");
	if (find_code(as, tf->rip, &offset))
		put(r, "  %016lx  +%lx\n", tf->rip, offset);
	for (unsigned i = 0; i < STACK_WORDS && shown < CALLS_SHOWN; i++) {
		if (get_user(word, UADDR(ROUND_DOWN(tf->rsp, 8) + i * 8)))
			break;
		if (word < USER_START || word >= USER_END || !find_code(as, word, &offset) ||
		    !behind_call(word))
			continue;
		put(r, "  %016lx  +%lx\n", word, offset);
		shown++;
	}
}

static void put_registers(struct report *r, const struct trapframe *tf)
{
	put(r, "rip %016lx  rsp %016lx  rflags %08lx\n", tf->rip, tf->rsp, tf->rflags);
	put(r, "rax %016lx  rbx %016lx  rcx %016lx  rdx %016lx\n", tf->rax, tf->rbx, tf->rcx,
	    tf->rdx);
	put(r, "rsi %016lx  rdi %016lx  rbp %016lx  r8  %016lx\n", tf->rsi, tf->rdi, tf->rbp,
	    tf->r8);
	put(r, "r9  %016lx  r10 %016lx  r11 %016lx  r12 %016lx\n", tf->r9, tf->r10, tf->r11,
	    tf->r12);
	put(r, "r13 %016lx  r14 %016lx  r15 %016lx\n", tf->r13, tf->r14, tf->r15);
}

static void keep(struct report *r)
{
	mutex_lock(&reports_lock);
	kfree(reports[0].text);
	for (unsigned i = 1; i < REPORTS; i++)
		reports[i - 1] = reports[i];
	reports[REPORTS - 1] = *r;
	mutex_unlock(&reports_lock);
}

void crash_report(int sig, const struct parvix_siginfo *info, const struct trapframe *tf)
{
	struct proc *p = current_proc();
	/* Whoever could have become another user's program does not show what it had in hand. */
	bool own = p->cred.uid == p->cred.euid && p->cred.uid == p->cred.suid;
	struct report r = {.uid = own ? p->cred.uid : 0};

	r.text = kmalloc(REPORT_SIZE, ALLOC_ZERO);
	if (!r.text)
		return;
	r.serial = __atomic_add_fetch(&serial, 1, __ATOMIC_RELAXED);
	put(&r, "== crash %u: process %d (%s), thread %d, user %u, %lu ms after boot\n", r.serial,
	    p->pid, p->name, current->tid, p->cred.uid, clock_now() / NSEC_PER_MSEC);
	put(&r, "%s, code %d, address %lx\n", signal_name(sig), info->si_code, info->si_addr);
	put_registers(&r, tf);
	put_calls(&r, p->aspace, tf);
	put(&r, "maps:\n");
	r.len += aspace_describe(p->aspace, r.text + r.len, REPORT_SIZE - r.len);
	r.len = min(r.len, (size_t)REPORT_SIZE - 1);
	put(&r, "\n");
	keep(&r);
}

static ssize_t crash_read(void *arg, uint64_t pos, char *buf, size_t size)
{
	uid_t uid = current_proc() ? current_proc()->cred.euid : 0;
	size_t done = 0;

	(void)arg;
	mutex_lock(&reports_lock);
	for (unsigned i = 0; i < REPORTS && done < size; i++) {
		const struct report *r = &reports[i];
		size_t n;

		if (!r->text || (uid && uid != r->uid))
			continue;
		if (pos >= r->len) {
			pos -= r->len;
			continue;
		}
		n = min(r->len - pos, size - done);
		memcpy(buf + done, r->text + pos, n);
		done += n;
		pos = 0;
	}
	mutex_unlock(&reports_lock);
	return done;
}

static struct proc_file crash_file = {
	.name = "crash",
	.mode = 0444,
	.read = crash_read,
};

void crash_init(void)
{
	procfs_register(&crash_file);
}
