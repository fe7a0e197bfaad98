/* SPDX-License-Identifier: MIT */
/* Probes of processes and of their pages. */
#include "lat.h"

#include <err.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static char *area;

static char *map_pages(unsigned pages)
{
	char *p = mmap(NULL, (size_t)pages * PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		err(2, "mmap");
	return p;
}

static void touch(char *p, char value)
{
	for (unsigned i = 0; i < now->size; i++)
		p[i * PAGE] = value;
}

static void wait_child(pid_t pid)
{
	int status;

	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
		err(2, "child");
}

void run_fork(unsigned n)
{
	while (n--) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(0);
		wait_child(pid);
	}
}

void run_exec(unsigned n)
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

void setup_area(void)
{
	area = map_pages(now->size);
}

void setup_touched_area(void)
{
	setup_area();
	touch(area, 1);
}

void end_area(void)
{
	munmap(area, (size_t)now->size * PAGE);
}

void run_fault(unsigned n)
{
	while (n--) {
		char *p = map_pages(now->size);

		touch(p, 1);
		munmap(p, (size_t)now->size * PAGE);
	}
}

void run_cow(unsigned n)
{
	touch(area, 1);
	while (n--) {
		pid_t pid = fork();

		if (pid == 0) {
			touch(area, 2);
			_exit(0);
		}
		wait_child(pid);
	}
}

void run_mmap(unsigned n)
{
	while (n--) {
		char *p = map_pages(now->size);

		p[0] = 1;
		munmap(p, (size_t)now->size * PAGE);
	}
}
