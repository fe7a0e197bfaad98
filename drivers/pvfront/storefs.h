/* SPDX-License-Identifier: MIT */
/* xenstore as files: the file system type "xenstore". See storefs/storefs.c. */
#ifndef PVFRONT_STOREFS_H
#define PVFRONT_STOREFS_H

/* Make the type known, once, after xs_start(). */
void storefs_init(void);

#endif
