/* SPDX-License-Identifier: MIT */
/*
 * The update queue: changes of live page tables on their way to Xen.
 *
 * Natively a page-table entry is written by a store and its stale copy in the TLB dropped by
 * invlpg. Under PV the tables of a live address space are read-only for us; HYPERVISOR_mmu_update
 * takes a list of (machine address of the entry, new value), checks each value against what the
 * named frame may be used for, writes it and adjusts its counts. A call costs about 600
 * instructions before the first entry and 300 to 500 for each, so changes are collected here and
 * sent together: at mmu_commit(), when the queue is full, and with every thread switch.
 *
 *   what waits                       what is sent
 *   -------------------------------  -------------------------------------------------------------
 *   one entry of the loaded space    update_va_mapping, which can flush that address too
 *   entries, no flush needed         mmu_update
 *   entries and flushes              multicall of mmu_update and mmuext_op (INVLPG or TLB_FLUSH)
 *
 * A flush is needed only if the old entry may be in a TLB (it was present, and the processor has
 * set its accessed bit) and the new one allows less or means another frame. From eight addresses on
 * the whole TLB is flushed instead.
 *
 * The queue belongs to a CPU and is used with interrupts off, so a thread that is switched away
 * between mmu_set() and mmu_commit() finds its entries sent. Readers of entries must ask
 * pv_pte_pending(). If Xen refuses an entry, that is said with index, address, value and caller,
 * the entry is left out, and the rest is sent: a release build of Xen itself says nothing.
 */
#include <bootarg.h>
#include <lock.h>
#include <printk.h>
#include "hypercall.h"
#include "pv.h"

#define QUEUE_MAX 128
#define FLUSH_MAX 8

struct queue {
	unsigned n;
	unsigned nflush;
	bool flush_all;    /* the whole TLB instead of flush[] */
	bool flush_remote; /* other CPUs have the space loaded too */
	bool single;       /* the only entry is at flush_va of the loaded space */
	unsigned long single_va;
	unsigned done;
	uint64_t filter[8]; /* bit (slot / 8) % 512 set: the entry may be in the queue */
	uint64_t refusals;
	unsigned long flush[FLUSH_MAX];
	struct mmu_update u[QUEUE_MAX];
	unsigned long caller[QUEUE_MAX];
	struct mmuext_op op[FLUSH_MAX];
};

static struct queue queues[MAX_CPUS];
static bool batching = true;

void queue_init(void)
{
	batching = !boot_flag("nobatch");
}

static inline struct queue *this_queue(void)
{
	struct queue *q = &queues[this_cpu()->id];

	/* Keep the compiler from computing it anew for each member. */
	__asm__("" : "+r"(q));
	return q;
}

uint64_t queue_refusals(void)
{
	return this_queue()->refusals;
}

static void refused(const char *call, unsigned index, uint64_t ptr, uint64_t val, long err,
		    unsigned long caller)
{
	char where[64];

	symbol_name(caller, where, sizeof(where));
	printk("mmu: Xen refused %s, entry %u: address 0x%lx value 0x%lx, error %ld, asked for by "
	       "%s\n",
	       call, index, ptr, val, err, where);
	trace(refused, __HYPERVISOR_mmu_update, index, caller);
	this_queue()->refusals++;
}

/* Report entry @done of @q and send those behind it. */
static void resend(struct queue *q, unsigned done, long err)
{
	while (done < q->n) {
		refused("mmu_update", done, q->u[done].ptr, q->u[done].val, err, q->caller[done]);
		if (++done == q->n)
			return;
		q->done = 0;
		err = hyp_mmu_update(q->u + done, q->n - done, &q->done);
		if (err == 0)
			return;
		done += q->done;
	}
}

static void reset(struct queue *q)
{
	struct cpu *c = this_cpu();

	if (q->n)
		count_updates(q->n);
	if (q->n > 1)
		trace(batch, q->n, q->flush_all ? ~0ul : q->nflush, q->caller[0]);
	if (q->flush_all)
		c->counters[CNT_tlb_full]++;
	else
		c->counters[CNT_tlb_pages] += q->nflush;
	q->n = q->nflush = 0;
	q->flush_all = q->flush_remote = q->single = false;
	for (unsigned i = 0; i < ARRAY_SIZE(q->filter); i++)
		q->filter[i] = 0;
}

