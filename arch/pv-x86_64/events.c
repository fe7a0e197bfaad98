/* SPDX-License-Identifier: MIT */
/*
 * Event channels: the interrupts of a PV guest.
 *
 * Natively a device raises a line, the interrupt controller picks a vector, the processor looks it
 * up in the IDT. Here an event is a bit. shared_info has an array of pending bits and one of mask
 * bits, by "port" (an index the guest gets when it binds a source: a virtual interrupt such as the
 * timer, another domain, another of its own CPUs). Xen sets the pending bit; if it was clear and
 * the port is not masked, also the bit of its word in the CPU's evtchn_pending_sel, then
 * evtchn_upcall_pending; and if the CPU's evtchn_upcall_mask is 0, it enters entry_event. Two
 * levels of 64 bits give 4096 ports.
 *
 * The handler works downwards: clear upcall_pending, fetch and clear the selector, in each word
 * take the bits that are pending and not masked, clear each *before* handling it, so that an event
 * that comes during its handler is not lost. No acknowledgement, no hypercall: a bound event costs
 * one upcall (some 500 instructions) however many bits are set.
 *
 * A source that fires without end must not keep the CPU for ever: a port that comes more than STORM
 * times within STORM_WINDOW is masked for STORM_PAUSE; the first time, that is said. The clock is
 * read only when a port has come STORM times. The timer's port is left out: it comes once for each
 * time that we arm it, and without it nothing would end the pause.
 */
#include <lock.h>
#include <printk.h>
#include <proc.h>
#include <string.h>
#include "hypercall.h"
#include "pv.h"

#define PORTS 256 /* of 4096; a table entry each */
#define STORM 10000
#define STORM_WINDOW (100 * NSEC_PER_MSEC)
#define STORM_PAUSE (10 * NSEC_PER_MSEC)

static struct handler {
	void (*fn)(void *arg);
	void *arg;
	const char *name;
	uint64_t count;
	unsigned recent; /* times that it came since */
	ktime_t since;
	bool throttled;
	bool never_throttled;
} handlers[PORTS];

static spinlock_t lock = SPINLOCK("evtchn");
static struct ktimer storm_timer;
static bool storm_said;

void events_init(void)
{
	memset((void *)shared_info_page.evtchn_mask, 0xff, sizeof(shared_info_page.evtchn_mask));
	this_cpu()->arch = &shared_info_page.vcpu_info[0];
	this_vcpu_info()->evtchn_upcall_mask = 1;
}

static void bit_clear(volatile xen_ulong_t *words, unsigned bit)
{
	__asm__ volatile("lock btrq %1, %0"
			 : "+m"(words[bit / 64])
			 : "r"((uint64_t)bit % 64)
			 : "cc", "memory");
}

static void bit_set(volatile xen_ulong_t *words, unsigned bit)
{
	__asm__ volatile("lock btsq %1, %0"
			 : "+m"(words[bit / 64])
			 : "r"((uint64_t)bit % 64)
			 : "cc", "memory");
}

static bool bit_test(const volatile xen_ulong_t *words, unsigned bit)
{
	return (words[bit / 64] >> bit % 64) & 1;
}

void evtchn_mask(unsigned port)
{
	bit_set(shared_info_page.evtchn_mask, port);
}

/* An event that came while the port was masked is pending without having been told: Xen looks. */
void evtchn_unmask(unsigned port)
{
	struct evtchn_unmask op = {.port = port};

	if (bit_test(shared_info_page.evtchn_pending, port))
		hyp_event_channel_op(EVTCHNOP_unmask, &op);
	else
		bit_clear(shared_info_page.evtchn_mask, port);
	/* Between test and clear it may have come: */
	if (bit_test(shared_info_page.evtchn_pending, port))
		hyp_event_channel_op(EVTCHNOP_unmask, &op);
}

static void storm_over(struct ktimer *t)
{
	(void)t;
	for (unsigned port = 1; port < PORTS; port++)
		if (handlers[port].throttled) {
			handlers[port].throttled = false;
			evtchn_unmask(port);
		}
}

/* @h came STORM times: within what time? */
static void storm_check(struct handler *h, unsigned port)
{
	ktime_t now = pv_clock_monotonic(), span = now - h->since;

	h->recent = 0;
	h->since = now;
	if (span > STORM_WINDOW || h->never_throttled)
		return;
	if (!storm_said)
		printk("events: port %u (%s) came %d times in %ld us: masked for a while, and so "
		       "will others be without a word\n",
		       port, h->name, STORM, span / NSEC_PER_USEC);
	storm_said = true;
	h->throttled = true;
	evtchn_mask(port);
	ktimer_set(&storm_timer, now + STORM_PAUSE, storm_over, NULL);
}

