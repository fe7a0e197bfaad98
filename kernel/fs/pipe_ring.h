/* SPDX-License-Identifier: MIT */
/*
 * The bytes in a pipe: a ring of up to 16 pages, which come when they are written to and go when
 * they have been read. An empty ring starts again at the first byte of its first page, which it
 * keeps: a pipe that carries small messages never needs another.
 *
 * The caller copies: it asks for the next contiguous piece, moves bytes, and says how many. Pages
 * come from pipe_page_alloc(), so that this runs on the host for the unit test.
 */
#ifndef PIPE_RING_H
#define PIPE_RING_H

#include <types.h>

#define PIPE_PAGES 16
#define PIPE_SIZE (PIPE_PAGES * PAGE_SIZE)

struct pipe_ring {
	char *page[PIPE_PAGES];
	size_t head; /* position of the next byte to read, below PIPE_SIZE */
	size_t used;
};

char *pipe_page_alloc(void); /* NULL: no memory */
void pipe_page_free(char *page);

static inline size_t ring_room(const struct pipe_ring *r)
{
	return PIPE_SIZE - r->used;
}

/* Where the next bytes go, *@n: how many may (at most what it was). NULL: no memory, or full. */
char *ring_in(struct pipe_ring *r, size_t *n);
void ring_put(struct pipe_ring *r, size_t n);
/* Where the bytes from @at on (0: the next) are, *@n likewise; NULL: none. */
char *ring_out(struct pipe_ring *r, size_t at, size_t *n);
/* The next @n bytes, at most `used`, have been read. */
void ring_take(struct pipe_ring *r, size_t n);
/* Make sure that @n bytes can go in without a failure on the way; false: no memory, or no room. */
bool ring_prepare(struct pipe_ring *r, size_t n);
void ring_free(struct pipe_ring *r);

/* pipe.c: between a ring and the caller's memory. Bytes, or -EFAULT if there were none. */
struct uio;
ssize_t ring_read(struct pipe_ring *r, size_t at, struct uio *uio, size_t n); /* takes nothing */
/* @n: at most the room. @whole: all of it or nothing; -ENOMEM too. */
ssize_t ring_write(struct pipe_ring *r, struct uio *uio, size_t n, bool whole);

#endif
