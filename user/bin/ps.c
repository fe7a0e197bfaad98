/* SPDX-License-Identifier: MIT */
/*
 * ps [-aAefl] [-p pid]: processes, from /proc/processes. Without options those of this session; -e
 * all; -f with owner, parent and arguments; -l with state and memory too. `ps aux` is `ps -ef`.
 */
#include "../lib/util.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A line of /proc/processes is these numbers and words, the name, and the arguments. */
struct process {
	int pid, ppid, group, session, foreground;
	char tty[16], state;
	unsigned uid;
	int nice;
	unsigned long long user_us, system_us;
	unsigned long resident, size; /* KiB */
	unsigned long long start_ms;
	char name[32];
	const char *args;
};

static bool all, full, long_form;
static long only_pid = -1;

static bool parse(const char *line, struct process *p)
{
	int used = 0;
	int n = sscanf(line, "%d %d %d %d %d %15s %c %u %d %llu %llu %lu %lu %llu %31s %n", &p->pid,
		       &p->ppid, &p->group, &p->session, &p->foreground, p->tty, &p->state, &p->uid,
		       &p->nice, &p->user_us, &p->system_us, &p->resident, &p->size, &p->start_ms,
		       p->name, &used);

	p->args = line + used;
	return n == 15 && used > 0;
}

static void show(const struct process *p)
{
	unsigned long long hundredths = (p->user_us + p->system_us) / 10000;

	if (full)
		printf("%-8s ", user_name(p->uid));
	printf("%5d ", p->pid);
	if (full || long_form)
		printf("%5d %5d ", p->ppid, p->group);
	if (long_form)
		printf("%c%c %6lu %6lu ", p->state, p->foreground == p->group ? '+' : ' ', p->size,
		       p->resident);
	printf("%-7s %3llu:%02llu.%02llu ", p->tty, hundredths / 6000, hundredths / 100 % 60,
	       hundredths % 100);
	if (full && *p->args)
		puts(p->args);
	else
		printf(full ? "[%s]\n" : "%s\n", p->name);
}

int main(int argc, char **argv)
{
	pid_t session = getsid(0);
	char *text, *rest, *line;
	bool found = false;
	struct process p;
	int c;

	prog_init(argv);
	while ((c = getopt(argc, argv, "aAeflp:x")) != -1) {
		switch (c) {
		case 'a':
		case 'A':
		case 'x':
		case 'e':
			all = true;
			break;
		case 'f':
			full = true;
			break;
		case 'l':
			long_form = true;
			break;
		case 'p':
			only_pid = parse_number(optarg, "process number");
			break;
		default:
			usage("[-aAefl] [-p pid]");
		}
	}
	if (optind < argc)
		all = full = true;
	text = rest = read_file("/proc/processes", NULL);
	if (!text)
		fatal("/proc/processes");
	printf("%s%5s %s%s%-7s %9s %s\n", full ? "USER     " : "", "PID",
	       full || long_form ? " PPID  PGRP " : "", long_form ? "S    SIZE    RSS " : "", "TTY",
	       "TIME", "COMMAND");
	while ((line = strsep(&rest, "\n"))) {
		if (!parse(line, &p))
			continue;
		if (only_pid < 0 ? !all && p.session != session : p.pid != only_pid)
			continue;
		show(&p);
		found = true;
	}
	free(text);
	return finish() || !found;
}
