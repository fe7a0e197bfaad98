/* SPDX-License-Identifier: MIT */
/*
 * The file-system core and ext2 over an image made by mke2fs: what it does, that e2fsck finds
 * nothing to complain about afterwards, and that damaged images do no harm.
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
int printf(const char *fmt, ...);
void *malloc(size_t n);
void free(void *p);

#define MIB (1024ul * 1024)

static void *image;
static unsigned long image_size;
static unsigned long pages_before;

/* ---- system calls in short ---- */

static int do_mount(unsigned flags)
{
	return fs_mount("/disk", "/mnt", "ext2", flags, NULL);
}

static bool setup(const char *options, unsigned long kib)
{
	host_start();
	host_user(0);
	host_disk_fail = 0;
	image_size = kib * 1024;
	image = disk_make(options, kib);
	if (!image)
		return false;
	host_disk_set(image, image_size);
	pages_before = host_free_pages();
	return true;
}

/* Unmounted, everything given back, e2fsck content. */
static void finish(void)
{
	CHECK_EQ(fs_unmount("/mnt", 0), 0);
	CHECK_EQ(host_free_pages(), pages_before);
	CHECK_EQ(disk_check(image, image_size), 0);
	disk_free(image);
}

static ssize_t write_at(const char *path, unsigned flags, const void *buf, size_t n, off_t pos)
{
	struct parvix_iovec iov;
	struct uio uio;
	struct file *f;
	ssize_t r = file_open(NULL, path, O_WRONLY | flags, 0644, &f);

	if (r)
		return r;
	uio_user(&uio, &iov, UADDR(buf), n);
	r = file_pwrite(f, &uio, pos);
	file_put(f);
	return r;
}

static ssize_t read_at(const char *path, void *buf, size_t n, off_t pos)
{
	struct parvix_iovec iov;
	struct uio uio;
	struct file *f;
	ssize_t r = file_open(NULL, path, O_RDONLY, 0, &f);

	if (r)
		return r;
	uio_user(&uio, &iov, UADDR(buf), n);
	r = file_pread(f, &uio, pos);
	file_put(f);
	return r;
}

static int touch(const char *path)
{
	struct file *f;
	int err = file_open(NULL, path, O_WRONLY | O_CREAT, 0644, &f);

	if (!err)
		file_put(f);
	return err;
}

static struct parvix_stat stat_of(const char *path)
{
	struct parvix_stat st = {0};

	CHECK_EQ(path_stat(NULL, path, NAMEI_NOFOLLOW, &st), 0);
	return st;
}

/* ---- single things ---- */

TEST(files_and_directories)
{
	char buf[64] = {0};
	struct parvix_stat st;

	REQUIRE(setup("-t ext2 -b 1024", 2048));
	REQUIRE_EQ(do_mount(0), 0);
	CHECK_EQ(path_mkdir(NULL, "/mnt/a", 0777), 0);
	CHECK_EQ(path_mkdir(NULL, "/mnt/a", 0777), -EEXIST);
	CHECK_EQ(path_mkdir(NULL, "/mnt/x/y", 0777), -ENOENT);
	CHECK_EQ(write_at("/mnt/a/f", O_CREAT, "hello world", 11, 0), 11);
	CHECK_EQ(read_at("/mnt/a/f", buf, sizeof(buf), 6), 5);
	CHECK_MEM(buf, "world", 5);
	CHECK_EQ(write_at("/mnt/a/f", O_EXCL | O_CREAT, "x", 1, 0), -EEXIST);
	CHECK_EQ(write_at("/mnt/a", 0, "x", 1, 0), -EISDIR);
	CHECK_EQ(write_at("/mnt/a/f/g", O_CREAT, "x", 1, 0), -ENOTDIR);
	CHECK_EQ(path_link(NULL, "/mnt/a/f", NULL, "/mnt/g", NAMEI_NOFOLLOW), 0);
	CHECK_EQ(path_link(NULL, "/mnt/a", NULL, "/mnt/h", NAMEI_NOFOLLOW), -EPERM);
	st = stat_of("/mnt/g");
	CHECK_EQ(st.st_nlink, 2);
	CHECK_EQ(st.st_size, 11);
	CHECK_EQ(st.st_mode, S_IFREG | 0644);
	CHECK_EQ(path_rmdir(NULL, "/mnt/a"), -ENOTEMPTY);
	CHECK_EQ(path_unlink(NULL, "/mnt/a"), -EISDIR);
	CHECK_EQ(path_unlink(NULL, "/mnt/a/f"), 0);
	CHECK_EQ(path_unlink(NULL, "/mnt/a/f"), -ENOENT);
	CHECK_EQ(path_rmdir(NULL, "/mnt/a/"), 0);
	CHECK_EQ(path_rmdir(NULL, "/mnt"), -EBUSY);
	CHECK_EQ(path_rmdir(NULL, "/mnt/."), -EINVAL);
	CHECK_EQ(stat_of("/mnt/g").st_nlink, 1);
	CHECK_EQ(stat_of("/mnt").st_nlink, 3);
	finish();
}