static unsigned flush_ops(struct queue *q)
{
	unsigned n = 0;

	if (q->flush_all) {
		q->op[0].cmd = q->flush_remote ? MMUEXT_TLB_FLUSH_ALL : MMUEXT_TLB_FLUSH_LOCAL;
		return 1;
	}
	for (; n < q->nflush; n++) {
		q->op[n].cmd = q->flush_remote ? MMUEXT_INVLPG_ALL : MMUEXT_INVLPG_LOCAL;
		q->op[n].arg1.linear_addr = q->flush[n];
	}
	return n;
}

/* Interrupts are off in all below. */
unsigned queue_take(struct multicall_entry *mc)
{
	struct queue *q = this_queue();
	unsigned used = 0, n = flush_ops(q);

	if (q->n) {
		q->done = 0;
		mc[used].op = __HYPERVISOR_mmu_update;
		mc[used].args[0] = HC(q->u);
		mc[used].args[1] = q->n;
		mc[used].args[2] = HC(&q->done);
		mc[used++].args[3] = DOMID_SELF;
	}
	if (n) {
		mc[used].op = __HYPERVISOR_mmuext_op;
		mc[used].args[0] = HC(q->op);
		mc[used].args[1] = n;
		mc[used].args[2] = 0;
		mc[used++].args[3] = DOMID_SELF;
	}
	return used;
}

void queue_taken(const struct multicall_entry *mc, unsigned n)
{
	struct queue *q = this_queue();

	if (!n)
		return;
	if (q->n && (long)mc[0].result < 0)
		resend(q, q->done, mc[0].result);
	reset(q);
}

static void send_single(struct queue *q)
{
	unsigned long flags = 0;
	long err;

	if (q->flush_all)
		flags = UVMF_TLB_FLUSH;
	else if (q->nflush)
		flags = UVMF_INVLPG;
	if (flags)
		flags |= q->flush_remote ? UVMF_ALL : UVMF_LOCAL;
	err = hyp_update_va_mapping(q->single_va, q->u[0].val, flags);
	if (err)
		refused("update_va_mapping", 0, q->single_va, q->u[0].val, err, q->caller[0]);
}

static void send(struct queue *q)
{
	struct multicall_entry mc[2];
	unsigned n;

	if (!q->n && !q->nflush && !q->flush_all)
		return;
	if (q->n == 1 && q->single) {
		send_single(q);
	} else if (q->n && !q->nflush && !q->flush_all) {
		long err;

		q->done = 0;
		err = hyp_mmu_update(q->u, q->n, &q->done);
		if (err)
			resend(q, q->done, err);
	} else {
		n = queue_take(mc);
		hyp_multicall(mc, n);
		if (q->n && (long)mc[0].result < 0)
			resend(q, q->done, mc[0].result);
	}
	reset(q);
}

/*
 * Instead of `invlpg` of what has changed: mmu_update for all that waits, with the TLB flushes,
 * in one multicall. Cost: a hypercall, or none if nothing waits.
 */
void pv_pte_commit(void)
{
	uint8_t irq = irq_save();

	send(this_queue());
	irq_restore(irq);
}

static void enqueue(struct queue *q, uint64_t maddr, uint64_t val, unsigned long caller)
{
	q->u[q->n].ptr = maddr;
	q->u[q->n].val = val;
	q->caller[q->n++] = caller;
	q->single = false;
}

void queue_update(uint64_t maddr, uint64_t val)
{
	uint8_t irq = irq_save();
	struct queue *q = this_queue();

	if (q->n == QUEUE_MAX)
		send(q);
	enqueue(q, maddr, val, (unsigned long)__builtin_return_address(0));
	irq_restore(irq);
}

/* May a TLB hold @old in a way that @pte forbids? */
static bool must_flush(pte_t old, pte_t pte)
{
	if (!pte_present(old) || !(old.v & PTE_A))
		return false;
	if (!pte_present(pte) || ((old.v ^ pte.v) & PTE_FRAME))
		return true;
	return (old.v & ~pte.v & PTE_W) || (~old.v & pte.v & PTE_NX);
}

static inline void queue_flush(struct queue *q, uint64_t mask, unsigned long va)
{
	if (!mask)
		return;
	if (unlikely(mask & ~(1ull << this_cpu()->id)))
		q->flush_remote = true;
	if (q->flush_all)
		return;
	if (q->nflush == FLUSH_MAX)
		q->flush_all = true;
	else
		q->flush[q->nflush++] = va;
}

static uint64_t loaded_on(const struct mmu *m)
{
	return m == &kernel_mmu ? (2ull << (nr_cpus - 1)) - 1 : m->cpumask;
}

