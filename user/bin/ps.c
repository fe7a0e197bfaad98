/* SPDX-License-Identifier: MIT */
/*
 * ps [-aAefl] [-p pid]: processes, from /proc. Without options those of this session; -e all; -f
 * with parent, times and arguments, -l with sizes too. /proc/PID/stat has the fields of Linux's.
 */
#include "../lib/util.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct process {
	int pid, ppid, pgrp, session, tty, foreground;
	char state, name[64];
	unsigned long user_ticks, system_ticks, start, size, pages;
	uid_t uid;
};

static bool all, full, long_form;
static long only_pid = -1;

static char *proc_file(const char *pid, const char *name, size_t *len)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%s/%s", pid, name);
	return read_file(path, len);
}

/* "pid (name) state ppid ...": the name may contain anything, so look for its last ')'. */
static bool parse(const char *text, struct process *p)
{
	const char *open = strchr(text, '('), *close = strrchr(text, ')');
	int n;

	if (!open || !close || close < open)
		return false;
	p->pid = atoi(text);
	snprintf(p->name, sizeof(p->name), "%.*s", (int)(close - open - 1), open + 1);
	n = sscanf(close + 1,
		   " %c %d %d %d %d %d %*u %*u %*u %*u %*u %lu %lu %*d %*d %*d %*d %*d %*d %lu %lu %lu",
		   &p->state, &p->ppid, &p->pgrp, &p->session, &p->tty, &p->foreground,
		   &p->user_ticks, &p->system_ticks, &p->start, &p->size, &p->pages);
	return n == 11;
}

static void print_command(const char *pid, const struct process *p)
{
	size_t len = 0;
	char *args = full ? proc_file(pid, "cmdline", &len) : NULL;

	if (!args || len == 0) {
		printf(full ? "[%s]\n" : "%s\n", p->name);
	} else {
		for (size_t i = 0; i + 1 < len; i++)
			if ((unsigned char)args[i] < ' ')
				args[i] = ' ';
		puts(args);
	}
	free(args);
}

static void show(const char *pid, const struct process *p)
{
	unsigned long seconds = (p->user_ticks + p->system_ticks) / 100;
	char tty[16];

	snprintf(tty, sizeof(tty), "%s", p->tty ? "console" : "-");
	if (full)
		printf("%-8s ", user_name(p->uid));
	printf("%5d ", p->pid);
	if (full || long_form)
		printf("%5d %5d ", p->ppid, p->pgrp);
	if (long_form)
		printf("%c%s ", p->state, p->foreground == p->pgrp && p->tty ? "+" : " ");
	if (long_form)
		printf("%6lu %6lu ", p->size / 1024, p->pages * 4);
	printf("%-7s %3lu:%02lu ", tty, seconds / 60, seconds % 60);
	print_command(pid, p);
}

static int by_number(const void *a, const void *b)
{
	return atoi(*(char *const *)a) - atoi(*(char *const *)b);
}

int main(int argc, char **argv)
{
	pid_t session = getsid(0);
	struct process p;
	size_t count = 0;
	char **names;
	bool found = false;
	int c;

	prog_init(argv);
	while ((c = getopt(argc, argv, "aAeflp:x")) != -1) {
		switch (c) {
		case 'a':
		case 'A':
		case 'x':
		case 'e': all = true; break;
		case 'f': full = true; break;
		case 'l': long_form = true; break;
		case 'p': only_pid = parse_number(optarg, "process number"); break;
		default: usage("[-aAefl] [-p pid]");
		}
	}
	for (; optind < argc; optind++) /* as in `ps aux` */
		all = full = true;
	names = list_dir("/proc");
	if (!names)
		fatal("/proc");
	while (names[count])
		count++;
	qsort(names, count, sizeof(*names), by_number);
	printf("%s%5s %s%s%s%-7s %6s %s\n", full ? "USER     " : "", "PID",
	       full || long_form ? " PPID  PGRP " : "", long_form ? "S  " : "",
	       long_form ? "KBYTES    RSS " : "", "TTY", "TIME", "COMMAND");
	for (char **n = names; *n; n++) {
		struct stat st;
		char *text;

		if (!isdigit((unsigned char)**n) || !(text = proc_file(*n, "stat", NULL)))
			continue; /* not a process, or it has ended meanwhile */
		memset(&p, 0, sizeof(p));
		if (parse(text, &p) && (only_pid < 0 ? all || p.session == session
						     : p.pid == only_pid)) {
			char path[32];

			snprintf(path, sizeof(path), "/proc/%s", *n);
			p.uid = stat(path, &st) == 0 ? st.st_uid : 0;
			show(*n, &p);
			found = true;
		}
		free(text);
	}
	finish();
	return !found;
}
