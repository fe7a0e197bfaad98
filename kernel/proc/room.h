/* SPDX-License-Identifier: MIT */
/* What the files of kernel/proc/ share with each other and with nobody else. */
#ifndef PROC_ROOM_H
#define PROC_ROOM_H

#include <proc.h>

/* timer.c */
void timers_init_cpu(struct cpu *c);
/* The CPU must be interrupted at @deadline at the latest. Interrupts off. */
void timer_need(ktime_t deadline);
/* It will be, anyway. */
bool timer_armed_by(ktime_t deadline);

/* sched.c */
/* A thread's first steps on a CPU: the second half of the switch that brought it there. */
void sched_first_run(void);

#endif
