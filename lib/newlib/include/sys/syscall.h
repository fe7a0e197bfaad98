/* SPDX-License-Identifier: MIT */
#ifndef _SYS_SYSCALL_H
#define _SYS_SYSCALL_H

#include <sys/cdefs.h>
#include <parvix/syscall.h>

__BEGIN_DECLS
long syscall(long number, ...);
__END_DECLS

#endif
