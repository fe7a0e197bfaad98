/* SPDX-License-Identifier: MIT */
/*
 * What trace_open() gives: a descriptor from which events of a process are read, whole structures.
 * A thread waits at each event but the last until the reader has come back for more, or closed: so
 * what its arguments point to can be read meanwhile, from /proc/PID/mem. 0 bytes are read when no
 * process is traced any more.
 */
#ifndef PARVIX_TRACER_H
#define PARVIX_TRACER_H

#include <parvix/types.h>

/* Flags of trace_open() */
#define TRACE_CHILDREN 1 /* those that are forked from now on, too */

/* Result of TRACE_END: it runs a set-id program, which is not shown. */
#define TRACE_DETACHED (-1)

enum trace_event_type {
	TRACE_ENTER = 1, /* a system call: number, args */
	TRACE_EXIT,      /* the same, and its result; -512, -513: interrupted, may be restarted */
	TRACE_SIGNAL, /* number is about to be received; args: si_code, si_pid, si_uid, si_addr */
	TRACE_END,    /* the process is gone; result: its wait status. No thread waits */
};

struct trace_event {
	unsigned type;
	parvix_pid_t pid, tid;
	int number;
	long result;
	long time; /* nanoseconds, of CLOCK_MONOTONIC */
	unsigned long args[6];
};

#endif
