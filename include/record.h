/* SPDX-License-Identifier: MIT */
/*
 * The boot record (kernel/trace/record.c): what each phase of the boot, and then each fork, exec
 * and exit, has cost, as differences of everything that a CPU counts (trace.h, "tallies").
 */
#ifndef RECORD_H
#define RECORD_H

#include <trace.h>
#include <types.h>

/*
 * The phase @name ends here: what was counted since the mark before is its cost. The first mark is
 * the first instruction. @name is copied, and cut to 23 bytes; marks beyond the 32nd are dropped,
 * and what they would have had is lost with them. Any context; before `machine` is set, boot code
 * only.
 */
void boot_mark(const char *name);
/* /proc/boot accepts marks from now on, and the clock runs. Called once, by boot code. */
void record_init(void);

enum record_kind { RECORD_PHASE, RECORD_FORK, RECORD_EXEC, RECORD_EXIT };

/*
 * The cost of one operation of a process: begun, and ended by the same thread. While it sleeps,
 * others run on the CPU, and their cost is in it: the counter `switches` tells. NULL: no memory,
 * and there will be no record. Threads only.
 */
struct record_op;
struct record_op *record_begin(ktime_t now);
/* Frees @op, which may be NULL. @child: of a fork, else 0. */
void record_end(struct record_op *op, ktime_t now, enum record_kind kind, pid_t pid, pid_t child,
		const char *name);
/* Frees @op: the operation has failed, and is not recorded. */
void record_drop(struct record_op *op);

/* Text of /proc/boot.record (docs/record.md), as procfs_entry.stream. */
size_t record_format(uint64_t *cursor, char *buf, size_t size);
/* The same of /proc/boot: a line "name ticks calls" for each phase. */
size_t record_marks(uint64_t *cursor, char *buf, size_t size);
/* A mark by a program. 0, -EINVAL. */
int record_mark_command(const char *word);

/*
 * Differences (kernel/trace/delta.c), packed: an index of one byte, then the value, 7 bits a byte,
 * lowest first, the highest bit set in all but the last.
 */
#define DELTA_MAX 11 /* bytes of one */
/*
 * Of @n (at most 256) counters, those that differ go into @buf, and @old becomes @now for them. A
 * counter that has become smaller was cleared meanwhile: its value is the difference. Returns bytes
 * used; when less than DELTA_MAX are left the rest is left out, in @old as well, and *@cut is set.
 */
size_t delta_pack(uint64_t *old, const uint64_t *now, unsigned n, uint8_t *buf, size_t size,
		  bool *cut);
/* The difference at @pos of @len bytes; returns the position of the next. @pos < @len. */
size_t delta_unpack(const uint8_t *buf, size_t len, size_t pos, unsigned *index, uint64_t *value);

#endif
