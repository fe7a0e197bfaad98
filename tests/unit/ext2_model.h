/* SPDX-License-Identifier: MIT */
/*
 * A model of a file system in memory, for test_ext2_random.c: files as lists of pieces, directories
 * as lists of names.
 */
#ifndef EXT2_MODEL_H
#define EXT2_MODEL_H

#include <fs.h>

#define PIECE 512ul
#define NODES 48
#define ENTRIES 160

struct piece {
	struct piece *next;
	uint64_t index;
	unsigned char data[PIECE];
};

struct node {
	bool used, directory;
	unsigned links; /* of a file: its names; a directory's is one */
	uint64_t size;
	struct piece *pieces;
	struct file *open; /* perhaps unlinked */
};

struct entry { /* of directory @dir: a name of @node */
	bool used;
	unsigned dir, node;
	char name[16];
};

extern struct node nodes[NODES]; /* 0: the root */
extern struct entry entries[ENTRIES];

void pieces_free(struct node *n, uint64_t from);
unsigned char model_byte(struct node *n, uint64_t pos);
void model_truncate(struct node *n, uint64_t size);
void model_write(struct node *n, uint64_t pos, const unsigned char *buf, size_t len);
void node_drop(struct node *n);
unsigned node_new(bool directory);
struct entry *model_find(unsigned dir, const char *name);
bool model_enter(unsigned dir, const char *name, unsigned node);
unsigned entry_count(unsigned dir);
unsigned subdirs(unsigned dir);
bool model_below(unsigned dir, unsigned above);
void model_path(unsigned dir, const char *name, char *buf, size_t size);

#endif
