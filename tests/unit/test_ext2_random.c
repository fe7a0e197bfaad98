/* SPDX-License-Identifier: MIT */
/*
 * Random operations on ext2, compared with a model in memory, and operations on images with random
 * damage. --seed repeats a run.
 *
 * SOURCES: tests/unit/ext2_model.c tests/unit/fs_host.c tests/unit/fs_disk.c kernel/fs/uio.c
 * SOURCES: kernel/fs/pcache.c kernel/fs/pcache_rw.c kernel/fs/pcache_io.c kernel/fs/writeback.c
 * SOURCES: kernel/fs/vnode.c kernel/fs/ncache.c kernel/fs/namei.c kernel/fs/path.c
 * SOURCES: kernel/fs/attr.c kernel/fs/fd.c kernel/fs/file.c kernel/fs/mount.c kernel/fs/block.c
 * SOURCES: kernel/fs/block_file.c kernel/fs/partition.c kernel/fs/buf.c kernel/fs/ext2/super.c
 * SOURCES: kernel/fs/ext2/check.c kernel/fs/ext2/balloc.c kernel/fs/ext2/ialloc.c
 * SOURCES: kernel/fs/ext2/map.c kernel/fs/ext2/inode.c kernel/fs/ext2/file.c
 * SOURCES: kernel/fs/ext2/dir.c kernel/fs/ext2/names.c kernel/fs/ext2/index.c
 * SOURCES: kernel/fs/ext2/orphan.c kernel/fs/lock.c lib/string.c
 */
#include "ext2_model.h"
#include "fs_host.h"
#include "test.h"

#include <fs.h>
#include <mm.h>
#include <proc.h>
#include <string.h>

int snprintf(char *buf, size_t size, const char *fmt, ...);

static unsigned long pick(unsigned long n)
{
	return (test_random() >> 20) % n;
}

static unsigned random_dir(void)
{
	for (;;) {
		unsigned i = (unsigned)pick(NODES);

		if (!i || (nodes[i].used && nodes[i].directory && nodes[i].links))
			return i;
	}
}

/* A name, that exists more often than not. */
static struct entry *random_name(unsigned dir, char *name)
{
	for (unsigned tries = 0; tries < 4; tries++) {
		struct entry *e = &entries[pick(ENTRIES)];

		if (e->used && e->dir == dir) {
			strlcpy(name, e->name, 16);
			return e;
		}
	}
	snprintf(name, 16, "%.*s%lu", (int)pick(10), "abcdefghijk", pick(30));
	return model_find(dir, name);
}

/* ---- operations: kernel and model agree, but for a full disk ---- */

static char path[600], path2[600];
static unsigned char data[40000], back[40000];
static unsigned full; /* times that the disk was full */

#define AGREE(r, wanted)                                                                    \
	do {                                                                                \
		long agree_r = (r), agree_w = (wanted);                                     \
		if (agree_r == -ENOSPC && agree_w != -ENOSPC)                               \
			full++;                                                             \
		else if (agree_r != agree_w)                                                \
			test_failed(__FILE__, __LINE__, "%s %s: %ld, not %ld", path, path2, \
				    agree_r, agree_w);                                      \
	} while (0)

static void op_make(bool directory)
{
	unsigned dir = random_dir(), node;
	char name[16];
	struct entry *e = random_name(dir, name);
	struct file *f;
	long r;

	model_path(dir, name, path, sizeof(path));
	if (directory)
		r = path_mkdir(NULL, path, 0755);
	else
		r = file_open(NULL, path, O_RDWR | O_CREAT | O_EXCL, 0644, &f);
	AGREE(r, e ? -EEXIST : 0);
	if (r)
		return;
	node = node_new(directory);
	if (node && model_enter(dir, name, node)) {
		if (!directory && pick(8) == 0)
			nodes[node].open = f;
		else if (!directory)
			file_put(f);
		return;
	}
	/* no room in the model */
	if (node)
		nodes[node].used = false;
	if (!directory)
		file_put(f);
	CHECK_EQ(directory ? path_rmdir(NULL, path) : path_unlink(NULL, path), 0);
}

static void op_remove(void)
{
	unsigned dir = random_dir();
	char name[16];
	struct entry *e = random_name(dir, name);
	struct node *n = e ? &nodes[e->node] : NULL;
	long wanted = 0, r;

	model_path(dir, name, path, sizeof(path));
	if (!e)
		wanted = -ENOENT;
	else if (n->directory && entry_count(e->node))
		wanted = -ENOTEMPTY;
	r = n && n->directory ? path_rmdir(NULL, path) : path_unlink(NULL, path);
	AGREE(r, wanted);
	if (r)
		return;
	e->used = false;
	n->links--;
	node_drop(n);
}

