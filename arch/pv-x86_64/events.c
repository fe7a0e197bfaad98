/* SPDX-License-Identifier: MIT */
/*
 * Event channels: the interrupts of a PV guest.
 *
 * Natively a device raises a line, the interrupt controller picks a vector, the processor looks it
 * up in the IDT. Here an event is a bit. shared_info has an array of pending bits and one of mask
 * bits, by "port" (an index the guest gets when it binds a source: a virtual interrupt such as the
 * timer, another domain, another of its own CPUs). Xen sets the pending bit; if it was clear and
 * the port is not masked, also the bit of its word in the CPU's evtchn_pending_sel, then
 * evtchn_upcall_pending. Two levels of 64 bits give 4096 ports. How the CPU hears of it is the
 * only difference between the worlds:
 *
 *     PV    if evtchn_upcall_mask is 0, Xen sets it and enters entry_event (the callback)
 *     PVH   Xen interrupts it with a vector of its IDT, chosen by us (pvh.c), as soon as its
 *           interrupt flag allows that; evtchn_upcall_mask is not looked at
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
 *
 * What belongs to a port (struct handler) is kept in groups of 64, one per word of the bit arrays,
 * made when the first port of the group is bound: a domain has a dozen ports, and may have 4095.
 */
#include <lock.h>
#include <mm.h>
#include <printk.h>
#include <proc.h>
#include <string.h>
#include "hypercall.h"
#include "pv.h"

#define WORD_PORTS 64 /* in a word of the bit arrays */
#define WORDS (sizeof(shared_info_page.evtchn_pending) / sizeof(xen_ulong_t))
#define PORTS (WORDS * WORD_PORTS)
#define STORM 10000
#define STORM_WINDOW (100 * NSEC_PER_MSEC)
#define STORM_PAUSE (10 * NSEC_PER_MSEC)

struct handler {
	void (*fn)(void *arg);
	void *arg;
	const char *name;
	uint64_t count;
	unsigned tally;  /* its member of cpu->events */
	unsigned recent; /* times that it came since */
	bool masked;     /* by evtchn_mask() */
	bool throttled;  /* by the storm guard */
	bool never_throttled;
	ktime_t since;
};
_Static_assert(sizeof(struct handler) * WORD_PORTS <= PAGE_SIZE, "a group fits a page");
_Static_assert(sizeof(xen_ulong_t) * 8 == WORD_PORTS && WORDS == 64, "2-level event channels");

/* Bound before there is memory: the timer, the console. */
static struct handler first_group[WORD_PORTS];
static struct handler *groups[WORDS] = {first_group};

static spinlock_t lock = SPINLOCK("evtchn");
static struct handler *volatile delivering[MAX_CPUS]; /* whose function is being called */
static struct ktimer storm_timer;
static bool storm_said;

static struct handler *handler_of(unsigned port)
{
	struct handler *group = port < PORTS ? groups[port / WORD_PORTS] : NULL;

	return group ? &group[port % WORD_PORTS] : NULL;
}

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

static void mask(unsigned port)
{
	bit_set(shared_info_page.evtchn_mask, port);
}

/* An event that came while the port was masked is pending without having been told: Xen looks. */
static void unmask(unsigned port)
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

void evtchn_mask(unsigned port)
{
	struct handler *h = handler_of(port);

	if (!h)
		return;
	h->masked = true;
	mask(port);
}

void evtchn_unmask(unsigned port)
{
	struct handler *h = handler_of(port);

	if (!h)
		return;
	h->masked = false;
	if (!h->throttled)
		unmask(port);
}

