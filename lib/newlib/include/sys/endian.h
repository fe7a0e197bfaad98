/* SPDX-License-Identifier: MIT */
#ifndef _SYS_ENDIAN_H
#define _SYS_ENDIAN_H

#include <endian.h>

#endif
