/* SPDX-License-Identifier: MIT */
/* What a handler with SA_SIGINFO finds as its third argument. */
#ifndef _UCONTEXT_H
#define _UCONTEXT_H

#include <sys/ucontext.h>

#endif
