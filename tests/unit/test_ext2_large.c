/* SPDX-License-Identifier: MIT */
/*
 * ext2 where it is large: all levels of indirect blocks, directories of ten thousand names, as many
 * links as there can be; and files that are in use without a name when the machine stops.
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

int snprintf(char *buf, size_t size, const char *fmt, ...);

#define KIB 1024ul
#define MIB (1024ul * 1024)
#define NAMES 10000u

static void *image;
static unsigned long image_size, pages_before;

static bool setup(const char *options, unsigned long kib)
{
	host_start();
	host_user(0);
	image_size = kib * KIB;
	image = disk_make(options, kib);
	if (!image)
		return false;
	host_disk_set(image, image_size);
	pages_before = host_free_pages();
	return !fs_mount("/disk", "/mnt", "ext2", 0, NULL);
}

static void finish(void)
{
	CHECK_EQ(fs_unmount("/mnt", 0), 0);
	CHECK_EQ(host_free_pages(), pages_before);
	CHECK_EQ(disk_check(image, image_size), 0);
	disk_free(image);
}

static ssize_t move(struct file *f, void *buf, size_t n, uint64_t pos, bool write)
{
	struct parvix_iovec iov;
	struct uio uio;

	uio_user(&uio, &iov, UADDR(buf), n);
	return write ? file_pwrite(f, &uio, (off_t)pos) : file_pread(f, &uio, (off_t)pos);
}

static struct file *open_file(const char *path, unsigned flags)
{
	struct file *f = NULL;

	CHECK_EQ(file_open(NULL, path, O_RDWR | flags, 0644, &f), 0);
	return f;
}

/* Where a level of the tree ends and the next begins, for blocks of 1 KiB, and the last block. */
static const uint64_t corners[] = {
	12 * KIB,
	(12 + 256) * KIB,
	(12 + 256 + 256 * 256ul) * KIB,
	(12 + 256 + 256 * 256ul + 77 * 256 * 256ul) * KIB,
	(12 + 256 + 256 * 256ul + 256 * 256 * 256ul - 2) * KIB,
};

static char want(uint64_t pos)
{
	return (char)(1 + pos * 2654435761u % 251);
}

/* Bytes around @corner that were written; the rest up to the next is a hole. */
static void check_corner(struct file *f, uint64_t corner, bool there)
{
	static char buf[4 * KIB];

	memset(buf, 'x', sizeof(buf));
	CHECK_EQ(move(f, buf, sizeof(buf), corner - 2 * KIB, false), sizeof(buf));
	for (unsigned i = 0; i < sizeof(buf); i++) {
		bool inside = there && i >= KIB + 7 && i < 3 * KIB + 7;

		CHECK_THAT(buf[i] == (inside ? want(corner + i) : 0), "byte %u around %lu is %d", i,
			   (unsigned long)corner, buf[i]);
	}
}

TEST(every_level_of_indirect_blocks)
{
	static char buf[2 * KIB];
	struct parvix_stat st;
	struct file *f;
	unsigned n = ARRAY_SIZE(corners);

	REQUIRE(setup("-t ext2 -b 1024", 4096));
	f = open_file("/mnt/f", O_CREAT);
	REQUIRE(f != NULL);
	for (unsigned c = 0; c < n; c++) {
		for (unsigned i = 0; i < sizeof(buf); i++)
			buf[i] = want(corners[c] + KIB + 7 + i);
		CHECK_EQ(move(f, buf, sizeof(buf), corners[c] - KIB + 7, true), sizeof(buf));
	}
	CHECK_EQ(file_truncate(f, (off_t)corners[n - 1] + 2 * (off_t)KIB), 0);
	CHECK_EQ(file_truncate(f, (off_t)corners[n - 1] + 2 * (off_t)KIB + 1), -EFBIG);
	CHECK_EQ(file_sync(f, false), 0);
	file_put(f);
	CHECK_EQ(fs_unmount("/mnt", 0), 0);
	CHECK_EQ(disk_check(image, image_size), 0);
	REQUIRE_EQ(fs_mount("/disk", "/mnt", "ext2", 0, NULL), 0);
	f = open_file("/mnt/f", 0);
	for (unsigned c = 0; c < n; c++)
		check_corner(f, corners[c], true);
	/* Shorter, one corner after the other, and longer again: no old byte comes back. */
	for (unsigned c = n; c-- > 0;) {
		CHECK_EQ(file_truncate(f, (off_t)(corners[c] - KIB)), 0);
		CHECK_EQ(file_truncate(f, (off_t)(corners[n - 1] + 2 * KIB)), 0);
		check_corner(f, corners[c], false);
		if (c)
			check_corner(f, corners[c - 1], true);
	}
	CHECK_EQ(file_stat(f, &st), 0);
	CHECK_EQ(st.st_blocks, 0);
	file_put(f);
	finish();
}

