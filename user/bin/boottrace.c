/* SPDX-License-Identifier: MIT */
/*
 * boottrace [-hjpv] [file]: what each phase of the boot has cost, from /proc/boot.record (or @file,
 * a copy of it), as a table. A phase's figures are what happened since the one above it.
 *
 *   -p  the last forks, execs and exits instead
 *   -v  everything that was counted, by kind
 *   -j  phases, processes and devices as JSON: the form is in docs/record.md
 */
#include "../lib/json.h"
#include "../lib/util.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SOURCE "/proc/boot.record"
#define WIDTH 100

typedef unsigned long long number;

/* " calls 12 mmu_update" */
struct item {
	char *class, *name;
	number value;
};

struct record {
	char *kind, *name; /* "phase", "fork", "exec", "exit" */
	number at, took;   /* ns */
	number ticks;      /* phases */
	int cpu, pid, child;
	struct item *items;
	size_t nr_items;
};

static struct record *records;
static size_t nr_records;
static char *world, *hypervisor, *version, *tsc_khz, *clock_name;

/* ---- reading ---- */

/* The next word of *@rest, which moves behind it; "" at the end. */
static char *word(char **rest)
{
	char *w = strsep(rest, " ");

	return w ? w : "";
}

static number next_number(char **rest)
{
	return strtoull(word(rest), NULL, 10);
}

static void add_item(char *line)
{
	struct record *r = &records[nr_records - 1];
	struct item *i;

	r->items = xrealloc(r->items, (r->nr_items + 1) * sizeof(*i));
	i = &r->items[r->nr_items++];
	i->class = word(&line);
	i->value = next_number(&line);
	i->name = line ? line : "";
}

static void add_record(char *kind, char *rest)
{
	struct record *r;

	records = xrealloc(records, (nr_records + 1) * sizeof(*r));
	r = &records[nr_records++];
	memset(r, 0, sizeof(*r));
	r->kind = kind;
	r->at = next_number(&rest);
	if (strcmp(kind, "phase") == 0) {
		r->ticks = next_number(&rest);
		r->cpu = (int)next_number(&rest);
	} else {
		r->took = next_number(&rest);
		r->cpu = (int)next_number(&rest);
		r->pid = (int)next_number(&rest);
		r->child = (int)next_number(&rest);
	}
	r->name = rest ? rest : "";
}

static void parse_line(char *line)
{
	static const struct {
		const char *word;
		char **value;
	} head[] = {{"world", &world},
		    {"hypervisor", &hypervisor},
		    {"version", &version},
		    {"tsc_khz", &tsc_khz},
		    {"clock", &clock_name}};
	char *first;

	if (*line == ' ') {
		if (nr_records)
			add_item(line + 1);
		return;
	}
	first = word(&line);
	if (!line)
		return;
	for (size_t i = 0; i < ARRAY_LEN(head); i++)
		if (strcmp(first, head[i].word) == 0)
			*head[i].value = line;
	if (!strcmp(first, "phase") || !strcmp(first, "fork") || !strcmp(first, "exec") ||
	    !strcmp(first, "exit"))
		add_record(first, line);
}

static void parse(char *text)
{
	struct record *phase = NULL;
	char *line;

	world = hypervisor = version = clock_name = "?";
	tsc_khz = "0";
	while ((line = strsep(&text, "\n")))
		parse_line(line);
	for (size_t i = 0; i < nr_records; i++)
		if (strcmp(records[i].kind, "phase") == 0) {
			records[i].took = phase ? records[i].at - phase->at : 0;
			phase = &records[i];
		}
}

static bool is_phase(const struct record *r)
{
	return strcmp(r->kind, "phase") == 0;
}

/* Of class @class, the member @name; NULL: the sum of all. */
static number sum_of(const struct record *r, const char *class, const char *name)
{
	number sum = 0;

	for (size_t i = 0; i < r->nr_items; i++)
		if (!strcmp(r->items[i].class, class) && (!name || !strcmp(r->items[i].name, name)))
			sum += r->items[i].value;
	return sum;
}

/* ---- tables ---- */

struct column {
	const char *title;
	int width;
	const char *class, *names[3]; /* summed */
};

static const struct column phase_columns[] = {
	{"calls", 6, "calls", {NULL}},
	{"traps", 5, "traps", {NULL}},
	{"PTEs", 6, "counters", {"pte_stores", "pte_updates"}},
	{"pins", 5, "counters", {"pins", "unpins"}},
	{"flush", 5, "counters", {"tlb_pages", "tlb_full"}},
	{"events", 6, "events", {NULL}},
	{"irqflag", 7, "counters", {"irq_flag"}},
	{"port", 6, "counters", {"port_io"}},
	{"MSR", 4, "counters", {"msr_io"}},
};
static const struct column op_columns[] = {
	{"calls", 6, "calls", {NULL}},
	{"traps", 5, "traps", {NULL}},
	{"PTEs", 6, "counters", {"pte_stores", "pte_updates"}},
	{"pins", 5, "counters", {"pins", "unpins"}},
	{"flush", 5, "counters", {"tlb_pages", "tlb_full"}},
	{"pages", 6, "counters", {"pages_zeroed", "pages_copied"}},
	{"switches", 8, "counters", {"switches"}},
};

