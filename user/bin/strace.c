/* SPDX-License-Identifier: MIT */
/*
 * strace [-fqtTc] [-s bytes] [-o file] [-e trace=[!]call,...] {-p pid | command...}: show the
 * system calls and signals of processes.
 *
 * The kernel gives a stream of events (<parvix/tracer.h>); the thread of an event waits until we
 * come back for the next one, so its memory can be read from /proc/PID/mem meanwhile. A call is
 * written when it begins, as far as it is known then, and completed when it ends; if another
 * thread's line comes between, both halves say so.
 *
 * A command is started by a child that waits in a pipe until it is traced; what it does before its
 * execve is not shown.
 */
#include "../lib/callfmt.h"
#include "../lib/util.h"

#include <errno.h>
#include <fcntl.h>
#include <parvix/tracer.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TEXT "[-fqtTc] [-s bytes] [-o file] [-e trace=[!]call,...] {-p pid | command...}"
#define THREADS 256 /* a thread's number modulo this finds its place */

static bool follow, quiet, stamps, spans, counting, inverse;
static const char *only; /* "open,close" */
static FILE *out;
static pid_t command; /* whose execve is awaited before anything is shown; 0: not or no more */
static pid_t shown;   /* thread whose line is not complete; 0: none */
static pid_t first;   /* thread of the first event */
static bool several;
static volatile sig_atomic_t stopped;

/* Calls under way. */
static struct under_way {
	pid_t tid;
	int written; /* arguments that have been */
	long since;
} under_way[THREADS];

static struct total {
	unsigned calls, errors;
	long time;
} totals[CALLS];

static void on_signal(int sig)
{
	stopped = sig;
}

/* ---- memory ---- */

static struct process_memory {
	struct memory m;
	pid_t pid;
	int fd;
} memory;

static size_t read_memory(struct memory *m, unsigned long addr, void *buf, size_t n)
{
	struct process_memory *pm = (struct process_memory *)m;
	size_t done = 0;

	while (done < n) {
		ssize_t got = pread(pm->fd, (char *)buf + done, n - done, addr + done);

		if (got <= 0)
			break;
		done += got;
	}
	return done;
}

static void look_at(pid_t pid)
{
	char path[32];

	if (memory.pid == pid)
		return;
	if (memory.fd > 0)
		close(memory.fd);
	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	memory.fd = open(path, O_RDONLY | O_CLOEXEC);
	memory.pid = pid;
}

/* ---- lines ---- */

static bool wanted(const char *name)
{
	const char *at = only;
	size_t len = strlen(name);

	while (at && *at) {
		size_t n = strcspn(at, ",");

		if (n == len && strncmp(at, name, n) == 0)
			return !inverse;
		at += n + (at[n] == ',');
	}
	return !only || inverse;
}

/* A name of `only` that is no call's is a mistake. */
static void check_names(void)
{
	struct call c;
	size_t n;

	for (const char *at = only; at && *at; at += n + (at[n] == ',')) {
		int i = 0;

		n = strcspn(at, ",");
		while (i < CALLS &&
		       !(call_find(i, &c) && strlen(c.name) == n && strncmp(at, c.name, n) == 0))
			i++;
		if (i == CALLS)
			fatalx("%.*s: no such system call", (int)n, at);
	}
}

static void begin_line(const struct trace_event *e)
{
	struct timespec now;
	struct tm tm;

	if (shown)
		fputs(" <unfinished ...>\n", out);
	shown = 0;
	if (several)
		fprintf(out, "[pid %d] ", e->tid);
	if (!stamps)
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	localtime_r(&now.tv_sec, &tm);
	fprintf(out, "%02d:%02d:%02d.%06ld ", tm.tm_hour, tm.tm_min, tm.tm_sec, now.tv_nsec / 1000);
}

