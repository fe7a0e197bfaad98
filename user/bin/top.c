/* SPDX-License-Identifier: MIT */
/*
 * top [-b] [-n times] [-d seconds] [-s c|m|p|t]: processes by what they use, again and again, on
 * the whole screen. -b: as plain text, to read later; -n: that many times; -s: sort by CPU of the
 * last interval (as it is), memory, number, time. Keys: q leaves, c m p t sort, k asks for a
 * process and ends it, a space shows everything anew, 1 to 9 are seconds between two looks.
 *
 * CPU is the difference of two looks at /proc/processes; the first look has the averages since each
 * process began.
 */
#include "../lib/util.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysinfo.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

struct process {
	int pid, nice;
	char state, tty[16], name[32];
	unsigned uid;
	unsigned long long used_us, start_ms;
	unsigned long resident, size; /* KiB */
	unsigned percent;             /* of one CPU, in tenths */
	const char *args;
};

static struct process *now, *before;
static int nr_now, nr_before;
static char *text;
static unsigned long long looked_ms, looked_before_ms;
static struct termios saved;
static bool batch, raw;
static int rows = 24, columns = 80, key_sort = 'c';
static long delay = 2;

static void on_winch(int sig)
{
	(void)sig; /* it has ended the poll */
}

static unsigned long long clock_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ull + t.tv_nsec / 1000000;
}

/* ---- looking ---- */

static bool parse(const char *line, struct process *p)
{
	unsigned long long user, system;
	int used = 0;
	int n = sscanf(line, "%d %*d %*d %*d %*d %15s %c %u %d %llu %llu %lu %lu %llu %31s %n",
		       &p->pid, p->tty, &p->state, &p->uid, &p->nice, &user, &system, &p->resident,
		       &p->size, &p->start_ms, p->name, &used);

	p->used_us = user + system;
	p->args = line + used;
	return n == 11 && used > 0;
}

static const struct process *earlier(const struct process *p)
{
	for (int i = 0; i < nr_before; i++)
		if (before[i].pid == p->pid && before[i].start_ms == p->start_ms)
			return &before[i];
	return NULL;
}

/* CPU since the last look, or since it began. */
static void measure(struct process *p)
{
	const struct process *then = earlier(p);
	unsigned long long us = p->used_us, ms = looked_ms - p->start_ms;

	if (then) {
		us = p->used_us > then->used_us ? p->used_us - then->used_us : 0;
		ms = looked_ms - looked_before_ms;
	}
	p->percent = ms ? us / ms : 0; /* us/ms is a thousandth */
}

static void look(void)
{
	char *rest, *line;
	int room = 0;

	free(before);
	before = now;
	nr_before = nr_now;
	now = NULL;
	nr_now = 0;
	free(text);
	looked_before_ms = looked_ms;
	text = rest = read_file("/proc/processes", NULL);
	if (!text)
		fatal("/proc/processes");
	looked_ms = clock_ms();
	while ((line = strsep(&rest, "\n"))) {
		if (nr_now == room)
			now = xrealloc(now, (room += 64) * sizeof(*now));
		if (!parse(line, &now[nr_now]))
			continue;
		measure(&now[nr_now++]);
	}
}

static int compare(const void *a, const void *b)
{
	const struct process *p = a, *q = b;

	if (key_sort == 'm' && p->resident != q->resident)
		return p->resident < q->resident ? 1 : -1;
	if (key_sort == 't' && p->used_us != q->used_us)
		return p->used_us < q->used_us ? 1 : -1;
	if (key_sort == 'c' && p->percent != q->percent)
		return p->percent < q->percent ? 1 : -1;
	return p->pid - q->pid;
}

/* ---- showing ---- */

/* A line, cut at the window's edge; on a screen the rest of the old one is erased. */
static void put_line(const char *line)
{
	if (batch)
		puts(line);
	else
		printf("%.*s\033[K\r\n", columns - 1, line);
}

static void show_summary(void)
{
	unsigned count[4] = {0};
	struct sysinfo info;
	char line[160];
	int n;

	for (int i = 0; i < nr_now; i++)
		count[now[i].state == 'R'   ? 0
		      : now[i].state == 'T' ? 2
		      : now[i].state == 'Z' ? 3
					    : 1]++;
	if (sysinfo(&info) < 0)
		fatal("sysinfo");
	n = snprintf(line, sizeof(line), "top: up %lu s, load", info.uptime_ns / 1000000000);
	for (int i = 0; i < 3; i++)
		n += snprintf(line + n, sizeof(line) - n, " %lu.%02lu", info.loads[i] >> 16,
			      ((info.loads[i] & 0xffff) * 100) >> 16);
	put_line(line);
	snprintf(line, sizeof(line),
		 "%d processes: %u running, %u sleeping, %u stopped, %u zombies", nr_now, count[0],
		 count[1], count[2], count[3]);
	put_line(line);
	n = info.page_size / 1024;
	snprintf(line, sizeof(line), "memory (KiB): %lu in all, %lu free, %lu file pages",
		 info.pages_total * n, info.pages_free * n, info.pages_cache * n);
	put_line(line);
	put_line("");
}