static unsigned slot_bit(const pte_t *slot)
{
	return (unsigned long)slot / sizeof(pte_t) % 512;
}

/* Looked up from the youngest entry: the last value wins. */
static __attribute__((noinline)) uint64_t search(const struct queue *q, const pte_t *slot)
{
	uint64_t maddr = pt_maddr(slot);

	for (unsigned i = q->n; i-- > 0;)
		if ((q->u[i].ptr & ~7ull) == maddr)
			return q->u[i].val;
	return READ_ONCE(slot->v);
}

static inline pte_t pending_value(const struct queue *q, const pte_t *slot)
{
	unsigned bit = slot_bit(slot);

	if (unlikely((q->filter[bit / 64] >> bit % 64) & 1))
		return (pte_t){search(q, slot)};
	return (pte_t){READ_ONCE(slot->v)};
}

/* Instead of a store: an entry in this CPU's queue. Cost: none by itself. */
void pv_pte_write(struct mmu *m, unsigned long va, pte_t *slot, pte_t pte)
{
	uint8_t irq = irq_save();
	struct queue *q = this_queue();
	unsigned n, bit = slot_bit(slot);
	uint64_t ptr = pt_maddr(slot);
	pte_t old;

	if (unlikely(q->n == QUEUE_MAX))
		send(q);
	old = pending_value(q, slot);
	n = q->n++;
	q->single = false;
	if (!pte_present(old)) {
		/* Nothing to flush, no A and D bits to lose. */
		q->single = n == 0 && this_cpu()->mmu == m;
		q->single_va = va;
	} else {
		if (pte_present(pte) && !((old.v ^ pte.v) & PTE_FRAME))
			ptr |= MMU_PT_UPDATE_PRESERVE_AD;
		else if (n == 0 && this_cpu()->mmu == m) {
			q->single = true;
			q->single_va = va;
		}
		if (must_flush(old, pte))
			queue_flush(q, loaded_on(m), va);
	}
	q->u[n].ptr = ptr;
	q->u[n].val = pte.v;
	q->caller[n] = (unsigned long)__builtin_return_address(0);
	q->filter[bit / 64] |= 1ull << bit % 64;
	if (unlikely(!batching))
		send(q);
	irq_restore(irq);
}

/*
 * Instead of a store and `invlpg`: update_va_mapping, flush included. Cost: a hypercall. A page
 * fault changes one entry of the loaded space and wants it at once. If nothing waits, the
 * bookkeeping of the queue is left out: 250 instructions of 2900.
 */
void pv_pte_write_now(struct mmu *m, unsigned long va, pte_t *slot, pte_t pte)
{
	unsigned long caller = (unsigned long)__builtin_return_address(0), flags = 0;
	uint8_t irq = irq_save();
	struct queue *q = this_queue();
	long err;

	if (q->n || q->nflush || q->flush_all || this_cpu()->mmu != m) {
		irq_restore(irq);
		pv_pte_write(m, va, slot, pte);
		pv_pte_commit();
		return;
	}
	if (must_flush(*slot, pte))
		flags = UVMF_INVLPG |
			(m->cpumask & ~(1ull << this_cpu()->id) ? UVMF_ALL : UVMF_LOCAL);
	err = hyp_update_va_mapping(va, pte.v, flags);
	if (err)
		refused("update_va_mapping", 0, va, pte.v, err, caller);
	count_updates(1);
	if (flags)
		count(tlb_pages);
	irq_restore(irq);
}

/*
 * Instead of a load: the queue is searched first, as the table still has the old value. Cost: a
 * load if nothing waits.
 */
pte_t pv_pte_pending(pte_t *slot)
{
	uint8_t irq = irq_save();
	pte_t value = pending_value(this_queue(), slot);

	irq_restore(irq);
	return value;
}

int mmu_update_now(const struct mmu_update *u, unsigned n, unsigned long caller)
{
	unsigned done = 0;
	long err = hyp_mmu_update(u, n, &done);

	count_updates(n);
	if (!err)
		return 0;
	refused("mmu_update", done, u[min(done, n - 1)].ptr, u[min(done, n - 1)].val, err, caller);
	return -EIO;
}

int mmuext_now(const struct mmuext_op *op, unsigned n, unsigned long caller)
{
	unsigned done = 0;
	long err = hyp_mmuext_op(op, n, &done);

	if (!err)
		return 0;
	done = min(done, n - 1);
	refused("mmuext_op", done, op[done].cmd, op[done].arg1.mfn, err, caller);
	return -EIO;
}
