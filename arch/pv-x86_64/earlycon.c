/* SPDX-License-Identifier: MIT */
/*
 * The console before (and besides) any driver: output that is outside when the call returns.
 *
 * Natively: a UART's ports. Here there are two, and which one is known from birth:
 *
 *   initial domain    HYPERVISOR_console_io: Xen copies the text to its own console, synchronously,
 *                     from the first instruction on, needing no shared page, no event and no memory
 *                     of ours. Input: Xen raises VIRQ_CONSOLE, CONSOLEIO_read fetches it (Xen keeps
 *                     at most 128 bytes between two reads).
 *   ordinary domain   a release build of Xen refuses that call (-EPERM). The toolstack has made a
 *                     page with a ring of bytes for each direction and an event channel to the
 *                     console daemon, before our first instruction: console_ring.h.
 *
 * The page is found early, too (PV: boot.c, PVH: pvh.c), while the first page tables are in use.
 * The kernel's own have it elsewhere: console_moved().
 *
 * The ring holds 2048 bytes and the daemon may be slow (it reads at most 30 events in 200 ms). A
 * message that does not fit waits for room, on the event or a millisecond at a time, so nothing is
 * lost. If nothing moves for PATIENCE, the daemon is taken for dead: messages are dropped and
 * counted until there is room again, which is then said. SCHEDOP_poll does the waiting: it works
 * with events masked. Time for that comes from VCPUOP_get_runstate_info, which works when nothing
 * is set up; reading it, and waiting, cost a hypercall each, paid only when the ring is full.
 *
 * Cost: a hypercall a message, as console_io, plus the daemon's work in another domain.
 */
#include <printk.h>
#include <string.h>
#include "../../drivers/pvfront/console_ring.h"
#include "hypercall.h"
#include "pv.h"

#define PATIENCE (5 * NSEC_PER_SEC)
#define NAP NSEC_PER_MSEC

static struct console_ring ring = {.lock = SPINLOCK("console ring")};
static bool early = true; /* no per-CPU data, no shared_info page yet */
static bool dead;         /* nobody takes what we write */
static uint64_t lost;     /* bytes, since it is dead */

/* Counted and traced as soon as that is possible. */
static long call(unsigned nr, unsigned long a1, unsigned long a2, unsigned long a3)
{
	return early ? hypercall_raw(nr, a1, a2, a3, 0, 0) : hypercall(nr, a1, a2, a3, 0, 0);
}

static void kick(void)
{
	struct evtchn_send op = {.port = ring.port};

	call(__HYPERVISOR_event_channel_op, EVTCHNOP_send, HC(&op), 0);
}

void console_early(void)
{
	if (!birth.console.page)
		return;
	ring.port = birth.console.port;
	console_ring_attach(&ring, birth.console.page);
}

void console_moved(void)
{
	if (ring.page)
		ring.page = birth.console.page;
	early = false;
}

/*
 * Sleep until the daemon sends an event, or NAP is over. Returns the time (hypervisor's, ns) at
 * which this CPU began to run; after a sleep that is now.
 *
 * A port that is pending already would end the sleep at once, so the bit is cleared first, and set
 * again by event_again(). As long as there is no shared_info that cannot be done: only time.
 */
static uint64_t nap(void)
{
	struct vcpu_runstate_info state = {0};
	evtchn_port_t port = ring.port;
	struct sched_poll poll = {.nr_ports = early ? 0 : 1};

	set_xen_guest_handle(poll.ports, &port);
	if (!early)
		__atomic_fetch_and(&shared_info_page.evtchn_pending[port / 64], ~(1ul << port % 64),
				   __ATOMIC_SEQ_CST);
	call(__HYPERVISOR_vcpu_op, VCPUOP_get_runstate_info, 0, HC(&state));
	poll.timeout = state.state_entry_time + NAP;
	if (call(__HYPERVISOR_sched_op, SCHEDOP_poll, HC(&poll), 0)) {
		poll.nr_ports = 0; /* the port is none: by time only */
		call(__HYPERVISOR_sched_op, SCHEDOP_poll, HC(&poll), 0);
	}
	call(__HYPERVISOR_vcpu_op, VCPUOP_get_runstate_info, 0, HC(&state));
	return state.state_entry_time;
}

