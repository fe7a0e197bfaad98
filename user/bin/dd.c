/* SPDX-License-Identifier: MIT */
/*
 * dd [if=FILE] [of=FILE] [bs=N] [count=N] [skip=N] [seek=N] [iflag=direct] [oflag=direct,sync]
 *    [conv=fsync,fdatasync,notrunc,noerror,sync] [status=none|noxfer|progress]: copy in blocks of a
 *    given size. What one read() gives is written at once.
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
static bool do_sync, do_datasync, no_trunc, no_error, pad;
static enum { ALL, PROGRESS, NO_TRANSFER, NOTHING } status;
static int in_flags, out_flags;

static unsigned long whole, part, out_whole, out_part, bytes;
static struct timespec started;

/* 512, 8b, 4k, 1M, 2G */
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
		break;
	case 'b':
		n <<= 9;
		/* fall through */
	case 'c':
		end++;
	}
	if (*end || end == text)
		fatalx("%s: not a number", text);
	return n;
}

/* Is @word one of @list, which has commas between? */
static bool has(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *at = list; at; at = (at = strchr(at, ',')) ? at + 1 : NULL)
		if (!strncmp(at, word, n) && (!at[n] || at[n] == ','))
			return true;
	return false;
}

/* Exit if @list, the value of the operand @name, has a word that is not in @known. */
static void check_words(const char *name, const char *list, const char *known)
{
	for (size_t n; n = strcspn(list, ","), n || *list; list += n + (list[n] == ',')) {
		char word[16];

		snprintf(word, sizeof(word), "%.*s", (int)n, list);
		if (!n || n >= sizeof(word) || !has(known, word))
			fatalx("%s=%.*s: there are %s", name, (int)n, list, known);
	}
}

static void operand_words(const char *name, const char *value)
{
	if (!strcmp(name, "iflag")) {
		check_words(name, value, "direct");
		in_flags = O_DIRECT;
	} else if (!strcmp(name, "oflag")) {
		check_words(name, value, "direct,sync");
		out_flags = (has(value, "direct") ? O_DIRECT : 0) |
			    (has(value, "sync") ? O_SYNC : 0);
	} else if (!strcmp(name, "status")) {
		check_words(name, value, "none,noxfer,progress");
		status = has(value, "none")     ? NOTHING
			 : has(value, "noxfer") ? NO_TRANSFER
						: PROGRESS;
	} else if (!strcmp(name, "conv")) {
		check_words(name, value, "fsync,fdatasync,notrunc,noerror,sync");
		do_sync = has(value, "fsync");
		do_datasync = has(value, "fdatasync");
		no_trunc = has(value, "notrunc");
		no_error = has(value, "noerror");
		pad = has(value, "sync");
	} else {
		fatalx("%s: unknown operand", name);
	}
}

static void operand(char *arg)
{
	char *value = strchr(arg, '=');
	const char *name = arg;

	if (!value)
		usage("[if=FILE] [of=FILE] [bs=N] [count=N] [skip=N] [seek=N] [iflag=direct] "
		      "[oflag=direct,sync]\n\t[conv=fsync,fdatasync,notrunc,noerror,sync] "
		      "[status=none|noxfer|progress]");
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
	else
		operand_words(name, value);
}

static void skip_input(int in, char *buf)
{
	if (!skip || lseek(in, (off_t)(skip * block_size), SEEK_CUR) >= 0)
		return;
	for (; skip; skip--)
		if (read(in, buf, block_size) <= 0)
			return;
}

/* "6553600 bytes (6.2 MiB) copied, 0.306 s, 21.4 MB/s" */
static void transferred(void)
{
	struct timespec now;
	unsigned long ms, rate;

	clock_gettime(CLOCK_MONOTONIC, &now);
	ms = (unsigned long)((now.tv_sec - started.tv_sec) * 1000 +
			     (now.tv_nsec - started.tv_nsec) / 1000000);
	rate = bytes / (ms ? ms : 1) / 100;
	fprintf(stderr, "%lu bytes (%lu.%lu MiB) copied, %lu.%03lu s, %lu.%lu MB/s", bytes,
		bytes >> 20, (bytes & 0xfffff) * 10 >> 20, ms / 1000, ms % 1000, rate / 10,
		rate % 10);
}

static bool shown; /* a line of status=progress, without its end */

static void progress(void)
{
	static time_t last;
	time_t now = time(NULL);

	if (status != PROGRESS || now == last)
		return;
	if (last) {
		fputc('\r', stderr);
		transferred();
		fputs("  ", stderr);
		shown = true;
	}
	last = now;
}

static void summary(void)
{
	if (status == NOTHING)
		return;
	fprintf(stderr, "%s%lu+%lu records in\n%lu+%lu records out\n", shown ? "\n" : "", whole,
		part, out_whole, out_part);
	if (status == NO_TRANSFER)
		return;
	transferred();
	fputc('\n', stderr);
}

/* The next block in @buf; its size, 0 at the end. With conv=noerror a bad block is one of zeros. */
static size_t read_block(int in, char *buf)
{
	ssize_t n = read(in, buf, block_size);

	if (n < 0) {
		warning("%s", in_name ? in_name : "stdin");
		if (!no_error || lseek(in, (off_t)block_size, SEEK_CUR) < 0)
			return 0;
		part++;
		memset(buf, 0, block_size);
		return block_size;
	}
	if (!n)
		return 0;
	*((size_t)n == block_size ? &whole : &part) += 1;
	if (pad)
		memset(buf + n, 0, block_size - (size_t)n);
	return pad ? block_size : (size_t)n;
}

static void copy(int in, int out, char *buf)
{
	size_t n;

	while (whole + part < count && (n = read_block(in, buf))) {
		if (!write_all(out, buf, n)) {
			warning("%s", out_name ? out_name : "stdout");
			break;
		}
		bytes += n;
		*(n == block_size ? &out_whole : &out_part) += 1;
		progress();
	}
	if ((do_sync && fsync(out)) || (do_datasync && fdatasync(out)))
		warning("%s", out_name ? out_name : "stdout");
}

int main(int argc, char **argv)
{
	int in = 0, out = 1;
	char *buf;

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
	clock_gettime(CLOCK_MONOTONIC, &started);
	copy(in, out, buf);
	summary();
	return exit_status;
}