static void name_of(unsigned i, char *path, size_t size)
{
	snprintf(path, size, "/mnt/d/%s-%u", i % 3 ? "name" : "a-longer-name-than-the-others", i);
}

static unsigned count_entries(const char *path)
{
	static char buf[4096];
	struct file *f;
	unsigned seen = 0;
	ssize_t n;

	if (file_open(NULL, path, O_RDONLY | O_DIRECTORY, 0, &f))
		return 0;
	while ((n = file_getdents(f, UADDR(buf), sizeof(buf))) > 0)
		for (ssize_t at = 0; at < n; seen++)
			at += ((struct parvix_dirent *)(buf + at))->d_reclen;
	file_put(f);
	return seen;
}

/* Names are links of a few files: inodes are not what is tested. */
static void ten_thousand_names(const char *options)
{
	struct parvix_stat st, again;
	char path[64];
	unsigned wrong = 0;

	REQUIRE(setup(options, 4096));
	REQUIRE_EQ(path_mkdir(NULL, "/mnt/d", 0755), 0);
	file_put(open_file("/mnt/f", O_CREAT));
	for (unsigned i = 0; i < NAMES; i++) {
		name_of(i, path, sizeof(path));
		wrong += path_link(NULL, "/mnt/f", NULL, path, NAMEI_NOFOLLOW) != 0;
	}
	CHECK_EQ(wrong, 0);
	CHECK_EQ(path_link(NULL, "/mnt/f", NULL, path, NAMEI_NOFOLLOW), -EEXIST);
	CHECK_EQ(count_entries("/mnt/d"), NAMES + 2);
	CHECK_EQ(path_stat(NULL, "/mnt/d", 0, &st), 0);
	for (unsigned i = 0; i < NAMES; i += 2) {
		name_of(i, path, sizeof(path));
		wrong += path_unlink(NULL, path) != 0;
	}
	for (unsigned i = 0; i < NAMES; i++) {
		name_of(i, path, sizeof(path));
		wrong += path_stat(NULL, path, 0, &again) != (i % 2 ? 0 : -ENOENT);
	}
	CHECK_EQ(wrong, 0);
	CHECK_EQ(path_rmdir(NULL, "/mnt/d"), -ENOTEMPTY);
	for (unsigned i = 0; i < NAMES; i += 2) {
		name_of(i, path, sizeof(path));
		wrong += path_link(NULL, "/mnt/f", NULL, path, NAMEI_NOFOLLOW) != 0;
	}
	CHECK_EQ(wrong, 0);
	/* What was removed is used again. */
	CHECK_EQ(path_stat(NULL, "/mnt/d", 0, &again), 0);
	CHECK(again.st_size <= st.st_size + st.st_size / 10);
	CHECK_EQ(count_entries("/mnt/d"), NAMES + 2);
	for (unsigned i = 0; i < NAMES; i++) {
		name_of(i * 7 % NAMES, path, sizeof(path));
		wrong += path_unlink(NULL, path) != 0;
	}
	CHECK_EQ(wrong, 0);
	CHECK_EQ(path_rmdir(NULL, "/mnt/d"), 0);
	finish();
}

TEST(a_large_directory_1k_blocks)
{
	ten_thousand_names("-t ext2 -b 1024");
}

TEST(a_large_directory_4k_blocks)
{
	ten_thousand_names("-t ext2 -b 4096");
}

/* Blocks of the directory that are read for a look-up, once its index is there. */
TEST(a_look_up_does_not_read_the_directory)
{
	struct parvix_stat st;
	char path[64];
	unsigned long before, reads;

	REQUIRE(setup("-t ext2 -b 1024", 4096));
	REQUIRE_EQ(path_mkdir(NULL, "/mnt/d", 0755), 0);
	file_put(open_file("/mnt/f", O_CREAT));
	for (unsigned i = 0; i < NAMES; i++) {
		name_of(i, path, sizeof(path));
		path_link(NULL, "/mnt/f", NULL, path, NAMEI_NOFOLLOW);
	}
	before = host_transfers;
	for (unsigned i = 0; i < 500; i++) {
		name_of(i * 17 % NAMES, path, sizeof(path));
		CHECK_EQ(path_stat(NULL, path, 0, &st), 0);
		CHECK_EQ(path_stat(NULL, "/mnt/d/there-is-no-such-name", 0, &st), -ENOENT);
	}
	reads = host_transfers - before;
	CHECK_THAT(reads < 2000, "500 look-ups in a directory of %u names read %lu blocks", NAMES,
		   reads);
	finish();
}

