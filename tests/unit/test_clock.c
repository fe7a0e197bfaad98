/* SPDX-License-Identifier: MIT */
/*
 * Spans of time from user programs: none is so large or so wrong that it overflows.
 * SOURCES: kernel/proc/clock.c
 */
#include "test.h"

#include <machine.h>
#include <proc.h>

const struct machine *machine;

static int from(long sec, long nsec, ktime_t *out)
{
	struct parvix_timespec ts = {sec, nsec};

	return ktime_from_timespec(&ts, out);
}

TEST(timespecs)
{
	ktime_t t = -1;

	CHECK_EQ(from(0, 0, &t), 0);
	CHECK_EQ(t, 0);
	CHECK_EQ(from(1, 999999999, &t), 0);
	CHECK_EQ(t, 1999999999);
	CHECK_EQ(from(-1, 0, &t), -EINVAL);
	CHECK_EQ(from(0, -1, &t), -EINVAL);
	CHECK_EQ(from(0, 1000000000, &t), -EINVAL);
	CHECK_EQ(from(INT64_MIN, 0, &t), -EINVAL);
	CHECK_EQ(from(INT64_MAX, 999999999, &t), 0);
	CHECK_EQ(t, KTIME_NEVER);
	CHECK_EQ(from(9223372036, 854775807, &t), 0);
	CHECK_EQ(t, KTIME_NEVER);
	CHECK_EQ(from(9223372036, 854775806, &t), 0);
	CHECK_EQ(t, KTIME_NEVER - 1);
}

TEST(timevals)
{
	struct parvix_timeval tv = {2, 5};
	ktime_t t;

	CHECK_EQ(ktime_from_timeval(&tv, &t), 0);
	CHECK_EQ(t, 2000005000);
	tv.tv_usec = 1000000;
	CHECK_EQ(ktime_from_timeval(&tv, &t), -EINVAL);
	tv = (struct parvix_timeval){INT64_MAX, 0};
	CHECK_EQ(ktime_from_timeval(&tv, &t), 0);
	CHECK_EQ(t, KTIME_NEVER);
	tv = ktime_to_timeval(3000004999);
	CHECK_EQ(tv.tv_sec, 3);
	CHECK_EQ(tv.tv_usec, 4);
}

TEST(sums_saturate)
{
	CHECK_EQ(ktime_add(1, 2), 3);
	CHECK_EQ(ktime_add(1, KTIME_NEVER), KTIME_NEVER);
	CHECK_EQ(ktime_add(KTIME_NEVER - 1, 5), KTIME_NEVER);
}
