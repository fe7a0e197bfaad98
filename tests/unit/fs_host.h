/* SPDX-License-Identifier: MIT */
/*
 * The file-system core on the host: between fs_host.c (kernel headers), fs_disk.c (C library) and
 * the tests. No type of either side is used here.
 */
#ifndef FS_HOST_H
#define FS_HOST_H

/* fs_host.c */
void host_start(void); /* once: memory, the current process, file systems */
/* Put @image (kept by the caller, @size bytes) behind /dev/disk. */
void host_disk_set(void *image, unsigned long size);
/* Pull it out, while it is in use too; plug it in again once host_disk_released. */
void host_disk_unplug(void);
int host_disk_plug(void);
extern int host_disk_released;
extern unsigned host_disk_sector;    /* of the next that is plugged in */
extern unsigned long host_disk_fail; /* the n-th transfer from now on fails, and all behind it */
unsigned long host_free_pages(void);
void host_quiet(int quiet); /* no messages of the kernel's */
void host_user(unsigned uid);
extern unsigned long host_transfers;
/* 1: requests are done, in any order, only when somebody waits. 0: at once. */
extern unsigned host_disk_async;
extern void (*host_disk_written)(void); /* called after each write */
extern void (*host_disk_flushed)(void); /* after each flush */
extern unsigned long host_disk_most;    /* requests that were under way at the same time */
void host_locks_free(void);             /* none is held */

/* fs_disk.c */
/* Make an image of @kib KiB with mke2fs and @options; malloc'ed. NULL: mke2fs failed. */
void *disk_make(const char *options, unsigned long kib);
/* e2fsck -fn: 0 if it finds nothing wrong; its words are printed otherwise. */
int disk_check(const void *image, unsigned long size);
/* e2fsck -p: 0 if nothing is left wrong; its words are printed otherwise. */
int disk_mend(void *image, unsigned long size);
/* The file at @path of the image as debugfs reads it, into @buf; bytes or -1. */
long disk_file(const void *image, unsigned long size, const char *path, void *buf, unsigned long n);
void disk_free(void *image);
double disk_clock(void); /* seconds */
void *disk_copy(const void *image, unsigned long size);

#endif
