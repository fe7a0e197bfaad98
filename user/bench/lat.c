/* SPDX-License-Identifier: MIT */
/*
 * lat: what the kernel's operations cost.
 *
 *   lat [-c] [name ...]
 *
 * Each probe is run in batches; the smallest batch is reported, divided by the number of operations
 * in it. The unit is the time-stamp counter: under QEMU's instruction counting (shift 0) one tick
 * is one instruction, hypervisor included; elsewhere it is the processor's clock. Beside it stand
 * the calls into the hypervisor per operation, from /proc/hypercalls: all, and those that are not
 * iret.
 *
 * -c prints "name,ticks,calls,calls_without_iret" lines for a program to read.
 */
#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096

struct probe {
	const char *name;
	void (*setup)(void);
	void (*run)(unsigned n); /* do it @n times */
	unsigned batch;
	unsigned per_run; /* operations in one of the n */
};

struct calls {
	unsigned long total, iret;
};

static int fds[2], back[2], zero_fd;
static pid_t partner;
static char *area;
static char self_path[64];

static unsigned long ticks(void)
{
	unsigned lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (unsigned long)hi << 32 | lo;
}

/* Lines of /proc/hypercalls are "name count"; the whole is in the line "total". */
static struct calls read_calls(void)
{
	static char text[4096];
	struct calls c = {0, 0};
	int fd = open("/proc/hypercalls", O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (n > 0) {
		char *line, *rest = text;

		text[n] = 0;
		while ((line = strsep(&rest, "\n"))) {
			char name[32];
			unsigned long count;

			if (sscanf(line, "%31s %lu", name, &count) != 2)
				continue;
			if (strcmp(name, "iret") == 0)
				c.iret = count;
			if (strcmp(name, "total") == 0)
				c.total = count;
		}
	}
	if (fd >= 0)
		close(fd);
	return c;
}

static void run_null(unsigned n)
{
	while (n--)
		getppid();
}

static void setup_zero(void)
{
	zero_fd = open("/dev/zero", O_RDONLY);
	if (zero_fd < 0)
		err(2, "/dev/zero");
}

static void run_read(unsigned n)
{
	char c;

	while (n--)
		if (read(zero_fd, &c, 1) != 1)
			err(2, "read");
}

static void run_open(unsigned n)
{
	while (n--)
		close(open("/etc/passwd", O_RDONLY));
}

static void on_signal(int sig)
{
	(void)sig;
}

static void setup_signal(void)
{
	signal(SIGUSR1, on_signal);
}

static void run_signal(unsigned n)
{
	while (n--)
		kill(getpid(), SIGUSR1);
}

static void setup_pipe(void)
{
	if (pipe(fds))
		err(2, "pipe");
}

static void run_pipe(unsigned n)
{
	char c = 0;

	while (n--)
		if (write(fds[1], &c, 1) != 1 || read(fds[0], &c, 1) != 1)
			err(2, "pipe");
}

static void setup_pingpong(void)
{
	char c;

	if (pipe(fds) || pipe(back))
		err(2, "pipe");
	partner = fork();
	if (partner < 0)
		err(2, "fork");
	if (partner == 0) {
		close(fds[1]);
		close(back[0]);
		while (read(fds[0], &c, 1) == 1 && write(back[1], &c, 1) == 1)
			;
		_exit(0);
	}
	close(fds[0]);
	close(back[1]);
}

static void run_pingpong(unsigned n)
{
	char c = 0;

	while (n--)
		if (write(fds[1], &c, 1) != 1 || read(back[0], &c, 1) != 1)
			err(2, "ping-pong");
}

static void wait_child(pid_t pid)
{
	int status;

	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
		err(2, "child");
}

static void run_fork(unsigned n)
{
	while (n--) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(0);
		wait_child(pid);
	}
}

static void run_exec(unsigned n)
{
	while (n--) {
		pid_t pid = fork();

		if (pid == 0) {
			execl(self_path, "lat", "--exit", (char *)NULL);
			_exit(127);
		}
		wait_child(pid);
	}
}

