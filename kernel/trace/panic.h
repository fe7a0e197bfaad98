/* SPDX-License-Identifier: MIT */
/* Shared by the files of this room. */
#ifndef PANIC_H
#define PANIC_H

#include <types.h>

/* A panic is under way: locks are not waited for, `quiet` does not count. */
extern bool panicking;

#endif
