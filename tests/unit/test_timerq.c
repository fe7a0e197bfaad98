/* SPDX-License-Identifier: MIT */
/*
 * The order of timers.
 * SOURCES: kernel/proc/timerq.c
 */
#include "test.h"

#include "../../kernel/proc/timerq.h"

#define N 50

static struct list q;
static struct ktimer timers[N];

TEST(an_empty_queue_is_never_due)
{
	list_init(&q);
	CHECK_EQ(timerq_first(&q), KTIME_NEVER);
	CHECK(timerq_pop(&q, KTIME_NEVER) == NULL);
}

TEST(timers_come_out_by_time_and_then_by_age)
{
	ktime_t now = 0, first = KTIME_NEVER;

	list_init(&q);
	for (int i = 0; i < N; i++) {
		timers[i].when = (ktime_t)(test_random() % 20);
		bool is_first = timerq_insert(&q, &timers[i]);

		CHECK_EQ(is_first, timers[i].when < first);
		first = min(first, timers[i].when);
		CHECK_EQ(timerq_first(&q), first);
	}
	struct ktimer *last = NULL;
	int n = 0;

	while (now < 20) {
		struct ktimer *t = timerq_pop(&q, now);

		if (!t) {
			CHECK(timerq_first(&q) > now);
			now++;
			continue;
		}
		n++;
		CHECK_EQ(t->when, now);
		if (last && last->when == t->when)
			CHECK(last < t);
		last = t;
	}
	CHECK_EQ(n, N);
	CHECK(list_empty(&q));
}

TEST(a_timer_is_due_at_its_time_and_not_before)
{
	list_init(&q);
	timers[0].when = 100;
	timerq_insert(&q, &timers[0]);
	CHECK(timerq_pop(&q, 99) == NULL);
	CHECK(timerq_pop(&q, 100) == &timers[0]);
}
