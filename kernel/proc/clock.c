/* SPDX-License-Identifier: MIT */
/*
 * Clocks and spans of time.
 *
 * Inside the kernel all time is monotonic nanoseconds since boot, 63 bits: 292 years. The wall
 * clock is that plus an offset, which the machine knows at boot (natively from the battery clock,
 * under PV from the shared page, where Xen keeps it) and clock_settime changes. Deadlines given
 * by programs may be absurd; additions saturate at KTIME_NEVER, which is "never".
 */
#include <machine.h>
#include <proc.h>

static ktime_t wall_adjust; /* what clock_settime added to the machine's offset */

ktime_t clock_now(void)
{
	return machine->clock_monotonic();
}

ktime_t clock_wall_at(ktime_t now)
{
	return machine->clock_wall_offset() + now + wall_adjust;
}

ktime_t clock_wall(void)
{
	return clock_wall_at(clock_now());
}

ktime_t clock_until_wall(ktime_t wall)
{
	return ktime_add(clock_now(), max(wall - clock_wall(), 0l));
}

int clock_set_wall(ktime_t wall)
{
	if (wall < 0 || wall > INT64_MAX / 2) /* sums with it must not overflow: until 2116 */
		return -EINVAL;
	wall_adjust = wall - machine->clock_wall_offset() - machine->clock_monotonic();
	return 0;
}

ktime_t ktime_add(ktime_t a, ktime_t b)
{
	ktime_t sum;

	return __builtin_add_overflow(a, b, &sum) ? KTIME_NEVER : sum;
}

static ktime_t from_parts(long sec, long nsec)
{
	ktime_t t;

	if (__builtin_mul_overflow(sec, NSEC_PER_SEC, &t))
		return KTIME_NEVER;
	return ktime_add(t, nsec);
}

int ktime_from_timespec(const struct parvix_timespec *ts, ktime_t *out)
{
	if (ts->tv_sec < 0 || ts->tv_nsec < 0 || ts->tv_nsec >= NSEC_PER_SEC)
		return -EINVAL;
	*out = from_parts(ts->tv_sec, ts->tv_nsec);
	return 0;
}

int ktime_from_timeval(const struct parvix_timeval *tv, ktime_t *out)
{
	if (tv->tv_sec < 0 || tv->tv_usec < 0 || tv->tv_usec >= 1000000)
		return -EINVAL;
	*out = from_parts(tv->tv_sec, tv->tv_usec * NSEC_PER_USEC);
	return 0;
}

struct parvix_timespec ktime_to_timespec(ktime_t t)
{
	return (struct parvix_timespec){.tv_sec = t / NSEC_PER_SEC, .tv_nsec = t % NSEC_PER_SEC};
}

struct parvix_timeval ktime_to_timeval(ktime_t t)
{
	return (struct parvix_timeval){.tv_sec = t / NSEC_PER_SEC,
				       .tv_usec = t % NSEC_PER_SEC / NSEC_PER_USEC};
}