static void show(void)
{
	char line[512];
	int n = batch ? nr_now : rows - 6;

	qsort(now, nr_now, sizeof(*now), compare);
	if (!batch)
		fputs("\033[H", stdout);
	show_summary();
	snprintf(line, sizeof(line), "%5s %-8s %3s %7s %7s S %5s %9s %s", "PID", "USER", "NI",
		 "SIZE", "RES", "%CPU", "TIME", "COMMAND");
	if (!batch)
		fputs("\033[7m", stdout);
	put_line(line);
	if (!batch)
		fputs("\033[m", stdout);
	for (int i = 0; i < nr_now && i < n; i++) {
		const struct process *p = &now[i];
		unsigned long long t = p->used_us / 10000;

		snprintf(line, sizeof(line),
			 "%5d %-8.8s %3d %7lu %7lu %c %3u.%u %3llu:%02llu.%02llu %.300s", p->pid,
			 user_name(p->uid), p->nice, p->size, p->resident, p->state,
			 p->percent / 10, p->percent % 10, t / 6000, t / 100 % 60, t % 100,
			 *p->args ? p->args : p->name);
		put_line(line);
	}
	if (!batch)
		fputs("\033[J", stdout);
	fflush(stdout);
}

/* ---- the screen and its keys ---- */

static void leave_screen(void)
{
	if (!raw)
		return;
	tcsetattr(0, TCSADRAIN, &saved);
	printf("\033[%d;1H\033[K\033[?25h", rows);
	fflush(stdout);
	raw = false;
}

static void on_end(int sig)
{
	(void)sig;
	leave_screen();
	_exit(1);
}

static void enter_screen(void)
{
	struct termios tio;
	struct sigaction act = {.sa_handler = on_winch};

	if (tcgetattr(0, &saved) < 0)
		fatalx("standard input is no terminal (-b makes plain text)");
	tio = saved;
	tio.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	tio.c_cc[VMIN] = 1;
	tio.c_cc[VTIME] = 0;
	tcsetattr(0, TCSADRAIN, &tio);
	raw = true;
	sigaction(SIGWINCH, &act, NULL);
	signal(SIGINT, on_end);
	signal(SIGTERM, on_end);
	signal(SIGHUP, on_end);
	fputs("\033[2J\033[?25l", stdout);
}

static void measure_window(void)
{
	struct winsize size;

	if (ioctl(1, TIOCGWINSZ, &size) == 0 && size.ws_row > 7 && size.ws_col > 20) {
		rows = size.ws_row;
		columns = size.ws_col;
	}
}

/* Ask for a process and end it. */
static void ask_kill(void)
{
	char line[32];
	int pid, sig = SIGTERM;

	tcsetattr(0, TCSADRAIN, &saved);
	printf("\033[4;1H\033[Kend process (number, and signal if not 15): \033[?25h");
	fflush(stdout);
	if (fgets(line, sizeof(line), stdin) && sscanf(line, "%d %d", &pid, &sig) >= 1 && pid > 0 &&
	    kill(pid, sig) < 0) {
		printf("\033[4;1H\033[K%d: %s", pid, strerror(errno));
		fflush(stdout);
		sleep(1);
	}
	enter_screen();
}

/* Wait for the next look; false: leave. */
static bool wait_key(void)
{
	struct pollfd p = {.fd = 0, .events = POLLIN};
	char c;

	if (poll(&p, 1, delay * 1000) <= 0)
		return true;
	if (read(0, &c, 1) <= 0)
		return errno == EINTR;
	if (c == 'k')
		ask_kill();
	else if (c == ' ')
		fputs("\033[2J", stdout);
	else if (c >= '1' && c <= '9')
		delay = c - '0';
	else if (strchr("cmpt", c))
		key_sort = c;
	return c != 'q';
}

int main(int argc, char **argv)
{
	long times = -1;
	int c;

	prog_init(argv);
	while ((c = getopt(argc, argv, "bn:d:s:")) != -1) {
		switch (c) {
		case 'b':
			batch = true;
			break;
		case 'n':
			times = parse_number(optarg, "number");
			break;
		case 'd':
			delay = parse_number(optarg, "time");
			break;
		case 's':
			key_sort = *optarg;
			break;
		default:
			usage("[-b] [-n times] [-d seconds] [-s c|m|p|t]");
		}
	}
	if (!batch)
		enter_screen();
	while (times != 0) {
		measure_window();
		look();
		show();
		if (times > 0 && --times == 0)
			break;
		if (batch)
			sleep(delay);
		else if (!wait_key())
			break;
	}
	leave_screen();
	return finish();
}
