/* SPDX-License-Identifier: MIT */
/*
 * blockdump DEVICE SUMS: the blocks of a disk that are not what they were, to standard output.
 *
 * SUMS has four bytes for each block of 4096: what block_sum() in test_filesystem.py made of it
 * before the guest started. A record is the block's number, four bytes, and its contents. The
 * console gives the byte 0x1e a meaning, so it and 0x01 go out as 0x01 and the byte plus 64.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#define BLOCK 4096

static uint32_t block_sum(const unsigned char *p)
{
	uint32_t a = 1, b = 0;

	/* Adler-32, without reduction within a block: it cannot overflow there. */
	for (int i = 0; i < BLOCK; i++) {
		a += p[i];
		b += a % 65521;
	}
	return (b % 65521) << 16 | a % 65521;
}

static void put(const unsigned char *p, size_t n)
{
	static unsigned char out[2 * BLOCK];
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		if (p[i] == 0x01 || p[i] == 0x1e)
			out[len++] = 0x01;
		out[len++] = p[i] + (p[i] == 0x01 || p[i] == 0x1e ? 64 : 0);
	}
	for (size_t done = 0; done < len;) {
		ssize_t n_written = write(1, out + done, len - done);

		if (n_written <= 0)
			_exit(1);
		done += (size_t)n_written;
	}
}

int main(int argc, char **argv)
{
	static unsigned char block[BLOCK];
	int disk, sums;
	uint32_t sum;
	ssize_t n;

	if (argc != 3)
		return 2;
	disk = open(argv[1], O_RDONLY);
	sums = open(argv[2], O_RDONLY);
	if (disk < 0 || sums < 0) {
		perror("blockdump");
		return 2;
	}
	for (uint32_t number = 0; (n = read(disk, block, BLOCK)) > 0; number++) {
		if (read(sums, &sum, 4) == 4 && sum == block_sum(block))
			continue;
		put((unsigned char *)&number, 4);
		put(block, (size_t)n);
		for (; n < BLOCK; n++)
			put((const unsigned char *)"", 1);
	}
	return n == 0 ? 0 : 1;
}