static void deliver(unsigned port)
{
	struct handler *h;

	count(events);
	trace(event, port, 0, 0);
	if (port >= PORTS || !handlers[port].fn) {
		evtchn_mask(port); /* nobody's */
		return;
	}
	h = &handlers[port];
	h->count++;
	if (unlikely(++h->recent == STORM))
		storm_check(h, port);
	h->fn(h->arg);
}

static void deliver_word(unsigned word)
{
	xen_ulong_t bits = shared_info_page.evtchn_pending[word] &
			   ~shared_info_page.evtchn_mask[word];

	while (bits) {
		unsigned port = word * 64 + __builtin_ctzl(bits);

		bits &= bits - 1;
		bit_clear(shared_info_page.evtchn_pending, port);
		deliver(port);
	}
}

/* From entry.S; events are masked. */
void pv_event(struct trapframe *tf)
{
	struct cpu *c = this_cpu();
	struct vcpu_info *v = this_vcpu_info();

	tf->cs &= 0xffff;
	c->counters[CNT_upcalls]++;
	c->in_irq = true;
	do {
		xen_ulong_t words;

		v->evtchn_upcall_pending = 0;
		words = __atomic_exchange_n(&v->evtchn_pending_sel, 0, __ATOMIC_SEQ_CST);
		while (words) {
			deliver_word(__builtin_ctzl(words));
			words &= words - 1;
		}
	} while (READ_ONCE(v->evtchn_upcall_pending));
	c->in_irq = false;
}

void evtchn_never_throttle(unsigned port)
{
	handlers[port].never_throttled = true;
}

int evtchn_bind_handler(unsigned port, void (*fn)(void *), void *arg, const char *name)
{
	if (port >= PORTS)
		return -ENOSPC;
	spin_lock(&lock);
	handlers[port] = (struct handler){.fn = fn, .arg = arg, .name = name};
	spin_unlock(&lock);
	evtchn_unmask(port);
	return port;
}

/* Virtual interrupt @virq of this CPU. Returns the port, or -EIO, -ENOSPC. */
int evtchn_bind_virq(unsigned virq, void (*fn)(void *), void *arg, const char *name)
{
	struct evtchn_bind_virq op = {.virq = virq, .vcpu = this_cpu()->id};

	if (hyp_event_channel_op(EVTCHNOP_bind_virq, &op))
		return -EIO;
	if (virq == VIRQ_TIMER && op.port < PORTS)
		handlers[op.port].recent = 0;
	return evtchn_bind_handler(op.port, fn, arg, name);
}

/* An interdomain port that @remote may bind to. Returns the port, or -EIO, -ENOSPC. */
int evtchn_alloc_unbound(unsigned remote, void (*fn)(void *), void *arg, const char *name)
{
	struct evtchn_alloc_unbound op = {.dom = DOMID_SELF, .remote_dom = remote};

	if (hyp_event_channel_op(EVTCHNOP_alloc_unbound, &op))
		return -EIO;
	return evtchn_bind_handler(op.port, fn, arg, name);
}

/* A port on which this CPU can send an event to itself. */
int evtchn_bind_ipi(void (*fn)(void *), void *arg, const char *name)
{
	struct evtchn_bind_ipi op = {.vcpu = this_cpu()->id};

	if (hyp_event_channel_op(EVTCHNOP_bind_ipi, &op))
		return -EIO;
	return evtchn_bind_handler(op.port, fn, arg, name);
}

void evtchn_close(unsigned port)
{
	struct evtchn_close op = {.port = port};

	evtchn_mask(port);
	hyp_event_channel_op(EVTCHNOP_close, &op);
	spin_lock(&lock);
	if (port < PORTS)
		handlers[port].fn = NULL;
	spin_unlock(&lock);
}

int evtchn_send(unsigned port)
{
	struct evtchn_send op = {.port = port};

	return hyp_event_channel_op(EVTCHNOP_send, &op) ? -EIO : 0;
}

size_t events_describe(char *buf, size_t size)
{
	size_t n = snprintk(buf, size, "events:\n");

	for (unsigned port = 1; port < PORTS && n < size; port++)
		if (handlers[port].fn)
			n += snprintk(buf + n, size - n, "  port %3u  %10lu  %s\n", port,
				      handlers[port].count, handlers[port].name);
	return min(n, size);
}
