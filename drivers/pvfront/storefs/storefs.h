/* SPDX-License-Identifier: MIT */
/* What the files of storefs share. */
#ifndef STOREFS_H
#define STOREFS_H

#include <fs.h>
#include "names.h"

/* Behind vn->private. */
struct store_vnode {
	enum store_kind kind;
	volatile bool absent; /* made by open(O_CREAT), and nothing written to it so far */
	char path[];          /* absolute, in xenstore */
};

/* value.c, watch.c: set f->ops and f->private, or an error. */
int store_value_open(struct store_vnode *sv, struct file *f);
int store_watch_open(struct store_vnode *sv, struct file *f);

#endif