static void storm_over(struct ktimer *t)
{
	(void)t;
	for (unsigned port = 1; port < PORTS; port++) {
		struct handler *h = handler_of(port);

		if (!h || !h->throttled)
			continue;
		h->throttled = false;
		if (!h->masked)
			unmask(port);
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
	mask(port);
	ktimer_set(&storm_timer, now + STORM_PAUSE, storm_over, NULL);
}

static void deliver(unsigned port)
{
	struct handler *h = handler_of(port), *volatile *here = &delivering[this_cpu()->id];
	void (*fn)(void *);

	count(events);
	trace(event, port, 0, 0);
	this_cpu()->events[h ? h->tally : 0]++;
	*here = h;
	__atomic_thread_fence(__ATOMIC_SEQ_CST); /* quiesce() clears fn and looks here */
	fn = h ? READ_ONCE(h->fn) : NULL;
	if (likely(fn)) {
		h->count++;
		if (unlikely(++h->recent == STORM))
			storm_check(h, port);
		fn(h->arg);
	} else {
		mask(port); /* nobody's */
	}
	*here = NULL;
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

void events_deliver(void)
{
	struct cpu *c = this_cpu();
	struct vcpu_info *v = this_vcpu_info();

	c->counters[CNT_upcalls]++;
	sched_idle_over();
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

/* From entry.S; events are masked. */
void pv_event(struct trapframe *tf)
{
	tf->cs &= 0xffff;
	events_deliver();
}

void evtchn_never_throttle(unsigned port)
{
	handler_of(port)->never_throttled = true;
}

int evtchn_bind_handler(unsigned port, void (*fn)(void *), void *arg, const char *name)
{
	struct handler **group = &groups[port / WORD_PORTS % WORDS];

	if (port == 0 || port >= PORTS)
		return -EIO;
	spin_lock(&lock);
	if (!*group)
		*group = kmalloc(sizeof(first_group), ALLOC_ZERO | ALLOC_ATOMIC);
	if (*group)
		(*group)[port % WORD_PORTS] = (struct handler){
			.fn = fn, .arg = arg, .name = name, .tally = tally_event(name, port)};
	spin_unlock(&lock);
	if (!*group)
		return -ENOSPC;
	unmask(port);
	return port;
}

/* A port that Xen has just given us: Xen's again if it cannot be used. */
static int bind_new(unsigned port, void (*fn)(void *), void *arg, const char *name)
{
	struct evtchn_close op = {.port = port};
	int got = evtchn_bind_handler(port, fn, arg, name);

	if (got < 0)
		hyp_event_channel_op(EVTCHNOP_close, &op);
	return got;
}

/* Virtual interrupt @virq of this CPU. Returns the port, or -EIO, -ENOSPC. */
int evtchn_bind_virq(unsigned virq, void (*fn)(void *), void *arg, const char *name)
{
	struct evtchn_bind_virq op = {.virq = virq, .vcpu = this_cpu()->id};

	if (hyp_event_channel_op(EVTCHNOP_bind_virq, &op))
		return -EIO;
	return bind_new(op.port, fn, arg, name);
}

/* An interdomain port that @remote may bind to. Returns the port, or -EIO, -ENOSPC. */
int evtchn_alloc_unbound(unsigned remote, void (*fn)(void *), void *arg, const char *name)
{
	struct evtchn_alloc_unbound op = {.dom = DOMID_SELF, .remote_dom = remote};

	if (hyp_event_channel_op(EVTCHNOP_alloc_unbound, &op))
		return -EIO;
	return bind_new(op.port, fn, arg, name);
}

/* A port on which this CPU can send an event to itself. */
int evtchn_bind_ipi(void (*fn)(void *), void *arg, const char *name)
{
	struct evtchn_bind_ipi op = {.vcpu = this_cpu()->id};

	if (hyp_event_channel_op(EVTCHNOP_bind_ipi, &op))
		return -EIO;
	return bind_new(op.port, fn, arg, name);
}

/* No call of the handler of @port any more, on any CPU, once this has returned. */
static void quiesce(unsigned port)
{
	struct handler *h = handler_of(port);

	mask(port);
	if (!h)
		return;
	spin_lock(&lock);
	h->fn = NULL;
	h->throttled = false;
	spin_unlock(&lock);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	/* On this CPU it runs with interrupts off: then it is we who run inside it. */
	for (unsigned i = 0; i < nr_cpus; i++)
		while (i != this_cpu()->id && delivering[i] == h)
			cpu_relax();
}

void evtchn_unbind_handler(unsigned port)
{
	if (port < PORTS)
		quiesce(port);
}

void evtchn_close(unsigned port)
{
	struct evtchn_close op = {.port = port};

	if (port == 0 || port >= PORTS)
		return;
	/* Before Xen may give the same number to somebody else. */
	quiesce(port);
	hyp_event_channel_op(EVTCHNOP_close, &op);
}

void evtchn_poll(unsigned port, ktime_t deadline)
{
	evtchn_port_t ports[1] = {port};
	struct sched_poll poll = {.nr_ports = 1, .timeout = pv_system_time(deadline)};

	if (port == 0 || port >= PORTS)
		return;
	set_xen_guest_handle(poll.ports, ports);
	if (!bit_test(shared_info_page.evtchn_pending, port))
		hyp_sched_op(SCHEDOP_poll, &poll);
	bit_clear(shared_info_page.evtchn_pending, port);
}

int evtchn_send(unsigned port)
{
	struct evtchn_send op = {.port = port};

	return hyp_event_channel_op(EVTCHNOP_send, &op) ? -EIO : 0;
}

/* What Xen has bound @port to. */
static size_t describe_source(unsigned port, char *buf, size_t size)
{
	struct evtchn_status st = {.dom = DOMID_SELF, .port = port};

	if (hyp_event_channel_op(EVTCHNOP_status, &st))
		return snprintk(buf, size, "?");
	switch (st.status) {
	case EVTCHNSTAT_unbound:
		return snprintk(buf, size, "waits for domain %u", st.u.unbound.dom);
	case EVTCHNSTAT_interdomain:
		return snprintk(buf, size, "domain %u port %u", st.u.interdomain.dom,
				st.u.interdomain.port);
	case EVTCHNSTAT_virq:
		return snprintk(buf, size, "virq %u", st.u.virq);
	case EVTCHNSTAT_ipi:
		return snprintk(buf, size, "ourselves");
	default:
		return snprintk(buf, size, "closed");
	}
}

size_t hv_events_describe(char *buf, size_t size)
{
	size_t n = 0;

	for (unsigned port = 1; port < PORTS && n < size; port++) {
		const struct handler *h = handler_of(port);
		char source[40];

		if (!h || !h->fn)
			continue;
		describe_source(port, source, sizeof(source));
		n += snprintk(buf + n, size - n, "  port %3u  %10lu  %-20s %s%s\n", port, h->count,
			      source, h->name,
			      h->throttled ? " (storm)"
			      : h->masked  ? " (masked)"
					   : "");
	}
	return min(n, size);
}