/* Arguments from @i on, as far as they are known before the call returns, or all. */
static int arguments(const struct trace_event *e, const struct call *c, int i)
{
	bool entering = e->type == TRACE_ENTER;

	for (; i < c->args; i++) {
		if (entering && call_is_output(c, i))
			break;
		if (c->kinds[i] == 'm' && !(e->args[i - 1] & O_CREAT))
			continue;
		fputs(i ? ", " : "", out);
		call_put_argument(out, c, i, e->args, e->result, &memory.m);
	}
	return i;
}

static void enter(const struct trace_event *e, const struct call *c)
{
	struct under_way *u = &under_way[e->tid % THREADS];

	*u = (struct under_way){.tid = e->tid, .since = e->time};
	if (counting)
		return;
	begin_line(e);
	fprintf(out, "%s(", c->name);
	u->written = arguments(e, c, 0);
	shown = e->tid;
	if (c->result == '-') {
		fputs(") = ?\n", out);
		shown = 0;
	}
}

static void leave(const struct trace_event *e, const struct call *c)
{
	struct under_way *u = &under_way[e->tid % THREADS];
	bool known = u->tid == e->tid;
	long time = known ? e->time - u->since : 0;

	totals[e->number].calls++;
	totals[e->number].errors += e->result < 0;
	totals[e->number].time += time;
	if (counting)
		return;
	if (shown != e->tid) {
		begin_line(e);
		fprintf(out, "<... %s resumed> ", c->name);
	}
	arguments(e, c, known ? u->written : 0);
	fputs(") ", out);
	call_put_result(out, c, e->result);
	if (spans)
		fprintf(out, " <%ld.%06ld>", time / 1000000000, time / 1000 % 1000000);
	putc_unlocked('\n', out);
	shown = 0;
	u->tid = 0;
}

static void signalled(const struct trace_event *e)
{
	const char *name = signal_name(e->number);

	begin_line(e);
	fprintf(out, "--- SIG%s {si_code=%d", name ? name : "?", (int)e->args[0]);
	if (e->args[1])
		fprintf(out, ", si_pid=%d, si_uid=%d", (int)e->args[1], (int)e->args[2]);
	if (e->args[3])
		fprintf(out, ", si_addr=%#lx", e->args[3]);
	fputs("} ---\n", out);
}

static void ended(const struct trace_event *e)
{
	int status = e->result;

	if (quiet || counting)
		return;
	begin_line(e);
	if (status == TRACE_DETACHED)
		fputs("+++ runs a set-id program, which is not shown +++\n", out);
	else if (WIFEXITED(status))
		fprintf(out, "+++ exited with %d +++\n", WEXITSTATUS(status));
	else
		fprintf(out, "+++ killed by SIG%s +++\n", signal_name(WTERMSIG(status)));
}

static void show(const struct trace_event *e)
{
	struct call c;

	if (command) {
		if (e->type != TRACE_ENTER || e->number != SYS_execve)
			return;
		command = 0;
	}
	if (!first)
		first = e->tid;
	several |= e->tid != first;
	look_at(e->pid);
	if (e->type == TRACE_SIGNAL && !counting)
		signalled(e);
	else if (e->type == TRACE_END)
		ended(e);
	else if (!call_find(e->number, &c) || !wanted(c.name))
		return;
	else if (e->type == TRACE_ENTER)
		enter(e, &c);
	else if (e->type == TRACE_EXIT)
		leave(e, &c);
}

/* ---- the table of -c ---- */

static int by_time(const void *a, const void *b)
{
	const struct total *x = &totals[*(const int *)a], *y = &totals[*(const int *)b];

	if (x->time != y->time)
		return x->time < y->time ? 1 : -1;
	return (int)y->calls - (int)x->calls;
}