/* The event that nap() has taken may have been meant for the handler: input. */
static void event_again(void)
{
	if (early)
		return;
	__atomic_fetch_or(&shared_info_page.evtchn_pending[ring.port / 64], 1ul << ring.port % 64,
			  __ATOMIC_SEQ_CST);
	__atomic_fetch_or(&this_vcpu_info()->evtchn_pending_sel, 1ul << ring.port / 64,
			  __ATOMIC_SEQ_CST);
	this_vcpu_info()->evtchn_upcall_pending = 1;
	/* Under PV whoever unmasks events looks at this. In PVH it is Xen, when it is entered. */
	if (birth.pvh)
		call(__HYPERVISOR_xen_version, XENVER_version, 0, 0);
}

/* Wait until at most @unsent bytes are in the ring. False: no progress for PATIENCE. */
static bool wait_for_daemon(uint32_t unsent)
{
	uint32_t left = console_ring_unsent(&ring), now_left;
	uint64_t now, since = 0;
	bool moved = true;

	while (moved && left > unsent && !ring.broken) {
		now = nap();
		now_left = console_ring_unsent(&ring);
		if (now_left < left || since == 0)
			since = now;
		left = now_left;
		moved = now - since < PATIENCE;
	}
	event_again();
	return moved && !ring.broken;
}

static void tell_lost(void)
{
	char text[80];
	size_t n = snprintk(text, sizeof(text), "\n[console: %lu bytes were lost here]\n", lost);

	if (console_ring_room(&ring) < CONSOLE_OUT_SIZE / 2)
		return;
	console_ring_put(&ring, text, n);
	dead = false;
	lost = 0;
}

/* All of it, waiting for room; or, if nobody reads, not. */
static void ring_write(const char *text, size_t n)
{
	if (dead)
		tell_lost();
	while (n > 0 && !dead) {
		size_t put = console_ring_put(&ring, text, n);

		text += put;
		n -= put;
		kick();
		if (n > 0)
			dead = !wait_for_daemon(CONSOLE_OUT_SIZE / 2);
	}
	if (dead)
		lost += n;
}

/*
 * Instead of the serial port and the screen: console_io, or bytes into a ring and an event.
 * Cost: a hypercall.
 */
size_t pv_console_write(const char *text, size_t n)
{
	bool locked = machine && !panicking;

	count_add(console_out, n);
	if (!ring.page) {
		hyp_console_io(CONSOLEIO_write, n, (char *)text);
		return n;
	}
	if (locked)
		spin_lock(&ring.lock);
	ring_write(text, n);
	if (locked)
		spin_unlock(&ring.lock);
	return n;
}

struct console_ring *hv_console_ring(void)
{
	return ring.page ? &ring : NULL;
}

/*
 * Instead of the serial port and the keyboard: console_io. Cost: a hypercall. Not for the ring:
 * its frontend reads that.
 */
size_t pv_console_read(char *buf, size_t n)
{
	long got = ring.page ? 0 : hyp_console_io(CONSOLEIO_read, n, buf);

	if (got <= 0)
		return 0;
	count_add(console_in, got);
	return got;
}

void console_drain(void)
{
	if (ring.page && !dead)
		dead = !wait_for_daemon(0);
}

bool pv_console_busy(void)
{
	return ring.lock.locked;
}

static void console_event(void *unused)
{
	(void)unused;
	console_interrupt();
}

void console_bind(void)
{
	if (!ring.page && evtchn_bind_virq(VIRQ_CONSOLE, console_event, NULL, "console input") < 0)
		early_print("console: Xen gives us no input (VIRQ_CONSOLE refused)\n");
}

/* These work with nothing set up at all. */
void early_print(const char *text)
{
	if (ring.page)
		ring_write(text, strlen(text));
	else
		call(__HYPERVISOR_console_io, CONSOLEIO_write, strlen(text), HC(text));
}

void early_print_hex(const char *before, unsigned long v)
{
	char buf[20] = "0x0000000000000000\n";

	for (unsigned i = 0; i < 16; i++)
		buf[17 - i] = "0123456789abcdef"[(v >> (4 * i)) & 15];
	early_print(before);
	early_print(buf);
}

void early_die(const char *sentence)
{
	struct sched_shutdown crash = {.reason = SHUTDOWN_crash};

	early_print("Parvix cannot start: ");
	early_print(sentence);
	early_print("\n");
	console_drain();
	hypercall_raw(__HYPERVISOR_sched_op, SCHEDOP_shutdown, HC(&crash), 0, 0, 0);
	for (;;)
		hypercall_raw(__HYPERVISOR_sched_op, SCHEDOP_block, 0, 0, 0, 0);
}
