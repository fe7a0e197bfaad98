/* SPDX-License-Identifier: MIT */
/* Linear search in an array, and lists whose elements begin with two pointers: next, previous. */
#include <search.h>
#include <string.h>

void *lfind(const void *key, const void *base, size_t *n, size_t size, __compar_fn_t same)
{
	const char *at = base;

	for (size_t i = 0; i < *n; i++, at += size)
		if (same(key, at) == 0)
			return (void *)at;
	return NULL;
}

/* The array has room for one more: that is the caller's matter. */
void *lsearch(const void *key, void *base, size_t *n, size_t size, __compar_fn_t same)
{
	void *at = lfind(key, base, n, size, same);

	return at ? at : memcpy((char *)base + size * (*n)++, key, size);
}

struct link {
	struct link *next, *prev;
};

void insque(void *element, void *before)
{
	struct link *e = element, *b = before;

	e->prev = b;
	e->next = b ? b->next : NULL;
	if (b)
		b->next = e;
	if (e->next)
		e->next->prev = e;
}

void remque(void *element)
{
	struct link *e = element;

	if (e->prev)
		e->prev->next = e->next;
	if (e->next)
		e->next->prev = e->prev;
}
