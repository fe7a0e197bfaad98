/* SPDX-License-Identifier: MIT */
/*
 * The guest is destroyed at a random moment: after any write that the disk has done, in whatever
 * order it does them, `e2fsck -p` mends the image by itself, and every file that was synced is
 * there as it was. --seed repeats a run.
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
#define FILES 24
#define CRASHES 60
#define FILE_MAX 60000u

/* What is known of a file: its bytes are all @fill; 0: no such file, or nobody knows. */
struct known {
	unsigned char fill;
	unsigned size;
	char path[32];
};

static unsigned char data[FILE_MAX], back[FILE_MAX + 1];
static struct known files[FILES];
static char *disk, *crashed, *stable;
static unsigned crashes, checked;

static unsigned long pick(unsigned long n)
{
	return (test_random() >> 20) % n;
}

static void check_file(const struct known *k)
{
	long n = disk_file(crashed, KIB * 1024, k->path, back, sizeof(back));
	bool same = n == (long)k->size;

	for (long i = 0; same && i < n; i++)
		same = back[i] == k->fill;
	if (!same)
		test_note("%s: %ld bytes instead of %u", k->path, n, k->size);
	CHECK(same);
	checked++;
}

/* What was written before is out of the disk's cache. */
static void flushed(void)
{
	memcpy(stable, disk, KIB * 1024);
}

/* Now the power goes, perhaps. What was written since the last flush is there, or is not. */
static void written(void)
{
	if (crashes == CRASHES || pick(8))
		return;
	crashes++;
	memcpy(crashed, stable, KIB * 1024);
	for (unsigned long at = 0; at < KIB * 1024; at += 1024)
		if (memcmp(crashed + at, disk + at, 1024) && pick(2))
			memcpy(crashed + at, disk + at, 1024);
	CHECK_EQ(disk_mend(crashed, KIB * 1024), 0);
	for (unsigned i = 0; i < FILES; i++)
		if (files[i].fill && pick(3) == 0)
			check_file(&files[i]);
}

static void name_file(char *path, unsigned i)
{
	snprintf(path, 32, "/mnt%s/f%u", pick(2) ? "/d" : "", i);
}

/* A file with fsync(). While it is written nothing is known of it. */
static void write_file(unsigned i)
{
	struct known k = {.fill = (unsigned char)(1 + pick(255)), .size = (unsigned)pick(FILE_MAX)};
	struct parvix_iovec iov;
	char path[32];
	struct uio uio;
	struct file *f;

	if (files[i].fill) {
		snprintf(path, sizeof(path), "/mnt%s", files[i].path);
		files[i].fill = 0;
		path_unlink(NULL, path);
	}
	name_file(path, i);
	if (file_open(NULL, path, O_WRONLY | O_CREAT | O_TRUNC, 0644, &f))
		return;
	memset(data, k.fill, k.size);
	uio_user(&uio, &iov, UADDR(data), k.size);
	if (file_write(f, &uio) == (ssize_t)k.size && pick(3) && !file_sync(f, false)) {
		strlcpy(k.path, path + 4, sizeof(k.path));
		files[i] = k;
	}
	file_put(f);
}

/* Files in use without a name. */
static struct file *nameless[5];

static void open_nameless(void)
{
	unsigned i = (unsigned)pick(ARRAY_SIZE(nameless));
	struct parvix_iovec iov;
	struct uio uio;

	if (nameless[i]) {
		file_put(nameless[i]);
		nameless[i] = NULL;
	} else if (!file_open(NULL, "/mnt/tmp", O_WRONLY | O_CREAT, 0600, &nameless[i])) {
		uio_user(&uio, &iov, UADDR(data), pick(FILE_MAX / 2));
		file_write(nameless[i], &uio);
		path_unlink(NULL, "/mnt/tmp");
	}
}

static void other_work(void)
{
	char a[32], b[32];

	snprintf(a, sizeof(a), "/mnt/x%lu", pick(10));
	snprintf(b, sizeof(b), "/mnt/d/x%lu", pick(10));
	switch (pick(8)) {
	case 6:
	case 7:
		open_nameless();
		break;
	case 0:
		a[5] = 'y';
		path_mkdir(NULL, a, 0755);
		break;
	case 1:
		a[5] = 'y';
		path_rmdir(NULL, a);
		break;
	case 2:
		path_rename(NULL, a, NULL, b);
		break;
	case 3:
		path_rename(NULL, b, NULL, a);
		break;
	case 4:
		path_symlink("somewhere", NULL, b);
		break;
	default:
		path_unlink(NULL, b);
	}
}

TEST(destroyed_at_any_moment)
{
	host_start();
	host_user(0);
	disk = disk_make("-t ext2 -b 1024 -N 256", KIB);
	crashed = disk ? disk_copy(disk, KIB * 1024) : NULL;
	stable = disk ? disk_copy(disk, KIB * 1024) : NULL;
	REQUIRE(crashed && stable);
	host_disk_async = 1;
	host_disk_set(disk, KIB * 1024);
	REQUIRE_EQ(fs_mount("/disk", "/mnt", "ext2", 0, NULL), 0);
	REQUIRE_EQ(path_mkdir(NULL, "/mnt/d", 0755), 0);
	host_disk_written = written;
	host_disk_flushed = flushed;
	flushed();
	for (unsigned i = 0; i < 3000 && crashes < CRASHES; i++) {
		if (pick(2))
			write_file((unsigned)pick(FILES));
		else
			other_work();
		if (pick(50) == 0)
			fs_sync();
	}
	host_disk_written = host_disk_flushed = NULL;
	test_note("%u crashes, %u files looked at", crashes, checked);
	for (unsigned i = 0; i < ARRAY_SIZE(nameless); i++)
		if (nameless[i])
			file_put(nameless[i]);
	CHECK_EQ(fs_unmount("/mnt", 0), 0);
	CHECK_EQ(disk_check(disk, KIB * 1024), 0);
	disk_free(crashed);
	disk_free(stable);
	disk_free(disk);
}
