/* SPDX-License-Identifier: MIT */
/*
 * Timers in order: a list sorted by time. Most new timers are later than those there, so the place
 * is looked for from the end.
 */
#include "timerq.h"

bool timerq_insert(struct list *q, struct ktimer *t)
{
	struct list *pos = q->prev;

	while (pos != q && list_entry(pos, struct ktimer, link)->when > t->when)
		pos = pos->prev;
	list_add(pos, &t->link);
	return pos == q;
}

struct ktimer *timerq_pop(struct list *q, ktime_t now)
{
	struct ktimer *t;

	if (list_empty(q))
		return NULL;
	t = list_first(q, struct ktimer, link);
	if (t->when > now)
		return NULL;
	list_del(&t->link);
	return t;
}

ktime_t timerq_first(const struct list *q)
{
	return list_empty(q) ? KTIME_NEVER : list_first(q, struct ktimer, link)->when;
}