static void setup_area(void)
{
	area = mmap(NULL, 256 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (area == MAP_FAILED)
		err(2, "mmap");
}

static void run_fault(unsigned n)
{
	while (n--) {
		char *p = mmap(NULL, 256 * PAGE, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (p == MAP_FAILED)
			err(2, "mmap");
		for (int i = 0; i < 256; i++)
			p[i * PAGE] = 1;
		munmap(p, 256 * PAGE);
	}
}

static void run_cow(unsigned n)
{
	for (int i = 0; i < 256; i++)
		area[i * PAGE] = 1;
	while (n--) {
		pid_t pid = fork();

		if (pid == 0) {
			for (int i = 0; i < 256; i++)
				area[i * PAGE] = 2;
			_exit(0);
		}
		wait_child(pid);
	}
}

static void run_mmap(unsigned n)
{
	while (n--) {
		char *p = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			       -1, 0);

		p[0] = 1;
		munmap(p, 16 * PAGE);
	}
}

static const struct probe probes[] = {
	{"null-call", NULL, run_null, 1000, 1},
	{"read-1-byte", setup_zero, run_read, 500, 1},
	{"open-close", NULL, run_open, 200, 1},
	{"signal", setup_signal, run_signal, 200, 1},
	{"pipe-self", setup_pipe, run_pipe, 200, 1},
	{"pipe-ping-pong", setup_pingpong, run_pingpong, 200, 1},
	{"fork-exit-wait", NULL, run_fork, 20, 1},
	{"fork-exec-wait", NULL, run_exec, 10, 1},
	{"page-fault", NULL, run_fault, 2, 256},
	{"mmap-munmap", NULL, run_mmap, 50, 1},
	{"fork-256-cow", setup_area, run_cow, 2, 1},
};

static void measure(const struct probe *p, int csv)
{
	unsigned long best = ~0ul;
	struct calls before, after, empty;
	double ops = (double)p->batch * p->per_run;

	if (p->setup)
		p->setup();
	p->run(p->batch / 10 + 1);
	for (int i = 0; i < 5; i++) {
		unsigned long t = ticks();

		p->run(p->batch);
		t = ticks() - t;
		if (t < best)
			best = t;
	}
	/* Reading the counters costs calls itself: measure that with nothing between. */
	empty = read_calls();
	before = read_calls();
	p->run(p->batch);
	after = read_calls();
	double total = ((double)(after.total - before.total) - (before.total - empty.total)) / ops;
	double iret = ((double)(after.iret - before.iret) - (before.iret - empty.iret)) / ops;

	if (csv)
		printf("%s,%.0f,%.2f,%.2f\n", p->name, best / ops, total, total - iret);
	else
		printf("%-16s %12.0f %10.2f %10.2f\n", p->name, best / ops, total, total - iret);
	fflush(stdout);
	if (partner > 0) {
		close(fds[1]);
		close(back[0]);
		waitpid(partner, NULL, 0);
		partner = 0;
	}
}

int main(int argc, char **argv)
{
	int csv = 0, first = 1;

	if (argc > 1 && strcmp(argv[1], "--exit") == 0)
		return 0;
	snprintf(self_path, sizeof(self_path), "%s",
		 strchr(argv[0], '/') ? argv[0] : "/usr/bench/lat");
	if (argc > 1 && strcmp(argv[1], "-c") == 0) {
		csv = 1;
		first = 2;
	}
	if (!csv)
		printf("%-16s %12s %10s %10s\n", "operation", "ticks", "calls", "not iret");
	for (size_t i = 0; i < sizeof(probes) / sizeof(probes[0]); i++) {
		int wanted = argc <= first;

		for (int a = first; a < argc; a++)
			wanted |= strcmp(argv[a], probes[i].name) == 0;
		if (wanted)
			measure(&probes[i], csv);
	}
	return 0;
}
