/* SPDX-License-Identifier: MIT */
/* The model of ext2_model.h. */
#include "ext2_model.h"

#include <string.h>

int snprintf(char *buf, size_t size, const char *fmt, ...);
void *calloc(size_t n, size_t size);
void free(void *p);

struct node nodes[NODES];
struct entry entries[ENTRIES];

void pieces_free(struct node *n, uint64_t from)
{
	struct piece **p = &n->pieces;

	while (*p) {
		struct piece *gone = *p;

		if (gone->index < from) {
			p = &gone->next;
			continue;
		}
		*p = gone->next;
		free(gone);
	}
}

static struct piece *piece_of(struct node *n, uint64_t index, bool make)
{
	struct piece *p = n->pieces;

	while (p && p->index != index)
		p = p->next;
	if (!p && make) {
		p = calloc(1, sizeof(*p));
		p->index = index;
		p->next = n->pieces;
		n->pieces = p;
	}
	return p;
}

unsigned char model_byte(struct node *n, uint64_t pos)
{
	struct piece *p = piece_of(n, pos / PIECE, false);

	return p ? p->data[pos % PIECE] : 0;
}

void model_truncate(struct node *n, uint64_t size)
{
	if (size < n->size) {
		struct piece *p = piece_of(n, size / PIECE, false);

		pieces_free(n, DIV_ROUND_UP(size, PIECE));
		if (p && size % PIECE)
			memset(p->data + size % PIECE, 0, PIECE - size % PIECE);
	}
	n->size = size;
}

void model_write(struct node *n, uint64_t pos, const unsigned char *buf, size_t len)
{
	for (size_t i = 0; i < len; i++)
		piece_of(n, (pos + i) / PIECE, true)->data[(pos + i) % PIECE] = buf[i];
	n->size = max(n->size, pos + len);
}

void node_drop(struct node *n)
{
	if (n->links || n->open)
		return;
	pieces_free(n, 0);
	*n = (struct node){0};
}

unsigned node_new(bool directory)
{
	for (unsigned i = 1; i < NODES; i++)
		if (!nodes[i].used) {
			nodes[i] = (struct node){.used = true, .directory = directory};
			return i;
		}
	return 0;
}

struct entry *model_find(unsigned dir, const char *name)
{
	for (unsigned i = 0; i < ENTRIES; i++)
		if (entries[i].used && entries[i].dir == dir && !strcmp(entries[i].name, name))
			return &entries[i];
	return NULL;
}

bool model_enter(unsigned dir, const char *name, unsigned node)
{
	for (unsigned i = 0; i < ENTRIES; i++)
		if (!entries[i].used) {
			entries[i] = (struct entry){true, dir, node, ""};
			strlcpy(entries[i].name, name, sizeof(entries[i].name));
			nodes[node].links++;
			return true;
		}
	return false;
}

unsigned entry_count(unsigned dir)
{
	unsigned n = 0;

	for (unsigned i = 0; i < ENTRIES; i++)
		n += entries[i].used && entries[i].dir == dir;
	return n;
}

unsigned subdirs(unsigned dir)
{
	unsigned n = 0;

	for (unsigned i = 0; i < ENTRIES; i++)
		n += entries[i].used && entries[i].dir == dir && nodes[entries[i].node].directory;
	return n;
}

static struct entry *entry_of_dir(unsigned dir)
{
	for (unsigned i = 0; i < ENTRIES; i++)
		if (entries[i].used && entries[i].node == dir)
			return &entries[i];
	return NULL;
}

bool model_below(unsigned dir, unsigned above)
{
	while (dir != above && dir)
		dir = entry_of_dir(dir)->dir;
	return dir == above;
}

void model_path(unsigned dir, const char *name, char *buf, size_t size)
{
	char tail[512];

	snprintf(tail, sizeof(tail), "/%s", name);
	while (dir) {
		struct entry *e = entry_of_dir(dir);
		char more[512];

		snprintf(more, sizeof(more), "/%s%.400s", e->name, tail);
		strlcpy(tail, more, sizeof(tail));
		dir = e->dir;
	}
	snprintf(buf, size, "/mnt%s", tail);
}
