/* SPDX-License-Identifier: MIT */
/*
 * The road between files and a disk that answers late and in any order: how many requests a file
 * takes, errors, and a disk that is pulled out. --seed repeats a run.
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
#include <proc.h>
#include <string.h>

#define KIB 4096ul
#define BIG (1u << 20)

static unsigned char data[BIG], back[BIG];
static void *image;

static unsigned long pick(unsigned long n)
{
	return (test_random() >> 20) % n;
}

static void start(const char *options)
{
	host_start();
	host_user(0);
	image = disk_make(options, KIB);
	REQUIRE(image != NULL);
	host_disk_async = 1;
	host_disk_set(image, KIB * 1024);
	REQUIRE_EQ(fs_mount("/disk", "/mnt", "ext2", 0, NULL), 0);
	for (unsigned i = 0; i < BIG; i++)
		data[i] = (unsigned char)(test_random() >> 30);
}

static void finish(void)
{
	CHECK_EQ(fs_unmount("/mnt", 0), 0);
	CHECK_EQ(disk_check(image, KIB * 1024), 0);
	disk_free(image);
}

static ssize_t move(struct file *f, void *buf, size_t n, off_t pos, bool write)
{
	struct parvix_iovec iov;
	struct uio uio;

	uio_user(&uio, &iov, UADDR(buf), n);
	return write ? file_pwrite(f, &uio, pos) : file_pread(f, &uio, pos);
}

static struct file *open_file(const char *path, unsigned flags)
{
	struct file *f;

	return file_open(NULL, path, flags, 0644, &f) ? NULL : f;
}

static void remount(void)
{
	REQUIRE_EQ(fs_unmount("/mnt", 0), 0);
	REQUIRE_EQ(fs_mount("/disk", "/mnt", "ext2", 0, NULL), 0);
}

/* ---- how many requests ---- */

static unsigned long reads_of(const char *path, size_t chunk, off_t step)
{
	struct file *f = open_file(path, O_RDONLY);
	unsigned long before;

	CHECK(f != NULL);
	if (!f)
		return 0;
	move(f, back, 1, BIG - 1, false); /* the inode, indirect blocks */
	before = host_transfers;
	for (off_t pos = 0; pos < (off_t)BIG; pos += step) {
		CHECK_EQ(move(f, back + pos, chunk, pos, false), (ssize_t)chunk);
		CHECK(!memcmp(back + pos, data + pos, chunk));
	}
	file_put(f);
	return host_transfers - before;
}

TEST(many_pages_a_request)
{
	unsigned long before, n;
	struct file *f;

	start("-t ext2 -b 4096 -N 64");
	f = open_file("/mnt/big", O_RDWR | O_CREAT);
	REQUIRE(f != NULL);
	before = host_transfers;
	host_disk_most = 0;
	CHECK_EQ(move(f, data, BIG, 0, true), BIG);
	CHECK_EQ(file_sync(f, false), 0);
	n = host_transfers - before;
	test_note("1 MiB written in %lu requests, %lu at a time", n, host_disk_most);
	CHECK(n < 32 && host_disk_most > 1);
	file_put(f);

	remount();
	host_disk_most = 0;
	n = reads_of("/mnt/big", 4096, 4096);
	test_note("1 MiB read by pages in %lu requests, %lu at a time", n, host_disk_most);
	CHECK(n < 24 && host_disk_most > 1);
	remount();
	host_disk_most = 0;
	n = reads_of("/mnt/big", BIG, BIG);
	test_note("1 MiB read at once in %lu requests, %lu at a time", n, host_disk_most);
	CHECK(n < 16 && host_disk_most >= 8);
	remount();
	n = reads_of("/mnt/big", 4096, 16 * 4096);
	CHECK(n <= 20); /* 16 pages and no more */
	test_note("16 pages far from each other in %lu requests", n);
	finish();
}

TEST(small_blocks)
{
	struct file *f;

	start("-t ext2 -b 1024 -N 64");
	f = open_file("/mnt/big", O_RDWR | O_CREAT);
	REQUIRE(f != NULL);
	CHECK_EQ(move(f, data, BIG, 0, true), BIG);
	file_put(f);
	remount();
	test_note("1 MiB read by pages in %lu requests", reads_of("/mnt/big", 4096, 4096));
	finish();
}

/* ---- errors ---- */

TEST(fsync_tells_an_error_once)
{
	struct file *f;

	start("-t ext2 -b 1024 -N 64");
	f = open_file("/mnt/a", O_RDWR | O_CREAT);
	REQUIRE(f != NULL);
	CHECK_EQ(file_sync(f, false), 0);
	CHECK_EQ(move(f, data, 5000, 0, true), 5000);
	host_disk_fail = 1;
	fs_sync(); /* in the background: fsync() hears of it all the same */
	host_disk_fail = 0;
	CHECK_EQ(file_sync(f, false), -EIO);
	CHECK_EQ(file_sync(f, false), 0);
	CHECK_EQ(move(f, data, 5000, 0, true), -EROFS); /* metadata failed too */
	CHECK_EQ(move(f, back, 5000, 0, false), 5000);
	file_put(f);
	CHECK_EQ(fs_unmount("/mnt", 0), 0);
	disk_free(image);
}

TEST(a_page_that_cannot_be_read)
{
	struct file *f;

	start("-t ext2 -b 4096 -N 64");
	f = open_file("/mnt/a", O_RDWR | O_CREAT);
	REQUIRE(f != NULL);
	CHECK_EQ(move(f, data, 100000, 0, true), 100000);
	file_put(f);
	remount();
	f = open_file("/mnt/a", O_RDONLY);
	REQUIRE(f != NULL);
	CHECK_EQ(move(f, back, 1, 99999, false), 1);
	host_disk_fail = 1;
	CHECK_EQ(move(f, back, 50000, 0, false), -EIO);
	host_disk_fail = 0;
	CHECK_EQ(move(f, back, 100000, 0, false), 100000);
	CHECK(!memcmp(back, data, 100000));
	file_put(f);
	finish();
}