TEST(symbolic_links)
{
	char buf[600], longer[600];
	struct parvix_stat st;

	REQUIRE(setup("-t ext2 -b 1024", 2048));
	REQUIRE_EQ(do_mount(0), 0);
	CHECK_EQ(path_mkdir(NULL, "/mnt/d", 0755), 0);
	CHECK_EQ(path_symlink("d", NULL, "/mnt/l"), 0);
	CHECK_EQ(touch("/mnt/l/f"), 0);
	CHECK_EQ(path_stat(NULL, "/mnt/d/f", 0, &st), 0);
	CHECK_EQ(path_readlink(NULL, "/mnt/l", buf, sizeof(buf)), 1);
	CHECK_EQ(path_readlink(NULL, "/mnt/d", buf, sizeof(buf)), -EINVAL);
	memset(longer, 'n', sizeof(longer));
	memcpy(longer, "/mnt/", 5);
	longer[300] = 0;
	CHECK_EQ(path_symlink(longer, NULL, "/mnt/long"), 0);
	CHECK_EQ(path_readlink(NULL, "/mnt/long", buf, sizeof(buf)), 300);
	CHECK_MEM(buf, longer, 300);
	CHECK_EQ(path_stat(NULL, "/mnt/long", 0, &st), -ENAMETOOLONG);
	CHECK_EQ(path_symlink("loop2", NULL, "/mnt/loop1"), 0);
	CHECK_EQ(path_symlink("loop1", NULL, "/mnt/loop2"), 0);
	CHECK_EQ(path_stat(NULL, "/mnt/loop1", 0, &st), -ELOOP);
	CHECK_EQ(path_symlink("../mnt/d/new", NULL, "/mnt/dangling"), 0);
	CHECK_EQ(write_at("/mnt/dangling", O_CREAT | O_EXCL, "1", 1, 0), -EEXIST);
	CHECK_EQ(write_at("/mnt/dangling", O_CREAT | O_NOFOLLOW, "1", 1, 0), -ELOOP);
	CHECK_EQ(write_at("/mnt/dangling", O_CREAT, "1", 1, 0), 1);
	CHECK_EQ(path_stat(NULL, "/mnt/d/new", 0, &st), 0);
	CHECK_EQ(path_rmdir(NULL, "/mnt/l/"), -ENOTDIR);
	CHECK_EQ(path_stat(NULL, "/mnt/l/", NAMEI_NOFOLLOW, &st), 0);
	CHECK(S_ISDIR(st.st_mode));
	CHECK_EQ(path_unlink(NULL, "/mnt/l"), 0);
	CHECK_EQ(path_unlink(NULL, "/mnt/long"), 0);
	finish();
}

