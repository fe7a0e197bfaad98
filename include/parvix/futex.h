/* SPDX-License-Identifier: MIT */
/* The system call futex, and the list of locks that the kernel lets go when a thread ends. */
#ifndef PARVIX_FUTEX_H
#define PARVIX_FUTEX_H

/* Sleep if *addr is still `value`: 0, EAGAIN if not, ETIMEDOUT, EINTR. */
#define FUTEX_WAIT 0
/* Wake up to `value` of those who sleep at addr; how many. */
#define FUTEX_WAKE 1
/* Wake one, let up to `value` others sleep at the second address instead; how many in all. */
#define FUTEX_REQUEUE 2
#define FUTEX_PRIVATE 0x80   /* of this process alone, even if the memory is shared */
#define FUTEX_REALTIME 0x100 /* the deadline is one of CLOCK_REALTIME, not of CLOCK_MONOTONIC */

/* A robust lock's word: who owns it, and what the kernel says of one who ended owning it. */
#define FUTEX_TID_MASK 0x3fffffff
#define FUTEX_OWNER_DIED 0x40000000
#define FUTEX_WAITERS 0x80000000u

#ifndef __ASSEMBLER__
struct robust_list {
	struct robust_list *next;
};

/* The list of locks that a thread holds: circular, ends at `list`. */
struct robust_list_head {
	struct robust_list list;
	long futex_offset;                   /* from a link to its lock's word */
	struct robust_list *list_op_pending; /* being taken or released just now; or 0 */
};
#endif

#endif
