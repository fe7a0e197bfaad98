/* SPDX-License-Identifier: MIT */
/* Probes of system calls that touch neither files' data nor page tables. */
#include "lat.h"

#include <err.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_PARTNERS 31

static int fds[2], back[2], zero_fd = -1, null_fd = -1;
static pid_t partners[MAX_PARTNERS];
static unsigned nr_partners;

void run_null(unsigned n)
{
	while (n--)
		getppid();
}

void setup_zero(void)
{
	if (zero_fd < 0)
		zero_fd = open("/dev/zero", O_RDONLY);
	if (null_fd < 0)
		null_fd = open("/dev/null", O_WRONLY);
	if (zero_fd < 0 || null_fd < 0)
		err(2, "/dev/zero, /dev/null");
}

void run_read(unsigned n)
{
	char c;

	while (n--)
		if (read(zero_fd, &c, 1) != 1)
			err(2, "read");
}

void run_write(unsigned n)
{
	char c = 0;

	while (n--)
		if (write(null_fd, &c, 1) != 1)
			err(2, "write");
}

void run_open(unsigned n)
{
	while (n--)
		close(open("/etc/passwd", O_RDONLY));
}

void run_stat(unsigned n)
{
	struct stat st;

	while (n--)
		if (stat("/etc/passwd", &st))
			err(2, "/etc/passwd");
}

static void on_signal(int sig)
{
	(void)sig;
}

void setup_signal(void)
{
	signal(SIGUSR1, on_signal);
}

void run_signal(unsigned n)
{
	while (n--)
		kill(getpid(), SIGUSR1);
}

void setup_pipe(void)
{
	if (pipe(fds))
		err(2, "pipe");
}

void run_pipe(unsigned n)
{
	char c = 0;

	while (n--)
		if (write(fds[1], &c, 1) != 1 || read(fds[0], &c, 1) != 1)
			err(2, "pipe");
}

/* A partner who sends back what comes. */
static void start_partner(void)
{
	char c;

	partners[0] = fork();
	if (partners[0] < 0)
		err(2, "fork");
	if (partners[0] == 0) {
		close(fds[1]);
		close(back[0]);
		while (read(fds[0], &c, 1) == 1 && write(back[1], &c, 1) == 1)
			;
		_exit(0);
	}
	nr_partners = 1;
	close(fds[0]);
	close(back[1]);
}

void setup_pingpong(void)
{
	if (pipe(fds) || pipe(back))
		err(2, "pipe");
	start_partner();
}

void setup_socket_pingpong(void)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		err(2, "socketpair");
	fds[1] = pair[0];
	back[0] = dup(pair[0]);
	fds[0] = pair[1];
	back[1] = dup(pair[1]);
	start_partner();
}

void run_pingpong(unsigned n)
{
	char c = 0;

	while (n--)
		if (write(fds[1], &c, 1) != 1 || read(back[0], &c, 1) != 1)
			err(2, "ping-pong");
}

/*
 * Switches from one process to another and nothing else: processes that do nothing but give way.
 * Linux means that seriously only between real-time processes.
 */
static void take_turns(int strictly)
{
#ifdef __linux__
	struct sched_param param = {.sched_priority = strictly};

	if (sched_setscheduler(0, strictly ? SCHED_FIFO : SCHED_OTHER, &param))
		warn("sched_setscheduler");
#else
	(void)strictly;
#endif
}

void setup_switch(void)
{
	take_turns(1);
	for (nr_partners = 0; nr_partners + 1 < now->size; nr_partners++) {
		pid_t pid = fork();

		if (pid < 0)
			err(2, "fork");
		if (pid == 0)
			for (;;)
				sched_yield();
		partners[nr_partners] = pid;
	}
}

void run_switch(unsigned n)
{
	while (n--)
		sched_yield();
}

void end_partners(void)
{
	for (unsigned i = 0; i < nr_partners; i++)
		kill(partners[i], SIGKILL);
	for (unsigned i = 0; i < nr_partners; i++)
		waitpid(partners[i], NULL, 0);
	nr_partners = 0;
	take_turns(0);
}

void run_timer_set(unsigned n)
{
	struct itimerval far = {{0, 0}, {1000, 0}}, off = {{0, 0}, {0, 0}};

	while (n--)
		if (setitimer(ITIMER_REAL, &far, NULL) || setitimer(ITIMER_REAL, &off, NULL))
			err(2, "setitimer");
}

/* Linux by itself takes the liberty of being 50 us late. */
void setup_timer_late(void)
{
#ifdef __linux__
	if (prctl(PR_SET_TIMERSLACK, 1))
		warn("prctl");
#endif
}

void run_timer_late(unsigned n)
{
	struct timespec ts = {0, now->asleep};

	while (n--)
		nanosleep(&ts, NULL);
}
