/* SPDX-License-Identifier: MIT */
/*
 * The boot record as text, a line for each fact: docs/record.md. Made piece by piece as it is read,
 * so that 100 KiB of text need no buffer; a cursor is the number of an item (header, source of
 * events, phase, operation) and the number of bytes of its differences that are told already.
 */
#include "record.h"
#include <machine.h>
#include <printk.h>
#include <string.h>
#include <version.h>

#define LINE_MAX 96 /* no line is longer, but for the header's */
#define HEADER_MAX 300

/* Items behind the header, by what the cursor's upper bits say. */
#define FIRST_PHASE (1 + TALLY_EVENTS)
#define FIRST_OP (FIRST_PHASE + RECORD_PHASES)

static const struct {
	const char *name;
	unsigned n;
} classes[] = {
#define X(name, n, text) {#name, n},
	TALLY_CLASSES(X)
#undef X
};

static size_t member_name(const char *class, unsigned i, char *buf, size_t size)
{
	const char *name = NULL;
	unsigned number;

	if (!strcmp(class, "calls") && machine->call_names)
		name = machine->call_names[i];
	else if (!strcmp(class, "counters"))
		name = counter_name(i);
	else if (!strcmp(class, "events"))
		name = tally_event_name(i, &number);
	else if (strcmp(class, "traps") != 0)
		i = 1u << i;
	return name ? snprintk(buf, size, "%s", name) : snprintk(buf, size, "%u", i);
}

/* " calls 12 mmu_update" */
static size_t difference(unsigned index, uint64_t value, char *buf)
{
	char name[40];
	unsigned c = 0;

	for (; c < ARRAY_SIZE(classes) - 1 && index >= classes[c].n; c++)
		index -= classes[c].n;
	member_name(classes[c].name, index, name, sizeof(name));
	return snprintk(buf, LINE_MAX, " %s %lu %s\n", classes[c].name, value, name);
}

static size_t header(char *buf)
{
	return snprintk(buf, HEADER_MAX,
			"record 1\nworld %s\nhypervisor %s\nversion %s\ntsc_khz %lu\nclock %s\n",
			boot_info.world, boot_info.hypervisor, PARVIX_RELEASE, boot_info.tsc_khz,
			boot_info.clock ? boot_info.clock : "none");
}

static size_t event_source(unsigned i, char *buf)
{
	unsigned number;
	const char *name = tally_event_name(i, &number);

	return name ? snprintk(buf, LINE_MAX, "event %u %s\n", number, name) : 0;
}

static size_t title(const struct record *r, char *buf)
{
	static const char *const kinds[] = {
		[RECORD_FORK] = "fork", [RECORD_EXEC] = "exec", [RECORD_EXIT] = "exit"};
	uint64_t ticks = r->at - boot_info.entry_tsc;
	size_t n;

	if (r->kind == RECORD_PHASE)
		n = snprintk(buf, LINE_MAX, "phase %lu %lu %u %s\n", record_ns(ticks), ticks,
			     r->cpu, r->name);
	else
		n = snprintk(buf, LINE_MAX, "%s %lu %lu %u %d %d %s\n", kinds[r->kind],
			     r->at + records.clock_zero, r->took, r->cpu, r->pid, r->child,
			     r->name);
	for (size_t i = 0; i < n - 1; i++) /* a program's name may be anything */
		if ((unsigned char)buf[i] < ' ')
			buf[i] = '?';
	if (r->cut)
		n += snprintk(buf + n, LINE_MAX, " cut 1 -\n");
	return n;
}

/* Of @r from *@at on: as much as fits. True: that was all. */
static bool record_lines(const struct record *r, unsigned *at, char *buf, size_t size, size_t *used)
{
	if (*at == 0) {
		if (*used + 2 * LINE_MAX > size)
			return false;
		*used += title(r, buf + *used);
	}
	while (*at < r->len) {
		unsigned index;
		uint64_t value;

		if (*used + LINE_MAX > size)
			return false;
		*at = delta_unpack(r->delta, r->len, *at, &index, &value);
		*used += difference(index, value, buf + *used);
	}
	return true;
}

size_t record_format(uint64_t *cursor, char *buf, size_t size)
{
	uint64_t item = *cursor >> 16;
	unsigned at = *cursor & 0xffff;
	size_t used = 0;
	struct record r;

	if (item == 0)
		used = header(buf);
	for (item = max(item, (uint64_t)1); item < FIRST_PHASE && used + LINE_MAX <= size; item++)
		used += event_source(item - 1, buf + used);
	while (item >= FIRST_PHASE) {
		bool phase = item < FIRST_OP;
		uint64_t first = phase ? FIRST_PHASE : FIRST_OP, number = item - first;

		if (!record_get(&number, phase, &r)) {
			if (!phase)
				break;
			item = FIRST_OP;
			continue;
		}
		if (first + number != item)
			at = 0;
		item = first + number;
		if (!record_lines(&r, &at, buf, size, &used))
			break;
		item++;
		at = 0;
	}
	*cursor = item << 16 | at;
	return used;
}

/* Calls to the hypervisor in @r. */
static uint64_t calls_in(const struct record *r)
{
	uint64_t sum = 0, value;
	unsigned index;

	for (size_t at = 0; at < r->len;) {
		at = delta_unpack(r->delta, r->len, at, &index, &value);
		if (index < MAX_CALLS) /* the first class */
			sum += value;
	}
	return sum;
}

size_t record_marks(uint64_t *cursor, char *buf, size_t size)
{
	uint64_t i = *cursor, calls = 0;
	size_t used = 0;
	struct record r;

	for (uint64_t before = 0; before < i && record_get(&before, true, &r); before++)
		calls += calls_in(&r);
	for (; used + LINE_MAX <= size && record_get(&i, true, &r); i++) {
		calls += calls_in(&r);
		used += snprintk(buf + used, LINE_MAX, "%s %lu %lu\n", r.name,
				 r.at - boot_info.entry_tsc, calls);
	}
	*cursor = i;
	return used;
}
