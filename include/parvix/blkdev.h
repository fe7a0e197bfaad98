/* SPDX-License-Identifier: MIT */
/* ioctl() requests of block devices, with Linux's numbers. */
#ifndef PARVIX_BLKDEV_H
#define PARVIX_BLKDEV_H

#define BLKROGET 0x125e           /* int: may not be written */
#define BLKRRPART 0x125f          /* read the partition table again; EBUSY: one is in use */
#define BLKGETSIZE 0x1260         /* unsigned long: size in units of 512 bytes */
#define BLKFLSBUF 0x1261          /* write out what the caches have for it, and its own cache */
#define BLKSSZGET 0x1268          /* int: bytes in a sector */
#define BLKDISCARD 0x1277         /* uint64_t[2], start and length in bytes: not needed any more */
#define BLKGETSIZE64 0x80081272ul /* uint64_t: size in bytes */

#endif