TEST(rename_rules)
{
	struct parvix_stat st;
	char cwd[64];

	REQUIRE(setup("-t ext2 -b 1024 -r 0", 2048));
	REQUIRE_EQ(do_mount(0), 0);
	CHECK_EQ(path_mkdir(NULL, "/mnt/a", 0755), 0);
	CHECK_EQ(path_mkdir(NULL, "/mnt/a/b", 0755), 0);
	CHECK_EQ(path_mkdir(NULL, "/mnt/c", 0755), 0);
	CHECK_EQ(touch("/mnt/f"), 0);
	CHECK_EQ(path_rename(NULL, "/mnt/a", NULL, "/mnt/a/b/x"), -EINVAL);
	CHECK_EQ(path_rename(NULL, "/mnt/a", NULL, "/mnt/a/x"), -EINVAL);
	CHECK_EQ(path_rename(NULL, "/mnt/a/b", NULL, "/mnt/a"), -ENOTEMPTY);
	CHECK_EQ(path_rename(NULL, "/mnt/c", NULL, "/mnt/a"), -ENOTEMPTY);
	CHECK_EQ(path_rename(NULL, "/mnt/c", NULL, "/mnt/f"), -ENOTDIR);
	CHECK_EQ(path_rename(NULL, "/mnt/f", NULL, "/mnt/c"), -EISDIR);
	CHECK_EQ(path_rename(NULL, "/mnt/f", NULL, "/mnt/g/"), -ENOTDIR);
	CHECK_EQ(path_rename(NULL, "/mnt/f", NULL, "/x"), -EXDEV);
	CHECK_EQ(path_rename(NULL, "/mnt", NULL, "/x"), -EBUSY);
	CHECK_EQ(path_rename(NULL, "/mnt/f", NULL, "/mnt/f"), 0);
	CHECK_EQ(path_chdir("/mnt/a/b"), 0);
	CHECK_EQ(path_rename(NULL, "/mnt/a/b", NULL, "/mnt/c"), 0);
	CHECK_EQ(stat_of("/mnt/a").st_nlink, 2);
	CHECK_EQ(stat_of("/mnt/c").st_nlink, 2);
	CHECK_EQ(stat_of("/mnt").st_nlink, 5);
	CHECK_EQ(vnode_path(current_proc()->cwd, cwd, sizeof(cwd)), 7);
	CHECK_STR(cwd, "/mnt/c");
	CHECK_EQ(path_rename(NULL, "/mnt/c", NULL, "/mnt/a/c"), 0);
	CHECK_EQ(vnode_path(current_proc()->cwd, cwd, sizeof(cwd)), 9);
	CHECK_STR(cwd, "/mnt/a/c");
	CHECK_EQ(path_stat(NULL, "../../f", 0, &st), 0);
	CHECK_EQ(path_rmdir(NULL, "/mnt/a/c"), 0);
	CHECK_EQ(path_stat(NULL, ".", 0, &st), 0);
	CHECK_EQ(path_stat(NULL, "..", 0, &st), -ENOENT);
	CHECK_EQ(touch("new"), -ENOENT);
	CHECK_EQ(vnode_path(current_proc()->cwd, cwd, sizeof(cwd)), -ENOENT);
	CHECK_EQ(path_chdir("/"), 0);
	CHECK_EQ(path_rename(NULL, "/mnt/f", NULL, "/mnt/a/f"), 0);
	CHECK_EQ(touch("/mnt/g"), 0);
	CHECK_EQ(path_rename(NULL, "/mnt/g", NULL, "/mnt/a/f"), 0);
	CHECK_EQ(path_stat(NULL, "/mnt/g", 0, &st), -ENOENT);
	finish();
}

TEST(an_unlinked_open_file_lives_on)
{
	struct parvix_statfs before, after;
	struct parvix_iovec iov;
	struct uio uio;
	struct file *f;
	static char data[100000];

	REQUIRE(setup("-t ext2 -b 4096", 2048));
	REQUIRE_EQ(do_mount(0), 0);
	CHECK_EQ(path_statfs("/mnt", &before), 0);
	REQUIRE_EQ(file_open(NULL, "/mnt/f", O_RDWR | O_CREAT, 0600, &f), 0);
	uio_user(&uio, &iov, UADDR(data), sizeof(data));
	CHECK_EQ(file_write(f, &uio), sizeof(data));
	CHECK_EQ(path_unlink(NULL, "/mnt/f"), 0);
	CHECK_EQ(fs_unmount("/mnt", 0), -EBUSY);
	CHECK_EQ(fs_sync(), 0);
	CHECK_EQ(file_seek(f, 5, SEEK_SET), 5);
	uio_user(&uio, &iov, UADDR(data), sizeof(data));
	CHECK_EQ(file_read(f, &uio), sizeof(data) - 5);
	file_put(f);
	CHECK_EQ(path_statfs("/mnt", &after), 0);
	CHECK_EQ(after.f_bfree, before.f_bfree);
	CHECK_EQ(after.f_ffree, before.f_ffree);
	finish();
}