TEST(as_many_links_as_there_can_be)
{
	struct parvix_stat st;
	char path[64];
	unsigned n = 1;

	REQUIRE(setup("-t ext2 -b 1024 -I 128", 8192));
	file_put(open_file("/mnt/f", O_CREAT));
	do
		snprintf(path, sizeof(path), "/mnt/%u", n);
	while (!path_link(NULL, "/mnt/f", NULL, path, NAMEI_NOFOLLOW) && ++n < 40000);
	CHECK_EQ(n, 32000);
	CHECK_EQ(path_link(NULL, "/mnt/f", NULL, path, NAMEI_NOFOLLOW), -EMLINK);
	CHECK_EQ(path_stat(NULL, "/mnt/f", 0, &st), 0);
	CHECK_EQ(st.st_nlink, 32000);
	CHECK_EQ(path_unlink(NULL, "/mnt/17"), 0);
	CHECK_EQ(path_link(NULL, "/mnt/f", NULL, path, NAMEI_NOFOLLOW), 0);
	finish();
}

/* The disk as it is now, for another to mount. */
static void *crash(void)
{
	CHECK_EQ(fs_sync(), 0);
	return disk_copy(image, image_size);
}

TEST(files_without_a_name_are_freed_after_a_crash)
{
	static char data[100 * KIB];
	struct parvix_statfs empty, st;
	struct file *f[7];
	char path[32];
	void *crashed, *mended;

	REQUIRE(setup("-t ext2 -b 1024", 4096));
	CHECK_EQ(path_statfs("/mnt", &empty), 0);
	for (unsigned i = 0; i < ARRAY_SIZE(f); i++) {
		snprintf(path, sizeof(path), "/mnt/f%u", i);
		f[i] = open_file(path, O_CREAT);
		CHECK_EQ(move(f[i], data, sizeof(data) / (i + 1), i * MIB, true),
			 sizeof(data) / (i + 1));
		CHECK_EQ(path_unlink(NULL, path), 0);
		if (i == 3)
			CHECK_EQ(fs_sync(), 0);
	}
	CHECK_EQ(fs_sync(), 0);
	/* From the middle, the start and the end of the list. */
	file_put(f[2]);
	file_put(f[0]);
	CHECK_EQ(fs_sync(), 0);
	file_put(f[6]);
	crashed = crash();
	mended = crash();
	CHECK_EQ(disk_mend(mended, image_size), 0);
	for (unsigned i = 0; i < ARRAY_SIZE(f); i++)
		if (i != 2 && i != 0 && i != 6)
			file_put(f[i]);
	finish();
	image = crashed;
	host_disk_set(image, image_size);
	pages_before = host_free_pages();
	host_quiet(1);
	REQUIRE_EQ(fs_mount("/disk", "/mnt", "ext2", 0, NULL), 0);
	host_quiet(0);
	CHECK_EQ(path_statfs("/mnt", &st), 0);
	CHECK_EQ(st.f_bfree, empty.f_bfree);
	CHECK_EQ(st.f_ffree, empty.f_ffree);
	finish();
	disk_free(mended);
}

/* Lists of a damaged or malicious disk: to nowhere, in a circle, of a file with a name. */
TEST(a_wrong_list_does_no_harm)
{
	static const uint32_t firsts[] = {1, 2, 11, 12, 13, 14, 127, 128, 129, 0xffffffffu};
	void *clean;

	REQUIRE(setup("-t ext2 -b 1024 -N 128", 1024));
	for (unsigned i = 0; i < 5; i++) {
		char path[32];

		snprintf(path, sizeof(path), "/mnt/f%u", i);
		file_put(open_file(path, O_CREAT));
	}
	CHECK_EQ(fs_unmount("/mnt", 0), 0);
	clean = disk_copy(image, image_size);
	host_quiet(1);
	for (unsigned i = 0; i < ARRAY_SIZE(firsts); i++) {
		struct parvix_stat st;

		memcpy(image, clean, image_size);
		memcpy((char *)image + 1024 + 232, &firsts[i], 4);
		REQUIRE_EQ(fs_mount("/disk", "/mnt", "ext2", 0, NULL), 0);
		CHECK_EQ(path_stat(NULL, "/mnt/f3", 0, &st), 0);
		CHECK_EQ(fs_unmount("/mnt", 0), 0);
		CHECK_EQ(disk_check(image, image_size), 0);
	}
	host_quiet(0);
	CHECK_EQ(host_free_pages(), pages_before);
	disk_free(clean);
	disk_free(image);
}
