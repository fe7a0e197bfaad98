/* SPDX-License-Identifier: MIT */
/* Device numbers: major << 20 | minor. */
#ifndef _SYS_SYSMACROS_H
#define _SYS_SYSMACROS_H

#define major(dev) ((unsigned int)((unsigned long)(dev) >> 20))
#define minor(dev) ((unsigned int)((dev)&0xfffff))
#define makedev(ma, mi) ((unsigned long)(ma) << 20 | ((unsigned long)(mi)&0xfffff))

#endif
