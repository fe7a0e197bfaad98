/* SPDX-License-Identifier: MIT */
/*
 * Names of /xen/store: which part of a name is the node's and which says what of it is wanted, and
 * xenstore paths from it. Pure functions.
 */
#ifndef STOREFS_NAMES_H
#define STOREFS_NAMES_H

#include <types.h>

#define STORE_PATH_MAX 3072 /* of an absolute path, its 0 not counted (xs_wire.h) */

enum store_kind {
	STORE_DIR,   /* NAME, NAME.dir: the children */
	STORE_TEXT,  /* NAME: the value, one newline at the end of what is written cut off */
	STORE_VALUE, /* NAME.value: its bytes */
	STORE_PERMS, /* NAME.perms */
	STORE_WATCH, /* NAME.watch */
	STORE_SELF,  /* .self, in the root only: a link to the domain's own directory */
	STORE_NODE,  /* NAME: one of the first two, as the node is */
};

/*
 * What @name of *@len bytes asks for; *@len becomes the length of the node's name, 0: the directory
 * itself. -ENOENT: no node has such a name, as no xenstore name has a dot.
 */
int store_split(const char *name, size_t *len);
/* May a node be called so? (xenstored: letters, digits and - _ @) */
bool store_name_valid(const char *name, size_t len);
/* "@dir/@name" into @buf of STORE_PATH_MAX + 1 bytes; @len 0: @dir. 0 or -ENAMETOOLONG. */
int store_join(char *buf, const char *dir, const char *name, size_t len);
/* The length of the part of @path that is its parent's path; "/" is its own parent. */
size_t store_parent(const char *path);
/* An inode number that (nearly always) only this path has, the low bits free for the kind. */
uint64_t store_ino(const char *path);

#endif
