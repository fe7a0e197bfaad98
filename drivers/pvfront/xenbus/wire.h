/* SPDX-License-Identifier: MIT */
/*
 * xenstore on the wire: byte rings, messages, and the texts inside them. Nothing here sleeps, locks
 * or allocates, and nothing needs a hypervisor: the unit tests run it on the host.
 *
 * Two rings of 1024 bytes lie in one shared page, one for each direction. Over them run messages of
 * a header (type, request number, transaction, length) and up to 4096 bytes, so a message can be
 * longer than its ring and arrives in pieces. Everything in the page can change at any moment, by
 * mistake or by intent: the peer's index is read once and checked, a message is copied out before
 * it is looked at, and our own indexes are kept outside. The copies of them in the page are for
 * the peer; if they differ from ours, the peer has begun the connection anew.
 */
#ifndef XS_WIRE_LOCAL_H
#define XS_WIRE_LOCAL_H

#include <types.h>
#include <xen/io/xs_wire.h>
#include "xs.h"

struct wire_ring {
	char *bytes;                   /* XENSTORE_RING_SIZE of them, shared */
	volatile uint32_t *own, *peer; /* indexes in the page: ours to write, the other side's */
	uint32_t at;                   /* what we wrote to *own last */
};

/* The two rings of @page, as the indexes in the page have them. */
void wire_attach(struct wire_ring *out, struct wire_ring *in,
		 struct xenstore_domain_interface *page);
/* Bytes moved, 0 if none can be; -EIO: the peer's index is impossible. */
ssize_t wire_put(struct wire_ring *out, const void *buf, size_t n);
ssize_t wire_get(struct wire_ring *in, void *buf, size_t n);
/* Somebody else has written our index. */
bool wire_moved(const struct wire_ring *r);
/* Give our index a value that neither a working connection nor a new one has. */
void wire_spoil(struct wire_ring *r);

/* A message on its way in. */
struct wire_message {
	struct xsd_sockmsg head;
	size_t got; /* bytes of head and body */
	char body[XS_PAYLOAD_MAX + 1];
};

/*
 * Go on with @m from the ring. 1: a whole message is there, with a 0 behind its body; the next
 * call begins another one. 0: more is to come. -EIO: the connection is broken: an impossible
 * index, or a length above XS_PAYLOAD_MAX, after which no message can be told from another.
 * *@taken grows by the bytes consumed.
 */
int wire_receive(struct wire_message *m, struct wire_ring *in, size_t *taken);

/* The error that the body of an XS_ERROR names, negative; -EIO if nobody knows it. */
int wire_error(const char *body, size_t len);
/* All of @text is decimal digits and the number within [min, max]: 0, else -ERANGE. */
int wire_number(const char *text, size_t len, uint64_t min, uint64_t max, uint64_t *out);
/* 0, -EINVAL: characters or slashes out of place; -ENAMETOOLONG. Special watches begin with '@'. */
int wire_path(const char *path);
/* Strings, each with its 0, that fill @body exactly: their number; -EIO: the last has no 0. */
int wire_strings(const char *body, size_t len);
/* "n0|r5|" as "n0 r5": its length, -EIO (nonsense), -E2BIG. */
ssize_t wire_perms_text(const char *body, size_t len, char *buf, size_t size);
/* And back: length with zeros, -EINVAL, -E2BIG. */
ssize_t wire_perms_body(const char *text, char *buf, size_t size);

#endif
