/* SPDX-License-Identifier: MIT */
/* The bytes in a pipe: see pipe_ring.h. */
#include "pipe_ring.h"

static char **slot(struct pipe_ring *r, size_t pos)
{
	return &r->page[pos / PAGE_SIZE % PIPE_PAGES];
}

char *ring_in(struct pipe_ring *r, size_t *n)
{
	size_t pos = (r->head + r->used) % PIPE_SIZE;
	size_t off = pos % PAGE_SIZE;
	char **page = slot(r, pos);

	*n = min(*n, ring_room(r));
	*n = min(*n, PAGE_SIZE - off);
	if (*n == 0)
		return NULL;
	if (!*page)
		*page = pipe_page_alloc();
	return *page ? *page + off : NULL;
}

void ring_put(struct pipe_ring *r, size_t n)
{
	r->used += n;
}

char *ring_out(struct pipe_ring *r, size_t at, size_t *n)
{
	size_t pos = (r->head + at) % PIPE_SIZE;
	size_t off = pos % PAGE_SIZE;

	*n = min(*n, r->used - at);
	*n = min(*n, PAGE_SIZE - off);
	return *n ? *slot(r, pos) + off : NULL;
}

/* Free the page at @pos, but not the ring's first. */
static void drop_page(struct pipe_ring *r, size_t pos)
{
	char **page = slot(r, pos);

	if (page == &r->page[0] || !*page)
		return;
	pipe_page_free(*page);
	*page = NULL;
}

/* Of one page. */
static void take_part(struct pipe_ring *r, size_t n)
{
	size_t old = r->head;

	r->used -= n;
	if (r->used == 0) {
		drop_page(r, old);
		r->head = 0;
		return;
	}
	r->head = (old + n) % PIPE_SIZE;
	/* Behind a page's end: its bytes have all been read. Unless the ring is so full that the
	 * writer has come round to the same page, it is not needed. */
	if (old / PAGE_SIZE != r->head / PAGE_SIZE && ring_room(r) >= PAGE_SIZE)
		drop_page(r, old);
}

void ring_take(struct pipe_ring *r, size_t n)
{
	while (n) {
		size_t part = min(n, PAGE_SIZE - r->head % PAGE_SIZE);

		take_part(r, part);
		n -= part;
	}
}

bool ring_prepare(struct pipe_ring *r, size_t n)
{
	size_t pos = r->head + r->used, end = pos + n;

	if (n > ring_room(r))
		return false;
	while (pos < end) {
		char **page = slot(r, pos);

		if (!*page)
			*page = pipe_page_alloc();
		if (!*page)
			return false;
		pos = ROUND_DOWN(pos, PAGE_SIZE) + PAGE_SIZE;
	}
	return true;
}

void ring_free(struct pipe_ring *r)
{
	for (unsigned i = 0; i < PIPE_PAGES; i++) {
		if (r->page[i])
			pipe_page_free(r->page[i]);
		r->page[i] = NULL;
	}
	r->head = r->used = 0;
}