static void random_work(unsigned n)
{
	while (n--) {
		char path[] = "/mnt/f0";
		struct file *f;

		path[6] = (char)('0' + pick(8));
		f = open_file(path, O_RDWR | O_CREAT);
		if (f) {
			move(f, data, pick(60000), (off_t)pick(60000), true);
			move(f, back, pick(60000), (off_t)pick(60000), false);
			if (pick(4) == 0)
				file_sync(f, false);
			file_put(f);
		}
		if (pick(5) == 0)
			path_unlink(NULL, path);
		if (pick(10) == 0)
			fs_sync();
	}
}

TEST(errors_at_random)
{
	unsigned long pages;

	start("-t ext2 -b 1024 -N 64");
	pages = host_free_pages();
	host_quiet(1);
	for (unsigned i = 0; i < 60; i++) {
		random_work((unsigned)pick(20));
		host_disk_fail = 2 + pick(30);
		random_work(10);
		CHECK_EQ(fs_unmount("/mnt", 0), 0);
		CHECK(host_free_pages() >= pages);
		host_disk_fail = 0;
		disk_free(image);
		image = disk_make("-t ext2 -b 1024 -N 64", KIB);
		host_disk_set(image, KIB * 1024);
		REQUIRE_EQ(fs_mount("/disk", "/mnt", "ext2", 0, NULL), 0);
	}
	host_quiet(0);
	finish();
}

/* ---- pulled out ---- */

static unsigned countdown;

static void count_down(void)
{
	if (countdown && !--countdown)
		host_disk_unplug();
}

TEST(pulled_out_while_mounted)
{
	struct parvix_stat st;
	unsigned long pages;

	start("-t ext2 -b 1024 -N 64");
	pages = host_free_pages();
	host_quiet(1);
	host_disk_written = count_down;
	for (unsigned i = 0; i < 60; i++) {
		countdown = 1 + (unsigned)pick(200);
		random_work(20);
		if (countdown) {
			countdown = 0;
			host_disk_unplug();
		}
		random_work(5);
		CHECK_EQ(path_stat(NULL, "/disk", 0, &st), 0); /* the name of the test's own root */
		CHECK_EQ(fs_mount("/disk", "/mnt", "ext2", 0, NULL), -ENXIO);
		CHECK_EQ(host_disk_released, 0);
		CHECK_EQ(fs_unmount("/mnt", 0), 0);
		CHECK_EQ(host_disk_released, 1);
		CHECK(host_free_pages() >= pages);
		disk_free(image);
		image = disk_make("-t ext2 -b 1024 -N 64", KIB);
		host_disk_set(image, KIB * 1024);
		REQUIRE_EQ(host_disk_plug(), 0);
		REQUIRE_EQ(fs_mount("/disk", "/mnt", "ext2", 0, NULL), 0);
	}
	host_disk_written = NULL;
	host_quiet(0);
	finish();
}

/* ---- /dev/NAME ---- */

TEST(the_device_itself)
{
	struct file *f;

	start("-t ext2 -b 1024 -N 64");
	CHECK(open_file("/disk", O_RDWR) == NULL); /* mounted */
	REQUIRE_EQ(fs_unmount("/mnt", 0), 0);
	f = open_file("/disk", O_RDWR);
	REQUIRE(f != NULL);
	host_disk_most = 0;
	CHECK_EQ(move(f, data, BIG, 4096, true), BIG);
	CHECK(host_disk_most >= 7);
	CHECK_EQ(move(f, data + 100, 777, 2 << 20 | 99, true), 777); /* parts of sectors */
	CHECK_EQ(move(f, back, 777, 2 << 20 | 99, false), 777);
	CHECK(!memcmp(back, data + 100, 777));
	CHECK_EQ(move(f, back, BIG, 4096, false), BIG);
	CHECK(!memcmp(back, data, BIG));
	CHECK_EQ(move(f, back, 100, (off_t)(KIB * 1024 - 40), false), 40);
	CHECK_EQ(move(f, back, 100, (off_t)(KIB * 1024), true), -ENOSPC);
	file_put(f);
	disk_free(image);
}

TEST(large_sectors)
{
	struct file *f;

	host_start();
	host_disk_unplug();
	host_disk_sector = 4096;
	image = disk_make("-t ext2 -b 1024 -N 64", KIB);
	REQUIRE(image != NULL);
	host_disk_set(image, KIB * 1024);
	REQUIRE_EQ(host_disk_plug(), 0);
	CHECK_EQ(fs_mount("/disk", "/mnt", "ext2", 0, NULL), -EINVAL);
	disk_free(image);
	start("-t ext2 -b 4096 -N 64");
	f = open_file("/mnt/a", O_RDWR | O_CREAT);
	REQUIRE(f != NULL);
	CHECK_EQ(move(f, data, 100000, 777, true), 100000);
	file_put(f);
	remount();
	f = open_file("/mnt/a", O_RDONLY);
	REQUIRE(f != NULL);
	CHECK_EQ(move(f, back, 100000, 777, false), 100000);
	CHECK(!memcmp(back, data, 100000));
	file_put(f);
	f = open_file("/disk", O_RDONLY | O_DIRECT);
	REQUIRE(f != NULL);
	CHECK_EQ(move(f, back, 512, 0, false), -EINVAL);
	CHECK_EQ(move(f, back, 4096, 0, false), 4096);
	file_put(f);
	finish();
}