static void print_totals(void)
{
	struct total sum = {0};
	int order[CALLS];
	struct call c;

	for (int i = 0; i < CALLS; i++) {
		order[i] = i;
		sum.calls += totals[i].calls;
		sum.errors += totals[i].errors;
		sum.time += totals[i].time;
	}
	qsort(order, CALLS, sizeof(order[0]), by_time);
	fputs("% time     seconds  us/call     calls    errors syscall\n", out);
	for (int i = 0; i < CALLS && totals[order[i]].calls; i++) {
		const struct total *t = &totals[order[i]];
		long parts = sum.time ? t->time * 1000 / sum.time : 0;

		call_find(order[i], &c);
		fprintf(out, "%4ld.%ld %4ld.%06ld %8ld %9u %9u %s\n", parts / 10, parts % 10,
			t->time / 1000000000, t->time / 1000 % 1000000, t->time / 1000 / t->calls,
			t->calls, t->errors, c.name);
	}
	fprintf(out, "100.0 %4ld.%06ld          %9u %9u total\n", sum.time / 1000000000,
		sum.time / 1000 % 1000000, sum.calls, sum.errors);
}

/* ---- start ---- */

static int trace_open(pid_t pid)
{
	int fd = syscall(SYS_trace_open, pid, follow ? TRACE_CHILDREN : 0);

	if (fd < 0)
		fatal("process %d", pid);
	return fd;
}

static int start(char **args)
{
	int fds[2], fd;
	char c;

	if (pipe(fds) < 0)
		fatal("pipe");
	command = fork();
	if (command < 0)
		fatal("fork");
	if (command == 0) {
		close(fds[1]);
		(void)!read(fds[0], &c, 1);
		close(fds[0]);
		execvp(args[0], args);
		fatal("%s", args[0]);
	}
	close(fds[0]);
	fd = trace_open(command);
	close(fds[1]);
	return fd;
}

static void run(int fd)
{
	struct trace_event events[8];
	ssize_t n;

	while (!stopped) {
		n = read(fd, events, sizeof(events));
		if (n == 0 || (n < 0 && errno != EINTR))
			break;
		for (int i = 0; n > 0 && i < (int)(n / sizeof(events[0])); i++)
			show(&events[i]);
		fflush(out);
	}
	if (shown)
		fputs(" <detached ...>\n", out);
	close(fd);
}

static void options(int argc, char **argv, pid_t *attach)
{
	int c;

	while ((c = getopt(argc, argv, "+fqtTcs:o:e:p:")) != -1) {
		switch (c) {
		case 'f':
			follow = true;
			break;
		case 'q':
			quiet = true;
			break;
		case 't':
			stamps = true;
			break;
		case 'T':
			spans = true;
			break;
		case 'c':
			counting = true;
			break;
		case 's':
			memory.m.strings = parse_number(optarg, "size");
			break;
		case 'o':
			out = fopen(optarg, "we");
			if (!out)
				fatal("%s", optarg);
			break;
		case 'e':
			only = strncmp(optarg, "trace=", 6) == 0 ? optarg + 6 : optarg;
			inverse = *only == '!';
			only += inverse;
			break;
		case 'p':
			*attach = parse_number(optarg, "process");
			break;
		default:
			usage(TEXT);
		}
	}
}

int main(int argc, char **argv)
{
	struct sigaction act = {.sa_handler = on_signal}; /* ends the read */
	pid_t attach = 0, child = 0;
	int fd, status = 0;

	prog_init(argv);
	out = stderr;
	memory.m.read = read_memory;
	memory.m.strings = 32;
	options(argc, argv, &attach);
	if (!attach == (optind == argc))
		usage(TEXT);
	check_names();
	if (attach) {
		sigaction(SIGINT, &act, NULL);
		sigaction(SIGTERM, &act, NULL);
		fd = trace_open(attach);
	} else {
		fd = start(argv + optind);
		child = command;
		/* ^C is for the command; we show what it does with it. */
		signal(SIGINT, SIG_IGN);
		signal(SIGQUIT, SIG_IGN);
	}
	setvbuf(out, NULL, _IOFBF, 4096);
	run(fd);
	if (counting)
		print_totals();
	fflush(out);
	if (!child)
		return finish();
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