TEST(append_truncate_sparse)
{
	char buf[16];
	struct parvix_iovec iov;
	struct uio uio;
	struct file *f;

	REQUIRE(setup("-t ext2 -b 1024", 4096));
	REQUIRE_EQ(do_mount(0), 0);
	CHECK_EQ(write_at("/mnt/f", O_CREAT | O_APPEND, "abc", 3, 0), 3);
	CHECK_EQ(write_at("/mnt/f", O_APPEND, "def", 3, 0), 3);
	CHECK_EQ(stat_of("/mnt/f").st_size, 6);
	CHECK_EQ(path_truncate("/mnt/f", 4), 0);
	CHECK_EQ(path_truncate("/mnt/f", 10), 0);
	CHECK_EQ(read_at("/mnt/f", buf, 16, 0), 10);
	CHECK_MEM(buf, "abcd\0\0\0\0\0\0", 10);
	CHECK_EQ(path_truncate("/mnt/f", -1), -EINVAL);
	/* far out: three levels of indirect blocks */
	CHECK_EQ(write_at("/mnt/s", O_CREAT, "end", 3, 5000 * MIB), 3);
	CHECK_EQ(stat_of("/mnt/s").st_size, 5000 * MIB + 3);
	CHECK_EQ(stat_of("/mnt/s").st_blocks, 8);
	CHECK_EQ(read_at("/mnt/s", buf, 16, 4999 * MIB), 16);
	CHECK_EQ(buf[3], 0);
	CHECK_EQ(read_at("/mnt/s", buf, 16, 5000 * MIB), 3);
	CHECK_EQ(path_truncate("/mnt/s", 20000 * MIB), -EFBIG);
	CHECK_EQ(path_truncate("/mnt/s", 100), 0);
	CHECK_EQ(stat_of("/mnt/s").st_blocks, 0);
	CHECK_EQ(write_at("/mnt/s", O_TRUNC, "x", 1, 50000), 1);
	REQUIRE_EQ(file_open(NULL, "/mnt/s", O_RDWR, 0, &f), 0);
	CHECK_EQ(file_fallocate(f, 0, 300000), 0);
	CHECK_EQ(file_fallocate(f, 0, 30 * MIB), -ENOSPC);
	CHECK_EQ(file_seek(f, 0, SEEK_END), 300000);
	uio_user(&uio, &iov, UADDR(8), 10);
	CHECK_EQ(file_write(f, &uio), -EFAULT);
	file_put(f);
	finish();
}

