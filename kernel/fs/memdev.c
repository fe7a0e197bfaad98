/* SPDX-License-Identifier: MIT */
/*
 * Devices without hardware: null, zero, full, random, urandom, kmsg. random and urandom are the
 * same generator, which never waits: it has been seeded before the first program runs.
 */
#include "internal.h"

#include <printk.h>
#include <random.h>
#include <string.h>

#define MAJOR_MEM 1
#define PIECE (16 * PAGE_SIZE) /* between two offers of the CPU */

/* A long transfer is no reason to keep others waiting, nor to ignore signals. */
static bool go_on(const struct uio *uio)
{
	if (uio->resid == 0)
		return false;
	sched_relax();
	return !thread_interrupted();
}

static ssize_t null_read(struct file *f, struct uio *uio, uint64_t *pos)
{
	(void)f;
	(void)uio;
	(void)pos;
	return 0;
}

static ssize_t null_write(struct file *f, struct uio *uio, uint64_t *pos)
{
	ssize_t n = uio->resid;

	(void)f;
	(void)pos;
	uio->resid = 0;
	return n;
}

static ssize_t zero_read(struct file *f, struct uio *uio, uint64_t *pos)
{
	ssize_t done = 0, n;

	(void)f;
	(void)pos;
	do {
		n = uio_zero(uio, min(uio->resid, PIECE));
		if (n < 0)
			return done ? done : n;
		done += n;
	} while (go_on(uio));
	return done;
}

static ssize_t full_write(struct file *f, struct uio *uio, uint64_t *pos)
{
	(void)f;
	(void)pos;
	return uio->resid ? -ENOSPC : 0;
}

static ssize_t random_read(struct file *f, struct uio *uio, uint64_t *pos)
{
	char buf[256];
	ssize_t done = 0, n = 0;

	(void)f;
	(void)pos;
	while (uio->resid > 0) {
		n = min(uio->resid, sizeof(buf));
		random_bytes(buf, n);
		n = uio_to(uio, buf, n);
		if (n < 0)
			break;
		done += n;
		if (done % (64 * sizeof(buf)) == 0 && !go_on(uio))
			break;
	}
	memset(buf, 0, sizeof(buf));
	return done ? done : n;
}

/* What is written is mixed in. It can add to what nobody knows, never take away. */
static ssize_t random_write(struct file *f, struct uio *uio, uint64_t *pos)
{
	char buf[256];
	ssize_t done = 0, n = 0;

	(void)f;
	(void)pos;
	while (uio->resid > 0) {
		n = uio_from(uio, buf, min(uio->resid, sizeof(buf)));
		if (n < 0)
			break;
		random_mix(buf, n);
		done += n;
		if (done % (64 * sizeof(buf)) == 0 && !go_on(uio))
			break;
	}
	return done ? done : n;
}

/* The message ring from its oldest byte on; the position counts all bytes that there ever were. */
static ssize_t kmsg_file_read(struct file *f, struct uio *uio, uint64_t *pos)
{
	char buf[256];
	ssize_t done = 0;

	(void)f;
	while (uio->resid > 0) {
		uint64_t at = *pos;
		size_t n = kmsg_read(&at, buf, min(uio->resid, sizeof(buf)));
		ssize_t moved = uio_to(uio, buf, n);

		if (moved < 0)
			return done ? done : moved;
		if (n == 0)
			break;
		*pos = at;
		done += n;
	}
	return done;
}

/* A line of the writer's among the kernel's. */
static ssize_t kmsg_file_write(struct file *f, struct uio *uio, uint64_t *pos)
{
	char buf[200];
	size_t all = uio->resid;
	ssize_t n = uio_from(uio, buf, min(all, sizeof(buf) - 1));

	(void)f;
	(void)pos;
	if (n <= 0)
		return n;
	if (buf[n - 1] == '\n')
		n--;
	buf[n] = 0;
	for (ssize_t i = 0; i < n; i++)
		if ((unsigned char)buf[i] < ' ' && buf[i] != '\t')
			buf[i] = '?';
	printk("%s\n", buf);
	return all;
}

static const struct file_ops null_ops = {.read = null_read, .write = null_write};
static const struct file_ops zero_ops = {.read = zero_read, .write = null_write};
static const struct file_ops full_ops = {.read = zero_read, .write = full_write};
static const struct file_ops random_ops = {.read = random_read, .write = random_write};
static const struct file_ops kmsg_ops = {.read = kmsg_file_read, .write = kmsg_file_write};

static struct char_device mem_devices[] = {
	{.name = "null", .dev = MKDEV(MAJOR_MEM, 3), .mode = 0666, .ops = &null_ops},
	{.name = "zero", .dev = MKDEV(MAJOR_MEM, 5), .mode = 0666, .ops = &zero_ops},
	{.name = "full", .dev = MKDEV(MAJOR_MEM, 7), .mode = 0666, .ops = &full_ops},
	{.name = "random", .dev = MKDEV(MAJOR_MEM, 8), .mode = 0666, .ops = &random_ops},
	{.name = "urandom", .dev = MKDEV(MAJOR_MEM, 9), .mode = 0666, .ops = &random_ops},
	{.name = "kmsg", .dev = MKDEV(MAJOR_MEM, 11), .mode = 0644, .ops = &kmsg_ops},
};

void memdev_init(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(mem_devices); i++)
		chrdev_register(&mem_devices[i]);
}
