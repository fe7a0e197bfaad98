/* SPDX-License-Identifier: MIT */
/*
 * ext2 images with random damage: mounting them, and everything that can be done with them then,
 * ends, with whatever result, and leaves no page, lock or reference behind. --seed repeats a run.
 *
 * SOURCES: tests/unit/fs_host.c tests/unit/fs_disk.c kernel/fs/uio.c kernel/fs/pcache.c
 * SOURCES: kernel/fs/pcache_rw.c kernel/fs/pcache_io.c kernel/fs/writeback.c kernel/fs/vnode.c
 * SOURCES: kernel/fs/ncache.c kernel/fs/namei.c kernel/fs/path.c kernel/fs/attr.c
 * SOURCES: kernel/fs/fd.c kernel/fs/file.c kernel/fs/mount.c kernel/fs/block.c
 * SOURCES: kernel/fs/block_file.c kernel/fs/partition.c kernel/fs/buf.c kernel/fs/ext2/super.c
 * SOURCES: kernel/fs/ext2/check.c kernel/fs/ext2/balloc.c kernel/fs/ext2/ialloc.c
 * SOURCES: kernel/fs/ext2/map.c kernel/fs/ext2/inode.c kernel/fs/ext2/file.c
 * SOURCES: kernel/fs/ext2/dir.c kernel/fs/ext2/names.c kernel/fs/ext2/index.c
 * SOURCES: kernel/fs/ext2/orphan.c kernel/fs/lock.c lib/string.c
 */
#include "fs_host.h"
#include "test.h"

#include <fs.h>
#include <mm.h>
#include <proc.h>
#include <string.h>

int snprintf(char *buf, size_t size, const char *fmt, ...);

#define SECONDS 4.0         /* for each of the tests */
#define SECONDS_FOR_ONE 3.0 /* more for one image: it hangs */
#define NAMES_MAX 200       /* visited in one image */

static unsigned char data[70000];
static unsigned visited;

static unsigned long pick(unsigned long n)
{
	return (test_random() >> 20) % n;
}

static ssize_t transfer(const char *path, unsigned flags, size_t n, off_t pos)
{
	struct parvix_iovec iov;
	struct uio uio;
	struct file *f;
	ssize_t r = file_open(NULL, path, flags, 0644, &f);

	if (r)
		return r;
	uio_user(&uio, &iov, UADDR(data), n);
	r = (flags & O_ACCMODE) == O_RDONLY ? file_pread(f, &uio, pos) : file_pwrite(f, &uio, pos);
	file_put(f);
	return r;
}

/* ---- a small tree with one of everything ---- */

static void populate(void)
{
	char path[64];

	for (int i = 0; i < 20; i++) {
		snprintf(path, sizeof(path), "/mnt/file%d", i);
		CHECK(transfer(path, O_WRONLY | O_CREAT, (size_t)i * 500 + 1, 0) > 0);
	}
	CHECK_EQ(path_mkdir(NULL, "/mnt/a", 0755), 0);
	CHECK_EQ(path_mkdir(NULL, "/mnt/a/b", 0755), 0);
	CHECK_EQ(path_mkdir(NULL, "/mnt/a/b/c", 0755), 0);
	CHECK_EQ(path_link(NULL, "/mnt/file3", NULL, "/mnt/a/b/link", NAMEI_NOFOLLOW), 0);
	CHECK_EQ(path_symlink("b/c", NULL, "/mnt/a/short"), 0);
	memset(data, 'l', 200);
	data[200] = 0;
	CHECK_EQ(path_symlink((char *)data, NULL, "/mnt/a/long"), 0);
	CHECK(transfer("/mnt/a/big", O_WRONLY | O_CREAT, 60000, 0) > 0);
	CHECK(transfer("/mnt/a/big", O_WRONLY, 60000, 250000) > 0);
	CHECK(transfer("/mnt/a/sparse", O_WRONLY | O_CREAT, 10, 100000000) > 0);
	CHECK_EQ(path_mknod(NULL, "/mnt/a/fifo", S_IFIFO | 0644, 0), 0);
	CHECK_EQ(path_mknod(NULL, "/mnt/a/disk", S_IFBLK | 0644, MKDEV(9, 0)), 0);
	for (int i = 0; i < 60; i++) {
		snprintf(path, sizeof(path), "/mnt/a/b/a-rather-long-name-%d", i);
		CHECK_EQ(path_link(NULL, "/mnt/file3", NULL, path, NAMEI_NOFOLLOW), 0);
	}
}

/* ---- everything that can be done ---- */

static void use_file(const char *path)
{
	struct parvix_stat st;
	char link[64];

	if (path_stat(NULL, path, NAMEI_NOFOLLOW, &st))
		return;
	if (S_ISLNK(st.st_mode)) {
		path_readlink(NULL, path, link, sizeof(link));
		path_stat(NULL, path, 0, &st);
	}
	if (S_ISREG(st.st_mode)) {
		transfer(path, O_RDONLY, sizeof(data), 0);
		transfer(path, O_RDONLY, sizeof(data), st.st_size - 1000);
	}
}

static void change_file(const char *path)
{
	char other[64];

	snprintf(other, sizeof(other), "/mnt/%s%lu", pick(2) ? "a/n" : "m", pick(20));
	switch (pick(9)) {
	case 0:
		transfer(path, O_WRONLY, pick(sizeof(data)), (off_t)pick(300000));
		break;
	case 1:
		path_truncate(path, (off_t)pick(300000));
		break;
	case 2:
	case 3:
		path_unlink(NULL, path);
		break;
	case 4:
		path_rename(NULL, path, NULL, other);
		break;
	case 5:
		path_link(NULL, path, NULL, other, NAMEI_NOFOLLOW);
		break;
	case 6:
		path_chmod(NULL, path, 0, 0644);
		break;
	case 7:
		path_rmdir(NULL, path);
		break;
	default:
		path_mkdir(NULL, other, 0755);
	}
}