TEST(permissions)
{
	struct parvix_stat st;

	REQUIRE(setup("-t ext2 -b 1024 -m 0", 2048));
	REQUIRE_EQ(do_mount(0), 0);
	CHECK_EQ(path_mkdir(NULL, "/mnt/tmp", 01777), 0);
	CHECK_EQ(path_chmod(NULL, "/mnt/tmp", 0, 01777), 0);
	CHECK_EQ(touch("/mnt/tmp/root"), 0);
	host_user(100);
	CHECK_EQ(touch("/mnt/f"), -EACCES);
	CHECK_EQ(path_unlink(NULL, "/mnt/tmp/root"), -EPERM);
	CHECK_EQ(path_rename(NULL, "/mnt/tmp/root", NULL, "/mnt/tmp/x"), -EPERM);
	CHECK_EQ(write_at("/mnt/tmp/root", 0, "x", 1, 0), -EACCES);
	CHECK_EQ(path_chmod(NULL, "/mnt/tmp/root", 0, 0777), -EPERM);
	CHECK_EQ(touch("/mnt/tmp/mine"), 0);
	CHECK_EQ(path_chmod(NULL, "/mnt/tmp/mine", 0, 0600), 0);
	CHECK_EQ(path_chown(NULL, "/mnt/tmp/mine", 0, 0, 0), -EPERM);
	st = stat_of("/mnt/tmp/mine");
	CHECK_EQ(st.st_uid, 100);
	CHECK_EQ(path_mkdir(NULL, "/mnt/tmp/d", 0700), 0);
	CHECK_EQ(touch("/mnt/tmp/d/f"), 0);
	host_user(200);
	CHECK_EQ(path_unlink(NULL, "/mnt/tmp/mine"), -EPERM);
	CHECK_EQ(path_stat(NULL, "/mnt/tmp/d/f", 0, &st), -EACCES);
	CHECK_EQ(read_at("/mnt/tmp/mine", &st, 1, 0), -EACCES);
	host_user(0);
	CHECK_EQ(path_unlink(NULL, "/mnt/tmp/mine"), 0);
	CHECK_EQ(path_access(NULL, "/mnt/tmp/root", NAMEI_REAL_ID, X_OK), -EACCES);
	CHECK_EQ(path_access(NULL, "/mnt/tmp/root", NAMEI_REAL_ID, R_OK | W_OK), 0);
	CHECK_EQ(fs_mount("/disk", "/mnt", "ext2", MS_REMOUNT | MS_RDONLY, NULL), 0);
	CHECK_EQ(touch("/mnt/g"), -EROFS);
	CHECK_EQ(path_unlink(NULL, "/mnt/tmp/root"), -EROFS);
	CHECK_EQ(path_access(NULL, "/mnt/tmp/root", NAMEI_REAL_ID, W_OK), -EROFS);
	CHECK_EQ(disk_check(image, image_size), 0);
	CHECK_EQ(fs_mount("/disk", "/mnt", "ext2", MS_REMOUNT, NULL), 0);
	CHECK_EQ(touch("/mnt/g"), 0);
	finish();
}

TEST(a_full_disk_says_so)
{
	static char data[8192];
	struct parvix_statfs st;
	char path[64];
	ssize_t r;

	REQUIRE(setup("-t ext2 -b 1024 -N 32 -m 0", 512));
	REQUIRE_EQ(do_mount(0), 0);
	REQUIRE_EQ(touch("/mnt/f"), 0);
	do
		r = write_at("/mnt/f", O_APPEND, data, sizeof(data), 0);
	while (r == sizeof(data));
	/* a page at a time it does not fit, a block does */
	do
		r = write_at("/mnt/f", O_APPEND, data, 512, 0);
	while (r == 512);
	CHECK_EQ(r, -ENOSPC);
	CHECK_EQ(path_statfs("/mnt", &st), 0);
	CHECK(st.f_bfree < 4);
	CHECK_EQ(path_mkdir(NULL, "/mnt/d", 0755), -ENOSPC);
	CHECK_EQ(path_unlink(NULL, "/mnt/f"), 0);
	for (int i = 0;; i++) {
		snprintf(path, sizeof(path), "/mnt/file%d", i);
		r = touch(path);
		if (r)
			break;
	}
	CHECK_EQ(r, -ENOSPC);
	CHECK_EQ(path_statfs("/mnt", &st), 0);
	CHECK_EQ(st.f_ffree, 0);
	finish();
}

TEST(large_directories)
{
	static char buf[4096];
	struct file *f;
	char path[300];
	unsigned seen = 0;
	ssize_t n;

	REQUIRE(setup("-t ext2 -b 1024 -N 2048", 4096));
	REQUIRE_EQ(do_mount(0), 0);
	memset(path, 'x', sizeof(path));
	for (int i = 0; i < 1000; i++) {
		snprintf(path, sizeof(path), "/mnt/%d%.*s", i, i % 200, &path[50]);
		memset(path + strlen(path), 'x', 1);
		path[20 + i % 200] = 0;
		touch(path);
	}
	for (int i = 0; i < 1000; i++) {
		snprintf(path, sizeof(path), "/mnt/n%d", i);
		CHECK_EQ(touch(path), 0);
	}
	for (int i = 0; i < 1000; i += 2) {
		snprintf(path, sizeof(path), "/mnt/n%d", i);
		CHECK_EQ(path_unlink(NULL, path), 0);
	}
	REQUIRE_EQ(file_open(NULL, "/mnt", O_RDONLY | O_DIRECTORY, 0, &f), 0);
	while ((n = file_getdents(f, UADDR(buf), sizeof(buf))) > 0)
		for (ssize_t at = 0; at < n;) {
			struct parvix_dirent *d = (struct parvix_dirent *)(buf + at);

			seen += d->d_name[0] == 'n';
			at += d->d_reclen;
		}
	CHECK_EQ(n, 0);
	CHECK_EQ(seen, 500);
	CHECK_EQ(file_getdents(f, UADDR(buf), 3), 0);
	CHECK_EQ(file_seek(f, 0, SEEK_SET), 0);
	CHECK_EQ(file_getdents(f, UADDR(buf), 3), -EINVAL);
	file_put(f);
	finish();
}

