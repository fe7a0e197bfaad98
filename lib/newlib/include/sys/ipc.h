/* SPDX-License-Identifier: MIT */
/* Keys of System V's communication, which itself is not here: programs use them for their own. */
#ifndef _SYS_IPC_H
#define _SYS_IPC_H

#include <sys/cdefs.h>
#include <sys/types.h>

__BEGIN_DECLS
key_t ftok(const char *, int);
__END_DECLS

#endif