static void op_link(void)
{
	unsigned from = random_dir(), to = random_dir();
	char name[16], name2[16];
	struct entry *e = random_name(from, name), *e2 = random_name(to, name2);
	long wanted = 0, r;

	model_path(from, name, path, sizeof(path));
	model_path(to, name2, path2, sizeof(path2));
	if (!e)
		wanted = -ENOENT;
	else if (e2)
		wanted = -EEXIST;
	else if (nodes[e->node].directory)
		wanted = -EPERM;
	r = path_link(NULL, path, NULL, path2, NAMEI_NOFOLLOW);
	AGREE(r, wanted);
	if (!r && !model_enter(to, name2, e->node))
		CHECK_EQ(path_unlink(NULL, path2), 0);
}

static long rename_wanted(struct entry *e, struct entry *e2, unsigned to)
{
	struct node *n = e ? &nodes[e->node] : NULL, *n2 = e2 ? &nodes[e2->node] : NULL;

	if (!e)
		return -ENOENT;
	if (n == n2)
		return 0;
	if (n->directory && model_below(to, e->node))
		return -EINVAL;
	if (n2 && n->directory && !n2->directory)
		return -ENOTDIR;
	if (n2 && n2->directory && model_below(e->dir, e2->node) && to != e->dir)
		return -ENOTEMPTY;
	if (n2 && !n->directory && n2->directory)
		return -EISDIR;
	if (n2 && n2->directory && entry_count(e2->node))
		return -ENOTEMPTY;
	return 0;
}

static void op_rename(void)
{
	unsigned from = random_dir(), to = random_dir();
	char name[16], name2[16];
	struct entry *e = random_name(from, name), *e2 = random_name(to, name2);
	long r;

	model_path(from, name, path, sizeof(path));
	model_path(to, name2, path2, sizeof(path2));
	r = path_rename(NULL, path, NULL, path2);
	AGREE(r, rename_wanted(e, e2, to));
	if (r || (e2 && e->node == e2->node))
		return;
	if (e2) {
		struct node *gone = &nodes[e2->node];

		e2->used = false;
		gone->links--;
		node_drop(gone);
	}
	e->dir = to;
	strlcpy(e->name, name2, sizeof(e->name));
}

/* A file to work on, open: by a name or kept open. The caller puts it. */
static struct file *random_file(struct node **n, unsigned flags)
{
	for (unsigned tries = 0; tries < 20; tries++) {
		unsigned i = (unsigned)pick(NODES);
		struct file *f;

		if (!nodes[i].used || nodes[i].directory || !i)
			continue;
		*n = &nodes[i];
		if (nodes[i].open)
			return file_get(nodes[i].open);
		for (unsigned k = 0; k < ENTRIES; k++) {
			if (!entries[k].used || entries[k].node != i)
				continue;
			model_path(entries[k].dir, entries[k].name, path, sizeof(path));
			CHECK_EQ(file_open(NULL, path, flags, 0, &f), 0);
			return f;
		}
	}
	return NULL;
}

static uint64_t random_pos(const struct node *n)
{
	switch (pick(6)) {
	case 0:
		return pick(1 << 20);
	case 1:
		return pick(3) ? pick(1 << 17) : pick(1ul << 31);
	case 2:
		return n->size;
	default:
		return n->size ? pick(n->size) : 0;
	}
}

static void op_write(void)
{
	struct parvix_iovec iov;
	struct uio uio;
	struct node *n;
	struct file *f = random_file(&n, O_RDWR);
	size_t len = pick(3) ? pick(5000) : pick(sizeof(data));
	uint64_t pos;
	ssize_t r;

	if (!f)
		return;
	pos = random_pos(n);
	if (pick(4) == 0)
		pos &= ~4095ul;
	for (size_t i = 0; i < len; i++)
		data[i] = (unsigned char)test_random();
	uio_user(&uio, &iov, UADDR(data), len);
	r = file_pwrite(f, &uio, (off_t)pos);
	if (r < 0 || (size_t)r < len) {
		full++;
		CHECK(r >= 0 || r == -ENOSPC);
	}
	if (r > 0)
		model_write(n, pos, data, (size_t)r);
	file_put(f);
}

static void op_read(void)
{
	struct parvix_iovec iov;
	struct uio uio;
	struct node *n;
	struct file *f = random_file(&n, O_RDWR);
	size_t len = pick(sizeof(back)), wanted;
	uint64_t pos;
	ssize_t r;

	if (!f)
		return;
	pos = random_pos(n);
	wanted = pos >= n->size ? 0 : min((uint64_t)len, n->size - pos);
	uio_user(&uio, &iov, UADDR(back), len);
	r = file_pread(f, &uio, (off_t)pos);
	CHECK_EQ(r, wanted);
	for (ssize_t i = 0; i < r; i++)
		if (back[i] != model_byte(n, pos + (uint64_t)i)) {
			test_failed(__FILE__, __LINE__, "byte %lu of %s (size %lu): %02x, not %02x",
				    (unsigned long)pos + (unsigned long)i, path,
				    (unsigned long)n->size, back[i],
				    model_byte(n, pos + (uint64_t)i));
			break;
		}
	file_put(f);
}

