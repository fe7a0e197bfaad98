/* SPDX-License-Identifier: MIT */
/* What procfs wants of pipes: links to them that can be opened. */
#ifndef FS_PIPE_H
#define FS_PIPE_H

#include <types.h>

struct file;
struct pipe;

struct pipe *pipe_of(struct file *f); /* NULL: not a pipe */
uint64_t pipe_id(const struct pipe *p);
/* Keep it alive, and give it up again. */
void pipe_hold(struct pipe *p);
void pipe_drop(struct pipe *p);

#endif
