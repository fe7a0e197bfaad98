/* SPDX-License-Identifier: MIT */
#include <parvix/syscall.h>