static void visit(const char *dir, unsigned depth);

static void visit_entry(const char *dir, const struct parvix_dirent *d, unsigned depth)
{
	char path[200];

	if (!strcmp(d->d_name, ".") || !strcmp(d->d_name, ".."))
		return;
	snprintf(path, sizeof(path), "%s/%.60s", dir, d->d_name);
	use_file(path);
	visit(path, depth + 1);
	if (pick(2))
		change_file(path);
}

static void visit(const char *dir, unsigned depth)
{
	char buf[2048] = {0};
	struct file *f;
	ssize_t n;

	if (depth > 6 || file_open(NULL, dir, O_RDONLY | O_DIRECTORY, 0, &f))
		return;
	while ((n = file_getdents(f, UADDR(buf), sizeof(buf))) > 0 && visited < NAMES_MAX)
		for (ssize_t at = 0; at < n && visited < NAMES_MAX; visited++) {
			struct parvix_dirent *d = (struct parvix_dirent *)(buf + at);

			visit_entry(dir, d, depth);
			at += d->d_reclen;
		}
	file_put(f);
}

static void use_everything(void)
{
	struct parvix_statfs st;
	char cwd[200], path[64];

	visited = 0;
	path_statfs("/mnt", &st);
	visit("/mnt", 0);
	for (int i = 0; i < 10; i++) {
		snprintf(path, sizeof(path), "/mnt/new%d", i);
		transfer(path, O_WRONLY | O_CREAT, pick(20000), (off_t)pick(20000));
		change_file(path);
	}
	if (!path_chdir("/mnt/a/b/c"))
		vnode_path(current_proc()->cwd, cwd, sizeof(cwd));
	path_rename(NULL, "/mnt/a/b/c", NULL, "/mnt/c");
	path_rename(NULL, "/mnt/a", NULL, "/mnt/c/a");
	CHECK_EQ(path_chdir("/"), 0);
	fs_sync();
	visited = 0;
	visit("/mnt", 0);
}

/* ---- damage ---- */

static void spoil(unsigned char *image, unsigned long from, unsigned long n)
{
	unsigned long at = from + pick(n);
	uint32_t value;

	switch (pick(5)) {
	case 0:
		image[at] ^= 1u << pick(8);
		return;
	case 1:
		image[at] = (unsigned char)test_random();
		return;
	case 2:
		value = (uint32_t)pick(200); /* metadata, or some block or inode */
		break;
	case 3:
		value = pick(2) ? 0 : 0xffffffff;
		break;
	default:
		value = (uint32_t)test_random();
	}
	memcpy(image + (at & ~3ul), &value, 4);
}

/* Where it is, by taste: superblock, descriptors and bitmaps, inodes, anywhere in use. */
static void damage(unsigned char *image, unsigned block, unsigned inodes_end, unsigned used_end)
{
	static const unsigned char most[] = {1, 1, 2, 4, 16, 64};
	unsigned n = most[pick(sizeof(most))];

	while (n--) {
		switch (pick(5)) {
		case 0:
			spoil(image, 1024, 264);
			break;
		case 1:
			spoil(image, 2ul * block, 5ul * block);
			break;
		case 2:
		case 3:
			spoil(image, 4ul * block, (unsigned long)(inodes_end - 4) * block);
			break;
		default:
			spoil(image, inodes_end * block, (unsigned long)used_end * block);
		}
		if (pick(4) == 0)
			memset(image + (size_t)pick(used_end) * block, (int)pick(3) - 1, block);
	}
}

static void run_damaged(const char *options, unsigned long kib, unsigned block, unsigned inodes_end,
			unsigned used_end)
{
	unsigned long size = kib * 1024, free_pages, images = 0, mounted = 0;
	void *good, *image;
	double start;

	host_start();
	host_user(0);
	good = disk_make(options, kib);
	REQUIRE(good != NULL);
	host_disk_set(good, size);
	free_pages = host_free_pages();
	REQUIRE_EQ(fs_mount("/disk", "/mnt", "ext2", 0, NULL), 0);
	populate();
	REQUIRE_EQ(fs_unmount("/mnt", 0), 0);
	REQUIRE_EQ(disk_check(good, size), 0);
	host_quiet(1);
	for (start = disk_clock(); disk_clock() - start < SECONDS; images++) {
		double begin = disk_clock();

		image = disk_copy(good, size);
		damage(image, block, inodes_end, used_end);
		host_disk_set(image, size);
		host_disk_async = pick(2);
		if (!fs_mount("/disk", "/mnt", "ext2", pick(8) ? 0 : MS_RDONLY, NULL)) {
			mounted++;
			use_everything();
			fs_sync(); /* errors of write-back are told here */
			CHECK_EQ(fs_unmount("/mnt", 0), 0);
		}
		REQUIRE_EQ(host_free_pages(), free_pages);
		CHECK(disk_clock() - begin < SECONDS_FOR_ONE);
		disk_free(image);
	}
	host_quiet(0);
	test_note("%lu images, %lu of them could be mounted", images, mounted);
	disk_free(good);
}

TEST(damaged_1k_blocks)
{
	run_damaged("-t ext2 -b 1024 -N 64", 1024, 1024, 22, 400);
}

TEST(damaged_4k_blocks_small_inodes)
{
	run_damaged("-t ext2 -b 4096 -I 128 -N 128", 2048, 4096, 9, 100);
}

TEST(damaged_revision_0)
{
	run_damaged("-t ext2 -b 1024 -r 0 -O none -g 512 -N 128", 1024, 1024, 14, 500);
}
