/* SPDX-License-Identifier: MIT */
/*
 * Time.
 *
 * Natively: find the TSC's frequency, hope that it is constant, read a clock chip for the date, set
 * the local APIC's timer. Here Xen has done the measuring and publishes, in the shared page, for
 * each virtual CPU
 *
 *     system_time      nanoseconds since Xen's boot at the moment when ..
 *     tsc_timestamp    .. the TSC was this
 *     mul, shift       nanoseconds = ((ticks << shift) * mul) >> 32
 *
 * and so the clock costs one rdtsc, a multiplication and no hypercall (unless the domain's rdtsc is
 * set to trap: about 1,200 instructions then). Xen updates the record now and then (frequency, or a
 * move to another processor): `version` is odd while it does, and different afterwards, so a reader
 * copies, looks again, and repeats if it changed. The result could step back by a few nanoseconds
 * at an update; the last value given out is therefore a floor.
 *
 * The date is published the same way: wc_sec, wc_nsec are the date at system time 0.
 *
 * Timer: one shot, no tick. VCPUOP_set_singleshot_timer takes an absolute system time, and
 * VIRQ_TIMER comes when it is reached; if that is over already, at once. (With
 * VCPU_SSHOTTMR_future Xen would answer -ETIME instead and the caller would have to make the event
 * himself, for which the caller may not be in the position: it may hold locks.) The 100 Hz
 * periodic timer that Xen gives every PV guest is switched off first.
 */
#include <machine.h>
#include <printk.h>
#include "hypercall.h"
#include "pv.h"

static uint64_t boot_ns;    /* system time at our start: monotonic 0 */
static uint64_t last_ns;    /* the floor */
static ktime_t wall_offset; /* date at monotonic 0 */
static uint32_t wall_version = ~0u;
static ktime_t armed[MAX_CPUS];
static int timer_port;

static uint64_t ticks_to_ns(uint64_t ticks, int8_t shift, uint32_t mul)
{
	if (shift < 0)
		ticks >>= -shift;
	else
		ticks <<= shift;
	return ((unsigned __int128)ticks * mul) >> 32;
}

static uint64_t system_time(void)
{
	const volatile struct vcpu_time_info *t = &this_vcpu_info()->time;
	uint64_t ns;
	uint32_t version;

	do {
		version = t->version;
		barrier();
		ns = t->system_time + ticks_to_ns(rdtsc_now() - t->tsc_timestamp, t->tsc_shift,
						  t->tsc_to_system_mul);
		barrier();
	} while ((version & 1) || version != t->version);
	return ns;
}

/*
 * Instead of `rdtsc`, scaled: `rdtsc`, scaled by what Xen keeps in shared_info. Cost: no
 * hypercall; a trap of 1,200 instructions where RDTSC is emulated.
 */
ktime_t pv_clock_monotonic(void)
{
	uint64_t ns = system_time(), last = __atomic_load_n(&last_ns, __ATOMIC_RELAXED);

	do {
		if (ns <= last)
			return last - boot_ns;
	} while (!__atomic_compare_exchange_n(&last_ns, &last, ns, true, __ATOMIC_RELAXED,
					      __ATOMIC_RELAXED));
	return ns - boot_ns;
}

/* Instead of reading the battery clock: the wall clock of shared_info. Cost: a few loads. */
ktime_t pv_clock_wall_offset(void)
{
	const volatile struct shared_info *s = &shared_info_page;
	uint32_t version;
	uint64_t sec, nsec;

	if (s->wc_version == wall_version)
		return wall_offset;
	do {
		version = s->wc_version;
		barrier();
		sec = ((uint64_t)s->wc_sec_hi << 32) | s->wc_sec;
		nsec = s->wc_nsec;
		barrier();
	} while ((version & 1) || version != s->wc_version);
	wall_offset = sec * NSEC_PER_SEC + nsec + boot_ns;
	wall_version = version;
	return wall_offset;
}

uint64_t pv_system_time(ktime_t t)
{
	return t == KTIME_NEVER ? 0 : (uint64_t)max(t, 0l) + boot_ns;
}

/* Instead of a register of the local APIC: VCPUOP_set_singleshot_timer. Cost: a hypercall. */
void pv_timer_set(ktime_t deadline)
{
	ktime_t *now_armed = &armed[this_cpu()->id];
	struct vcpu_set_singleshot_timer op;

	if (deadline == *now_armed)
		return;
	*now_armed = deadline;
	trace(timer, deadline, 0, 0);
	if (deadline == KTIME_NEVER) {
		hyp_vcpu_op(VCPUOP_stop_singleshot_timer, this_cpu()->id, NULL);
		return;
	}
	op.timeout_abs_ns = pv_system_time(deadline);
	op.flags = 0;
	hyp_vcpu_op(VCPUOP_set_singleshot_timer, this_cpu()->id, &op);
}

static void timer_event(void *unused)
{
	(void)unused;
	armed[this_cpu()->id] = KTIME_NEVER;
	timer_interrupt();
}

/* The rate that Xen's time information implies: a second's ns / (ns of a tick). */
static uint64_t tsc_khz(void)
{
	const volatile struct vcpu_time_info *t = &this_vcpu_info()->time;
	uint64_t khz = t->tsc_to_system_mul ? (1000000ull << 32) / t->tsc_to_system_mul : 0;

	return t->tsc_shift < 0 ? khz << -t->tsc_shift : khz >> t->tsc_shift;
}

void time_init(void)
{
	boot_ns = system_time();
	boot_info.clock = "pvclock";
	boot_info.tsc_khz = tsc_khz();
	last_ns = boot_ns;
	armed[this_cpu()->id] = KTIME_NEVER;
	hyp_vcpu_op(VCPUOP_stop_periodic_timer, this_cpu()->id, NULL);
	timer_port = evtchn_bind_virq(VIRQ_TIMER, timer_event, NULL, "timer");
	if (timer_port < 0)
		early_die("Xen gives us no timer (VIRQ_TIMER refused)");
	evtchn_never_throttle(timer_port);
}

/* For the self-test, interrupts off: does the timer's event come within a second? @late: how late.
 */
bool timer_test(ktime_t after, ktime_t *late)
{
	evtchn_port_t port = timer_port;
	struct sched_poll poll = {.nr_ports = 1};
	ktime_t deadline = pv_clock_monotonic() + after;

	set_xen_guest_handle(poll.ports, &port);
	poll.timeout = pv_system_time(deadline + NSEC_PER_SEC);
	pv_timer_set(deadline);
	hyp_sched_op(SCHEDOP_poll, &poll);
	*late = pv_clock_monotonic() - deadline;
	return (shared_info_page.evtchn_pending[port / 64] >> port % 64) & 1;
}
