/* SPDX-License-Identifier: MIT */
/* Included before tests of asynchronous input and output, which skip themselves if it is not the
 * option of 2001. */
#include <aio.h>
#undef _POSIX_ASYNCHRONOUS_IO
#define _POSIX_ASYNCHRONOUS_IO 200112L
