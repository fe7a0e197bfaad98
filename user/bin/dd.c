/* SPDX-License-Identifier: MIT */
/*
 * dd [if=FILE] [of=FILE] [bs=N] [count=N] [skip=N] [seek=N] [conv=fsync,notrunc] [iflag=direct]
 *    [oflag=direct] [status=none]: copy in blocks of a given size.
 */
#include "../lib/util.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *in_name, *out_name;
static unsigned long block_size = 512, skip, seek, count = ~0ul;
static bool do_sync, no_trunc, quiet;
static int in_flags, out_flags;

/* 512, 4k, 1M, 2G */
static unsigned long number(const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 0);

	switch (*end) {
	case 'G':
		n <<= 10;
		/* fall through */
	case 'M':
		n <<= 10;
		/* fall through */
	case 'K':
	case 'k':
		n <<= 10;
		end++;
	}
	if (*end || end == text)
		fatalx("%s: not a number", text);
	return n;
}

static bool has(const char *list, const char *word)
{
	const char *at = strstr(list, word);

	return at && (at == list || at[-1] == ',');
}

static void operand(char *arg)
{
	char *value = strchr(arg, '=');
	const char *name = arg;

	if (!value)
		usage("[if=FILE] [of=FILE] [bs=N] [count=N] [skip=N] [seek=N] [conv=LIST] "
		      "[iflag=direct] [oflag=direct] [status=none]");
	*value++ = 0;
	if (!strcmp(name, "if"))
		in_name = value;
	else if (!strcmp(name, "of"))
		out_name = value;
	else if (!strcmp(name, "bs"))
		block_size = number(value);
	else if (!strcmp(name, "count"))
		count = number(value);
	else if (!strcmp(name, "skip"))
		skip = number(value);
	else if (!strcmp(name, "seek"))
		seek = number(value);
	else if (!strcmp(name, "iflag"))
		in_flags = has(value, "direct") ? O_DIRECT : 0;
	else if (!strcmp(name, "oflag"))
		out_flags = (has(value, "direct") ? O_DIRECT : 0) |
			    (has(value, "sync") ? O_SYNC : 0);
	else if (!strcmp(name, "status"))
		quiet = !strcmp(value, "none");
	else if (!strcmp(name, "conv")) {
		do_sync = has(value, "fsync");
		no_trunc = has(value, "notrunc");
	} else
		fatalx("%s: unknown operand", name);
}

static void skip_input(int in, char *buf)
{
	if (!skip || lseek(in, (off_t)(skip * block_size), SEEK_CUR) >= 0)
		return;
	for (; skip; skip--)
		if (read(in, buf, block_size) <= 0)
			return;
}

int main(int argc, char **argv)
{
	unsigned long whole = 0, part = 0, bytes = 0;
	struct timespec t0, t1;
	int in = 0, out = 1;
	char *buf;
	double s;

	prog_init(argv);
	for (int i = 1; i < argc; i++)
		operand(argv[i]);
	if (!block_size || block_size > 1ul << 30)
		fatalx("bad block size");
	buf = xmalloc(block_size);
	if (in_name && (in = open(in_name, O_RDONLY | in_flags)) < 0)
		fatal("%s", in_name);
	if (out_name) {
		out_flags |= O_WRONLY | O_CREAT | (no_trunc || seek ? 0 : O_TRUNC);
		out = open(out_name, out_flags, 0666);
		if (out < 0)
			fatal("%s", out_name);
		if (seek && !no_trunc && ftruncate(out, (off_t)(seek * block_size)) &&
		    errno != EINVAL)
			fatal("%s", out_name);
	}
	skip_input(in, buf);
	if (seek && lseek(out, (off_t)(seek * block_size), SEEK_SET) < 0)
		fatal("%s", out_name ? out_name : "stdout");
	clock_gettime(CLOCK_MONOTONIC, &t0);
	while (whole + part < count) {
		ssize_t n = read(in, buf, block_size);

		if (n < 0)
			warning("%s", in_name ? in_name : "stdin");
		if (n <= 0)
			break;
		if (!write_all(out, buf, (size_t)n)) {
			warning("%s", out_name ? out_name : "stdout");
			break;
		}
		bytes += (unsigned long)n;
		whole += (unsigned long)n == block_size;
		part += (unsigned long)n != block_size;
	}
	if (do_sync && fsync(out))
		warning("%s", out_name ? out_name : "stdout");
	clock_gettime(CLOCK_MONOTONIC, &t1);
	s = (double)(t1.tv_sec - t0.tv_sec) + (double)(t1.tv_nsec - t0.tv_nsec) / 1e9;
	if (!quiet)
		fprintf(stderr,
			"%lu+%lu records in\n%lu+%lu records out\n%lu bytes copied, %lu ms, %lu "
			"kB/s\n",
			whole, part, whole, part, bytes, (unsigned long)(s * 1000),
			(unsigned long)((double)bytes / 1000 / (s > 0 ? s : 1e-9)));
	return exit_status;
}
