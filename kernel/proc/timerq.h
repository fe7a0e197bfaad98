/* SPDX-License-Identifier: MIT */
/* The ordering of timers, apart from locks and CPUs (timerq.c): host-tested. */
#ifndef TIMERQ_H
#define TIMERQ_H

#include <proc.h>

/* Insert @t, by time; among equals behind those there. True if it is now the first. */
bool timerq_insert(struct list *q, struct ktimer *t);
/* Take off and return the first timer if it is due at @now; else NULL. */
struct ktimer *timerq_pop(struct list *q, ktime_t now);
/* When the first is due, or KTIME_NEVER. */
ktime_t timerq_first(const struct list *q);

#endif