static number cell(const struct record *r, const struct column *c)
{
	number sum = 0;

	if (!c->names[0])
		return sum_of(r, c->class, NULL);
	for (int i = 0; c->names[i]; i++)
		sum += sum_of(r, c->class, c->names[i]);
	return sum;
}

static void print_number(int width, number n)
{
	if (n)
		printf(" %*llu", width, n);
	else
		printf(" %*s", width, ".");
}

/* @ns as milliseconds or microseconds (@unit in ns) with three digits behind the point. */
static void print_time(int width, number ns, unsigned unit)
{
	char text[32];

	snprintf(text, sizeof(text), "%llu.%03llu", ns / unit, ns % unit * 1000 / unit);
	printf(" %*s", width, text);
}

static void print_titles(const struct column *c, size_t n)
{
	for (; n > 0; n--, c++)
		printf(" %*s", c->width, c->title);
	printf("\n");
}

/* "    calls     mmu_update=5, memory_op=1" and the other classes, in lines of WIDTH. */
static void print_items(const struct record *r)
{
	for (size_t i = 0; i < r->nr_items; i++) {
		const struct item *it = &r->items[i];
		bool first = i == 0 || strcmp(it[-1].class, it->class) != 0;
		static int column;
		char text[80];
		int n = snprintf(text, sizeof(text), "%s=%llu", it->name, it->value);

		if (first)
			column = printf("%s    %-9s", i ? "\n" : "", it->class) - (i != 0);
		else if (column + n + 3 > WIDTH)
			column = printf(",\n             ") - 2;
		else
			column += printf(",");
		column += printf(" %s", text);
	}
	if (r->nr_items)
		printf("\n");
}

static void print_phase(const struct record *r, number all, bool verbose)
{
	number share = all ? r->took * 1000 / all : 0;

	printf("%-12.12s", r->name);
	print_time(9, r->at, 1000000);
	print_time(9, r->took, 1000000);
	printf(" %3llu.%llu", share / 10, share % 10);
	for (size_t i = 0; i < ARRAY_LEN(phase_columns); i++)
		print_number(phase_columns[i].width, cell(r, &phase_columns[i]));
	printf("\n");
	if (verbose)
		print_items(r);
}

static void print_phases(bool verbose)
{
	number all = 0, sums[ARRAY_LEN(phase_columns)] = {0};

	for (size_t i = 0; i < nr_records; i++)
		if (is_phase(&records[i])) {
			all = records[i].at;
			for (size_t c = 0; c < ARRAY_LEN(sums); c++)
				sums[c] += cell(&records[i], &phase_columns[c]);
		}
	printf("Parvix %s, %s world, hypervisor %s, clock %s, %s ticks per ms\n", version, world,
	       hypervisor, clock_name, tsc_khz);
	printf("%-12s %9s %9s %5s", "phase until", "at, ms", "took, ms", "%");
	print_titles(phase_columns, ARRAY_LEN(phase_columns));
	for (size_t i = 0; i < nr_records; i++)
		if (is_phase(&records[i]))
			print_phase(&records[i], all, verbose);
	printf("%-12s", "all");
	print_time(19, all, 1000000);
	printf(" 100.0");
	for (size_t c = 0; c < ARRAY_LEN(sums); c++)
		print_number(phase_columns[c].width, sums[c]);
	printf("\n");
}

static void print_processes(bool verbose)
{
	printf("%-4s %5s %5s %-12s %10s %10s", "what", "pid", "child", "program", "at, ms",
	       "took, us");
	print_titles(op_columns, ARRAY_LEN(op_columns));
	for (size_t i = 0; i < nr_records; i++) {
		const struct record *r = &records[i];

		if (is_phase(r))
			continue;
		printf("%-4s", r->kind);
		print_number(5, (number)r->pid);
		print_number(5, (number)r->child);
		printf(" %-12.12s", r->name);
		print_time(10, r->at, 1000000);
		print_time(10, r->took, 1000);
		for (size_t c = 0; c < ARRAY_LEN(op_columns); c++)
			print_number(op_columns[c].width, cell(r, &op_columns[c]));
		printf("\n");
		if (verbose)
			print_items(r);
	}
}

/* ---- JSON ---- */

static void json_text(const char *key, const char *text)
{
	char quoted[256];

	json_string(text, quoted, sizeof(quoted));
	printf("\"%s\":%s", key, quoted);
}

/* ,"counters":{...},"calls":{...} ...: a class is there even if nothing of it happened. */
static void json_items(const struct record *r)
{
	static const char *const classes[] = {"counters", "calls", "batches",
					      "updates",  "traps", "events"};

	for (size_t c = 0; c < ARRAY_LEN(classes); c++) {
		const char *comma = "";

		printf(",\"%s\":{", classes[c]);
		for (size_t i = 0; i < r->nr_items; i++) {
			char name[128];

			if (strcmp(r->items[i].class, classes[c]) != 0)
				continue;
			json_string(r->items[i].name, name, sizeof(name));
			printf("%s%s:%llu", comma, name, r->items[i].value);
			comma = ",";
		}
		printf("}");
	}
	if (sum_of(r, "cut", NULL))
		printf(",\"cut\":true");
	printf("}");
}

