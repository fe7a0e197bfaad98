/* SPDX-License-Identifier: MIT */
/*
 * disk: how fast a disk, or a file, is read and written.
 *
 *   disk [-cbw] [-t SECONDS] [-j JOBS] [-s SEED] FILE [probe ...]
 *
 * Each probe moves blocks of one size for SECONDS (1), in order or at random places, past the
 * system's caches (O_DIRECT; -b: through them), and reports what came of it. A probe ending in
 * "-jobs" is done by JOBS (8) processes at once, each with one request under way. -w allows the
 * probes that write: they destroy what FILE holds. -c prints
 * "probe,block,operations,bytes,nanoseconds" for a program.
 *
 * The program is plain POSIX: the same file, compiled for Linux, measures Linux on the same disk.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* O_DIRECT */
#endif
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define KIB 1024ul
#define MIB (1024 * KIB)
#define MAX_JOBS 64

struct probe {
	const char *name;
	size_t block;
	int write, at_random, jobs, sync; /* sync: fsync after each block */
};

static const struct probe probes[] = {
	{"read-1m", MIB, 0, 0, 0, 0},
	{"read-64k", 64 * KIB, 0, 0, 0, 0},
	{"read-4k", 4 * KIB, 0, 0, 0, 0},
	{"random-read-4k", 4 * KIB, 0, 1, 0, 0},
	{"random-read-4k-jobs", 4 * KIB, 0, 1, 1, 0},
	{"random-read-64k-jobs", 64 * KIB, 0, 1, 1, 0},
	{"write-1m", MIB, 1, 0, 0, 0},
	{"write-64k", 64 * KIB, 1, 0, 0, 0},
	{"write-4k", 4 * KIB, 1, 0, 0, 0},
	{"random-write-4k", 4 * KIB, 1, 1, 0, 0},
	{"random-write-4k-jobs", 4 * KIB, 1, 1, 1, 0},
	{"write-4k-fsync", 4 * KIB, 1, 0, 0, 1},
};

static char buffer[MIB] __attribute__((aligned(4096)));
static const char *path;
static int buffered, may_write, for_program;
static unsigned nr_jobs = 8;
static unsigned long seed = 1;
static double seconds = 1;
static uint64_t file_size;

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* xorshift: good enough to defeat read-ahead, the same on every system. */
static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static int open_file(const struct probe *p)
{
	int flags = (p->write ? O_RDWR : O_RDONLY) | (buffered ? 0 : O_DIRECT);
	int fd = open(path, flags);

	if (fd < 0)
		err(1, "%s", path);
	return fd;
}

/* Blocks moved until @end; the job's part of the file is its own when blocks come in order. */
static uint64_t run_job(const struct probe *p, int fd, unsigned job, uint64_t end)
{
	uint64_t blocks = file_size / p->block, done = 0,
		 state = (seed + job) * 0x9e3779b97f4a7c15u + 1;
	uint64_t at = blocks / nr_jobs * job;

	do {
		off_t offset =
			(off_t)((p->at_random ? next_random(&state) % blocks : at++ % blocks) *
				p->block);
		ssize_t n = p->write ? pwrite(fd, buffer, p->block, offset)
				     : pread(fd, buffer, p->block, offset);

		if (n != (ssize_t)p->block) {
			if (n >= 0)
				errno = EIO;
			err(1, "%s: %s of %zu bytes at %lld", path, p->write ? "write" : "read",
			    p->block, (long long)offset);
		}
		if (p->sync && fsync(fd))
			err(1, "%s: fsync", path);
		done++;
	} while (now() < end);
	return done;
}

