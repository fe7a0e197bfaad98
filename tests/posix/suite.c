/* SPDX-License-Identifier: MIT */
/*
 * The one program that all tests of Debian's posixtestsuite are linked into, and what runs them in
 * the guest. tests/lib/posixsuite.py builds it: each test is a program of its own, whose main() has
 * become a function of the table suite_tests[] and whose other names are local to it. One program
 * of a few megabytes takes the place of 1,500 static ones that would not fit into a small image.
 *
 *   posix-suite NAME                    becomes the test NAME: interface/number
 *   posix-suite --run JOBS SECONDS FILE runs the tests named in FILE, JOBS at a time
 *
 * A test is a process in a session of its own, in an empty folder; after SECONDS it is killed with
 * its group. It tells its verdict by its exit status. One that neither passes nor says that there
 * is nothing to be tested is run once more when all others have ended: other tests beside it must
 * not make it fail by taking the processor. A name with " once" behind it is of a test that is not
 * expected to pass. What is printed for each:
 *
 *   test NAME exit 1 0.31
 *   | what the test has printed, its last 1,500 bytes
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "suite.h"

#define MAX_JOBS 32
#define TAIL 1500
#define NAME_MAX_LEN 80

struct job {
	pid_t pid;
	double began;
	bool hung, once;
	char name[NAME_MAX_LEN];
};

static const char *self;
static char folder[64];
static struct job jobs[MAX_JOBS];
static int running;
static int limit;
static char (*again)[NAME_MAX_LEN];
static int again_count, again_size;

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void die(const char *what)
{
	perror(what);
	exit(99);
}

static void tick(int sig)
{
	(void)sig;
}

static void path_of(char *path, size_t size, const struct job *job, const char *what)
{
	snprintf(path, size, "%s/%s%d", folder, what, (int)(job - jobs));
}

static void remove_folder(const char *path)
{
	pid_t pid = fork();

	if (pid == 0) {
		execlp("rm", "rm", "-rf", path, (char *)NULL);
		_exit(127);
	}
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

static void start(struct job *job, const char *name)
{
	char out[96], dir[96];

	strcpy(job->name, name);
	job->once = strchr(name, ' ') != NULL;
	job->name[strcspn(name, " ")] = '\0';
	job->hung = false;
	job->began = seconds();
	path_of(out, sizeof(out), job, "out");
	path_of(dir, sizeof(dir), job, "dir");
	/* A test may have taken all processes for a while. */
	while ((job->pid = fork()) < 0 && errno == EAGAIN)
		pause();
	if (job->pid < 0)
		die("fork");
	if (job->pid > 0) {
		running++;
		return;
	}
	int null = open("/dev/null", O_RDONLY);
	int fd = open(out, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);

	setsid();
	if (null < 0 || fd < 0 || dup2(null, 0) < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
		_exit(98);
	if (null > 2)
		close(null);
	if (fd > 2)
		close(fd);
	if ((mkdir(dir, 0777) < 0 && errno != EEXIST) || chdir(dir) < 0)
		_exit(98);
	execl(self, self, job->name, (char *)NULL);
	_exit(97);
}

/* The end of the test's output, each line marked. */
static void print_tail(const struct job *job)
{
	char path[96], text[TAIL + 1];
	struct stat info;
	int fd;
	ssize_t len = 0;

	path_of(path, sizeof(path), job, "out");
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return;
	if (fstat(fd, &info) == 0 && info.st_size > TAIL)
		lseek(fd, info.st_size - TAIL, SEEK_SET);
	len = read(fd, text, TAIL);
	close(fd);
	text[len > 0 ? len : 0] = '\0';
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		printf("| %s\n", line);
}

static void remember(const char *name)
{
	if (again_count == again_size) {
		again_size = again_size ? 2 * again_size : 64;
		again = realloc(again, again_size * sizeof(*again));
		if (!again)
			die("realloc");
	}
	strcpy(again[again_count++], name);
}

static void ended(struct job *job, int status, bool last_try)
{
	bool good = WIFEXITED(status) && !job->hung &&
		    (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 4 ||
		     WEXITSTATUS(status) == 5);

	kill(-job->pid, SIGKILL);
	job->pid = 0;
	running--;
	if (!good && !job->once && !last_try) {
		remember(job->name);
		return;
	}
	printf("test %s %s %d %.2f\n", job->name,
	       job->hung ? "hung" : (WIFEXITED(status) ? "exit" : "signal"),
	       WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status), seconds() - job->began);
	print_tail(job);
	fflush(stdout);
}

/* Waits until one has ended, or a moment has gone by; those over time are killed. */
static void wait_for_one(bool last_try)
{
	int status;
	pid_t pid = waitpid(-1, &status, 0);

	for (int n = 0; n < MAX_JOBS; n++) {
		struct job *job = &jobs[n];

		if (!job->pid)
			continue;
		if (job->pid == pid) {
			ended(job, status, last_try);
		} else if (!job->hung && seconds() - job->began > limit) {
			job->hung = true;
			kill(-job->pid, SIGKILL);
			kill(job->pid, SIGKILL);
		}
	}
}

static void run(const char *name, int at_a_time, bool last_try)
{
	struct job *job = jobs;

	while (running >= at_a_time)
		wait_for_one(last_try);
	while (job->pid)
		job++;
	start(job, name);
}

static int run_all(int at_a_time, const char *list)
{
	struct itimerval every = {{0, 250000}, {0, 250000}};
	struct sigaction action = {.sa_handler = tick};
	char line[NAME_MAX_LEN];
	FILE *file = fopen(list, "r");

	if (!file)
		die(list);
	snprintf(folder, sizeof(folder), "/tmp/posix.%d", (int)getpid());
	if (mkdir(folder, 0777) < 0)
		die(folder);
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &every, NULL);
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		run(line, at_a_time, at_a_time == 1);
	}
	while (running)
		wait_for_one(at_a_time == 1);
	for (int n = 0; n < again_count; n++)
		run(again[n], 1, true);
	while (running)
		wait_for_one(true);
	remove_folder(folder);
	printf("again %d\nend\n", again_count);
	return 0;
}

int main(int argc, char **argv)
{
	self = argv[0];
	if (argc == 5 && !strcmp(argv[1], "--run")) {
		int at_a_time = atoi(argv[2]);

		limit = atoi(argv[3]);
		return run_all(at_a_time < 1          ? 1
			       : at_a_time > MAX_JOBS ? MAX_JOBS
						      : at_a_time,
			       argv[4]);
	}
	if (argc == 2)
		for (int n = 0; n < suite_count; n++)
			if (!strcmp(argv[1], suite_tests[n].name)) {
				char *words[] = {argv[1], NULL};

				exit(suite_tests[n].main(1, words));
			}
	fprintf(stderr, "usage: posix-suite NAME, posix-suite --run JOBS SECONDS FILE\n");
	return 96;
}