static void op_size(void)
{
	struct node *n;
	struct file *f = random_file(&n, O_RDWR);
	uint64_t size;

	if (!f)
		return;
	size = random_pos(n);
	CHECK_EQ(file_truncate(f, (off_t)size), 0);
	model_truncate(n, size);
	if (pick(3) == 0) {
		uint64_t end = size + 1 + pick(30000);
		int err = file_fallocate(f, (off_t)size, (off_t)(end - size));

		if (err)
			full++;
		else
			n->size = end;
	}
	file_put(f);
}

static void op_keep_open(void)
{
	struct node *n;
	struct file *f = random_file(&n, O_RDWR);

	if (!f)
		return;
	if (n->open) {
		file_put(f);
		file_put(n->open);
		n->open = NULL;
		node_drop(n);
	} else {
		n->open = f;
	}
}

static void op_stat(void)
{
	unsigned dir = random_dir();
	char name[16];
	struct entry *e = random_name(dir, name);
	struct parvix_stat st;
	int r;

	model_path(dir, name, path, sizeof(path));
	r = path_stat(NULL, path, 0, &st);
	AGREE(r, e ? 0 : -ENOENT);
	if (r || !e)
		return;
	CHECK_EQ(S_ISDIR(st.st_mode), nodes[e->node].directory);
	if (nodes[e->node].directory) {
		CHECK_EQ(st.st_nlink, 2 + subdirs(e->node));
	} else {
		CHECK_EQ(st.st_nlink, nodes[e->node].links);
		CHECK_EQ(st.st_size, nodes[e->node].size);
	}
}

static void op_list(void)
{
	unsigned dir = random_dir(), seen = 0;
	struct file *f;
	ssize_t n;

	model_path(dir, "", path, sizeof(path));
	REQUIRE_EQ(file_open(NULL, path, O_RDONLY, 0, &f), 0);
	while ((n = file_getdents(f, UADDR(back), 300 + pick(2000))) > 0)
		for (ssize_t at = 0; at < n;) {
			struct parvix_dirent *d = (struct parvix_dirent *)(back + at);

			if (d->d_name[0] != '.' && strcmp(d->d_name, "lost+found")) {
				CHECK(model_find(dir, d->d_name) != NULL);
				seen++;
			}
			at += d->d_reclen;
		}
	CHECK_EQ(n, 0);
	CHECK_EQ(seen, entry_count(dir));
	file_put(f);
}

static void one_step(void)
{
	path[0] = path2[0] = 0;
	switch (pick(20)) {
	case 0:
	case 1:
	case 2:
		op_make(false);
		break;
	case 3:
		op_make(true);
		break;
	case 4:
	case 5:
		op_remove();
		break;
	case 6:
		op_link();
		break;
	case 7:
	case 8:
		op_rename();
		break;
	case 9:
		op_size();
		break;
	case 10:
		op_keep_open();
		break;
	case 11:
		op_stat();
		break;
	case 12:
		op_list();
		break;
	case 13:
		if (pick(10) == 0)
			CHECK_EQ(fs_sync(), 0);
		break;
	case 14:
	case 15:
	case 16:
		op_read();
		break;
	default:
		op_write();
	}
}

static void close_all(void)
{
	for (unsigned i = 0; i < NODES; i++) {
		struct file *f = nodes[i].open;

		nodes[i].open = NULL;
		if (f)
			file_put(f);
		if (i && nodes[i].used)
			node_drop(&nodes[i]);
	}
}

static void run_model(const char *options, unsigned long kib, unsigned steps)
{
	unsigned long free_pages;
	void *image;

	host_start();
	host_user(0);
	memset(nodes, 0, sizeof(nodes));
	memset(entries, 0, sizeof(entries));
	nodes[0] = (struct node){.used = true, .directory = true, .links = 1};
	image = disk_make(options, kib);
	REQUIRE(image != NULL);
	host_disk_async = 1;
	host_disk_set(image, kib * 1024);
	free_pages = host_free_pages();
	for (unsigned round = 0; round < 3; round++) {
		REQUIRE_EQ(fs_mount("/disk", "/mnt", "ext2", 0, NULL), 0);
		for (unsigned i = 0; i < steps; i++)
			one_step();
		close_all();
		REQUIRE_EQ(fs_unmount("/mnt", 0), 0);
		CHECK_EQ(host_free_pages(), free_pages);
		CHECK_EQ(disk_check(image, kib * 1024), 0);
	}
	for (unsigned i = 0; i < NODES; i++)
		pieces_free(&nodes[i], 0);
	disk_free(image);
}

TEST(random_operations_1k_blocks)
{
	run_model("-t ext2 -b 1024 -N 200", 1500, 1200);
}

TEST(random_operations_2k_blocks)
{
	run_model("-t ext2 -b 2048 -I 128", 4096, 1200);
}

TEST(random_operations_4k_blocks)
{
	run_model("-t ext2 -b 4096", 8192, 1200);
}

TEST(random_operations_many_groups_revision_0)
{
	run_model("-t ext2 -b 1024 -r 0 -g 256 -N 400 -O none", 2048, 1200);
}
