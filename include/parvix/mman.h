/* SPDX-License-Identifier: MIT */
#ifndef PARVIX_MMAN_H
#define PARVIX_MMAN_H

#define PROT_NONE 0
#define PROT_READ 1
#define PROT_WRITE 2
#define PROT_EXEC 4

#define MAP_SHARED 0x01
#define MAP_PRIVATE 0x02
#define MAP_FIXED 0x10
#define MAP_ANONYMOUS 0x20
#define MAP_ANON MAP_ANONYMOUS
#define MAP_FAILED ((void *)-1)

#define MS_ASYNC 1
#define MS_INVALIDATE 2
#define MS_SYNC 4

#define MADV_NORMAL 0
#define MADV_RANDOM 1
#define MADV_SEQUENTIAL 2
#define MADV_WILLNEED 3
#define MADV_DONTNEED 4 /* anonymous memory is zeros afterwards */
#define MADV_FREE 8     /* the same, of private anonymous memory only */

#define MCL_CURRENT 1
#define MCL_FUTURE 2

#endif