static void json_phases(void)
{
	const char *comma = "";

	printf(",\n\"phases\":[");
	for (size_t i = 0; i < nr_records; i++) {
		const struct record *r = &records[i];

		if (!is_phase(r))
			continue;
		printf("%s\n{", comma);
		json_text("name", r->name);
		printf(",\"ns\":%llu,\"ticks\":%llu,\"cpu\":%d", r->at, r->ticks, r->cpu);
		json_items(r);
		comma = ",";
	}
	printf("]");
}

static void json_processes(void)
{
	const char *comma = "";

	printf(",\n\"processes\":[");
	for (size_t i = 0; i < nr_records; i++) {
		const struct record *r = &records[i];

		if (is_phase(r))
			continue;
		printf("%s\n{", comma);
		json_text("what", r->kind);
		printf(",\"pid\":%d,\"child\":%d,", r->pid, r->child);
		json_text("name", r->name);
		printf(",\"at\":%llu,\"ns\":%llu,\"cpu\":%d", r->at, r->took, r->cpu);
		json_items(r);
		comma = ",";
	}
	printf("]");
}

/* Value of a counter now (/proc/counters). */
static number counter(const char *text, const char *name)
{
	size_t n = strlen(name);

	for (; text; text = strchr(text, '\n')) {
		text += *text == '\n';
		if (strncmp(text, name, n) == 0 && text[n] == ' ')
			return strtoull(text + n, NULL, 10);
	}
	return 0;
}

static void json_device(const char *name, const char **comma, number in, number out)
{
	if (!in && !out)
		return;
	printf("%s\n{", *comma);
	json_text("name", name);
	printf(",\"read\":%llu,\"written\":%llu}", in, out);
	*comma = ",";
}

/* Disks from /proc/diskstats, the rest from counters: all up to now. */
static void json_devices(void)
{
	char *disks = read_file("/proc/diskstats", NULL), *rest = disks, *line;
	char *counters = read_file("/proc/counters", NULL);
	const char *comma = "";

	printf(",\n\"devices\":[");
	while (disks && (line = strsep(&rest, "\n"))) {
		number reads, read_sectors, writes, written_sectors;
		char name[40];

		if (sscanf(line, "%*s %*s %39s %llu %*s %llu %*s %llu %*s %llu", name, &reads,
			   &read_sectors, &writes, &written_sectors) != 5)
			continue;
		printf("%s\n{", comma);
		json_text("name", name);
		printf(",\"read\":%llu,\"written\":%llu,\"requests\":%llu}", read_sectors * 512,
		       written_sectors * 512, reads + writes);
		comma = ",";
	}
	json_device("console", &comma, counter(counters, "console_in"),
		    counter(counters, "console_out"));
	json_device("xenstore", &comma, counter(counters, "store_in"),
		    counter(counters, "store_out"));
	printf("]");
	free(disks);
	free(counters);
}

static void print_json(bool live)
{
	printf("{");
	json_text("world", world);
	printf(",");
	json_text("hypervisor", hypervisor);
	printf(",");
	json_text("version", version);
	printf(",\"tsc_khz\":%llu,", strtoull(tsc_khz, NULL, 10));
	json_text("clock", clock_name);
	json_phases();
	json_processes();
	if (live)
		json_devices();
	printf("}\n");
}

int main(int argc, char **argv)
{
	bool json = false, processes = false, verbose = false;
	const char *source = SOURCE;
	char *text;
	int c;

	prog_init(argv);
	while ((c = getopt(argc, argv, "hjpv")) != -1) {
		switch (c) {
		case 'j':
			json = true;
			break;
		case 'p':
			processes = true;
			break;
		case 'v':
			verbose = true;
			break;
		case 'h':
			printf("usage: boottrace [-hjpv] [file]\n"
			       "What each phase of the boot has cost, and what was counted in it.\n"
			       "  -p  the last forks, execs and exits instead\n"
			       "  -v  everything that was counted, by kind\n"
			       "  -j  all as JSON, with the bytes through each device\n"
			       "  file: a copy of " SOURCE "\n");
			return finish();
		default:
			usage("[-hjpv] [file]");
		}
	}
	if (optind + 1 < argc)
		usage("[-hjpv] [file]");
	if (optind < argc)
		source = argv[optind];
	text = read_file(source, NULL);
	if (!text)
		fatal("%s", source);
	if (strncmp(text, "record 1\n", 9) != 0)
		fatalx("%s: not a boot record", source);
	parse(text);
	if (json)
		print_json(optind == argc);
	else if (processes)
		print_processes(verbose);
	else
		print_phases(verbose);
	return finish();
}
