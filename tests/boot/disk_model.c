/* SPDX-License-Identifier: MIT */
/*
 * disk_model: random reads and writes of a disk, each read checked against what was written.
 *
 *   disk_model DEVICE SEED OPERATIONS [JOBS [KIB]]
 *
 * The disk begins with zeros. Each of JOBS processes has a MiB of it to itself, so that several
 * requests are under way; each transfer is at most KIB (256) long. A sector that was written holds
 * 64 numbers made of seed, operation and its place, so that the host, which can do the same
 * arithmetic, knows what must be on the disk at the end (tests/domain/test_block.py).
 */
#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECTOR 512
#define REGION 2048u /* sectors */

static uint64_t state;
static uint32_t last[REGION]; /* the operation that wrote it; 0: none */
static uint64_t data[REGION][SECTOR / 8];
static int fd;

static uint64_t next(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static uint64_t word(uint64_t seed, unsigned op, unsigned sector, unsigned n)
{
	return op ? (seed << 40 | (uint64_t)op << 16 | sector) * 0x9e3779b97f4a7c15ull + n : 0;
}

static void fill(uint64_t seed, unsigned op, unsigned at, unsigned n)
{
	for (unsigned s = 0; s < n; s++) {
		last[at + s] = op;
		for (unsigned i = 0; i < SECTOR / 8; i++)
			data[s][i] = word(seed, op, at + s, i);
	}
}

static void check(uint64_t seed, unsigned op, unsigned at, unsigned n)
{
	for (unsigned s = 0; s < n; s++)
		for (unsigned i = 0; i < SECTOR / 8; i++)
			if (data[s][i] != word(seed, last[at + s], at + s, i))
				errx(1,
				     "operation %u: sector %u word %u is %llx, should be %llx (of "
				     "operation %u)",
				     op, at + s, i, (unsigned long long)data[s][i],
				     (unsigned long long)word(seed, last[at + s], at + s, i),
				     last[at + s]);
}

static void job(uint64_t seed, unsigned number, unsigned operations, unsigned most)
{
	off_t base = (off_t)number * REGION * SECTOR;

	state = seed * 0x2545f4914f6cdd1dull + number + 1;
	seed = seed * 64 + number;
	for (unsigned op = 1; op <= operations; op++) {
		uint64_t what = next();
		unsigned at = next() % REGION, n = 1 + next() % most;
		ssize_t want, got;

		if (n > REGION - at)
			n = REGION - at;
		want = (ssize_t)n * SECTOR;
		if (what % 2) {
			fill(seed, op, at, n);
			got = pwrite(fd, data, want, base + (off_t)at * SECTOR);
		} else {
			got = pread(fd, data, want, base + (off_t)at * SECTOR);
		}
		if (got != want)
			err(1, "operation %u: %zd bytes of %zd", op, got, want);
		if (what % 2 == 0)
			check(seed, op, at, n);
		if (what % 64 == 1 && fsync(fd))
			err(1, "fsync");
	}
}

int main(int argc, char **argv)
{
	unsigned jobs, most;
	int status, bad = 0;

	if (argc < 4)
		errx(2, "DEVICE SEED OPERATIONS [JOBS [KIB]]");
	jobs = argc > 4 ? atoi(argv[4]) : 4;
	most = argc > 5 ? 2 * atoi(argv[5]) : 512;
	fd = open(argv[1], O_RDWR);
	if (fd < 0)
		err(1, "%s", argv[1]);
	for (unsigned i = 0; i < jobs; i++) {
		pid_t pid = fork();

		if (pid < 0)
			err(1, "fork");
		if (pid == 0) {
			job(strtoull(argv[2], NULL, 0), i, atoi(argv[3]), most);
			_exit(0);
		}
	}
	while (wait(&status) > 0)
		bad |= status;
	if (fsync(fd))
		err(1, "fsync");
	if (!bad)
		printf("%s: as it should be\n", argv[1]);
	return bad != 0;
}