/* The sum of what @nr_jobs processes have done until @end. */
static uint64_t run_jobs(const struct probe *p, uint64_t end)
{
	uint64_t sum = 0, done;
	int results[2], status;

	if (pipe(results))
		err(1, "pipe");
	for (unsigned job = 0; job < nr_jobs; job++) {
		pid_t pid = fork();

		if (pid < 0)
			err(1, "fork");
		if (pid == 0) {
			done = run_job(p, open_file(p), job, end);
			_exit(write(results[1], &done, sizeof(done)) != sizeof(done));
		}
	}
	for (unsigned job = 0; job < nr_jobs; job++)
		if (wait(&status) < 0 || status)
			errx(1, "%s: a job failed", p->name);
	for (unsigned job = 0; job < nr_jobs; job++)
		if (read(results[0], &done, sizeof(done)) == sizeof(done))
			sum += done;
	close(results[0]);
	close(results[1]);
	return sum;
}

static void run_probe(const struct probe *p)
{
	int fd = open_file(p);
	uint64_t start = now(), end = start + (uint64_t)(seconds * 1e9);
	uint64_t done = p->jobs ? run_jobs(p, end) : run_job(p, fd, 0, end);
	double took;

	if (p->write && fsync(fd))
		err(1, "%s: fsync", path);
	took = (double)(now() - start);
	close(fd);
	if (for_program)
		printf("%s,%zu,%llu,%llu,%.0f\n", p->name, p->block, (unsigned long long)done,
		       (unsigned long long)(done * p->block), took);
	else
		printf("%-22s %9.1f MiB/s %10.0f operations/s\n", p->name,
		       (double)(done * p->block) / (double)MIB / (took / 1e9),
		       (double)done / (took / 1e9));
	fflush(stdout);
}

static int wanted(const struct probe *p, char **names)
{
	if (!*names)
		return may_write || !p->write;
	for (; *names; names++)
		if (!strcmp(*names, p->name))
			return 1;
	return 0;
}

static const struct probe *find_probe(const char *name)
{
	for (size_t i = 0; i < sizeof(probes) / sizeof(probes[0]); i++)
		if (!strcmp(probes[i].name, name))
			return &probes[i];
	return NULL;
}

static void check_names(char **names)
{
	for (; *names; names++) {
		const struct probe *p = find_probe(*names);

		if (!p)
			errx(1, "there is no probe '%s'", *names);
		if (p->write && !may_write)
			errx(1, "'%s' destroys the contents of %s: give -w if that is meant",
			     *names, path);
	}
}

static void usage(void)
{
	fprintf(stderr,
		"usage: disk [-cbw] [-t SECONDS] [-j JOBS] [-s SEED] FILE [probe ...]\n"
		"  -b  through the system's caches   -w  allow probes that write (and destroy)\n"
		"  -c  lines for a program           probes:");
	for (size_t i = 0; i < sizeof(probes) / sizeof(probes[0]); i++)
		fprintf(stderr, " %s", probes[i].name);
	fprintf(stderr, "\n");
	exit(2);
}

int main(int argc, char **argv)
{
	struct probe any = {0};
	int c, fd;

	while ((c = getopt(argc, argv, "cbwt:j:s:")) != -1)
		switch (c) {
		case 'c':
			for_program = 1;
			break;
		case 'b':
			buffered = 1;
			break;
		case 'w':
			may_write = 1;
			break;
		case 't':
			seconds = atof(optarg);
			break;
		case 'j':
			nr_jobs = (unsigned)atoi(optarg);
			break;
		case 's':
			seed = strtoul(optarg, NULL, 0);
			break;
		default:
			usage();
		}
	if (optind == argc || nr_jobs < 1 || nr_jobs > MAX_JOBS || seconds <= 0)
		usage();
	path = argv[optind];
	check_names(argv + optind + 1);
	fd = open_file(&any);
	file_size = (uint64_t)lseek(fd, 0, SEEK_END);
	close(fd);
	if (file_size < MIB)
		errx(1, "%s: smaller than 1 MiB", path);
	memset(buffer, 0x5a, sizeof(buffer));
	for (size_t i = 0; i < sizeof(probes) / sizeof(probes[0]); i++)
		if (wanted(&probes[i], argv + optind + 1))
			run_probe(&probes[i]);
	return 0;
}
