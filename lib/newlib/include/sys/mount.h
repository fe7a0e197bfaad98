/* SPDX-License-Identifier: MIT */
#ifndef _SYS_MOUNT_H
#define _SYS_MOUNT_H

#include <sys/cdefs.h>
#include <parvix/blkdev.h>

#define MS_RDONLY 1
#define MS_NOSUID 2
#define MS_NOEXEC 8
#define MS_REMOUNT 32

__BEGIN_DECLS
int mount(const char *source, const char *target, const char *type, unsigned long flags,
	  const void *options);
int umount(const char *target);
int umount2(const char *target, int flags);
__END_DECLS

#endif