TEST(the_device_shows_what_is_on_it)
{
	static char raw[1024];
	char byte;

	REQUIRE(setup("-t ext2 -b 1024 -L volume", 1024));
	REQUIRE_EQ(do_mount(0), 0);
	CHECK_EQ(write_at("/mnt/f", O_CREAT, "marker in a file", 16, 0), 16);
	CHECK_EQ(write_at("/disk", 0, "x", 1, 0), -EBUSY);
	CHECK_EQ(read_at("/disk", raw, 1024, 1024), 1024);
	CHECK_EQ((unsigned char)raw[56], 0x53);
	CHECK_EQ(raw[58] & 1, 0);
	CHECK_EQ(read_at("/disk", &byte, 1, 1024 + 57), 1);
	CHECK_EQ((unsigned char)byte, 0xef);
	CHECK_EQ(read_at("/disk", raw, 1024, 1024 * 1024), 0);
	CHECK_EQ(fs_mount("/disk", "/mnt", "ext2", 0, NULL), -EBUSY);
	CHECK_EQ(disk_file(image, image_size, "f", raw, sizeof(raw)), 16);
	CHECK_MEM(raw, "marker in a file", 16);
	CHECK_EQ(fs_unmount("/mnt", 0), 0);
	CHECK_EQ(write_at("/disk", 0, "boot", 4, 100), 4);
	CHECK_MEM((char *)image + 100, "boot", 4);
	REQUIRE_EQ(do_mount(0), 0);
	finish();
}

TEST(refused_images)
{
	host_quiet(1);
	REQUIRE(setup("-t ext4", 4096));
	CHECK_EQ(do_mount(0), -EINVAL);
	disk_free(image);
	REQUIRE(setup("-t ext2", 1024));
	host_disk_set(image, 512 * 1024);
	CHECK_EQ(do_mount(0), -EINVAL);
	host_disk_set(image, 1024);
	CHECK_EQ(do_mount(0), -EINVAL);
	host_disk_set(image, image_size);
	memset((char *)image + 1024 + 32, 0, 4); /* blocks per group */
	CHECK_EQ(do_mount(0), -EINVAL);
	memset(image, 0, image_size);
	CHECK_EQ(do_mount(0), -EINVAL);
	CHECK_EQ(host_free_pages(), pages_before);
	disk_free(image);
	host_quiet(0);
}

TEST(errors_of_the_disk)
{
	static char data[20000];

	REQUIRE(setup("-t ext2 -b 1024", 2048));
	REQUIRE_EQ(do_mount(0), 0);
	CHECK_EQ(write_at("/mnt/f", O_CREAT, data, sizeof(data), 0), sizeof(data));
	CHECK_EQ(fs_unmount("/mnt", 0), 0);
	host_quiet(1);
	for (unsigned long n = 1; n < 40; n++) {
		host_disk_fail = n;
		if (!do_mount(0)) {
			read_at("/mnt/f", data, sizeof(data), 0);
			touch("/mnt/g");
			write_at("/mnt/f", 0, data, sizeof(data), 7);
			path_unlink(NULL, "/mnt/g");
			host_disk_fail = 0;
			CHECK_EQ(fs_unmount("/mnt", 0), 0);
		}
		host_disk_fail = 0;
	}
	host_quiet(0);
	CHECK_EQ(host_free_pages(), pages_before);
	disk_free(image);
}
