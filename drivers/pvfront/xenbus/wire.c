/* SPDX-License-Identifier: MIT */
/*
 * xenstore on the wire (wire.h).
 *
 * Indexes run freely through 32 bits and are cut to the ring's size only where bytes are touched,
 * so that "full" and "empty" differ: prod - cons is the number of bytes in the ring, 0 to 1024, in
 * unsigned arithmetic even across the wrap. Any other value means that the peer is out of its mind.
 *
 * The order of accesses: bytes before the index that announces them (release), the peer's index
 * before the bytes that it announces (acquire).
 */
#include <string.h>
#include "wire.h"

_Static_assert(sizeof(struct xsd_sockmsg) == 16, "message header");
_Static_assert(offsetof(struct xenstore_domain_interface, req_cons) == 2048, "ring page");
_Static_assert(offsetof(struct xenstore_domain_interface, error) == 2072, "ring page");
_Static_assert(XS_PAYLOAD_MAX == XENSTORE_PAYLOAD_MAX, "xs.h");
_Static_assert(XS_PATH_MAX == XENSTORE_ABS_PATH_MAX, "xs.h");

void wire_attach(struct wire_ring *out, struct wire_ring *in,
		 struct xenstore_domain_interface *page)
{
	*out = (struct wire_ring){page->req, &page->req_prod, &page->req_cons, page->req_prod};
	*in = (struct wire_ring){page->rsp, &page->rsp_cons, &page->rsp_prod, page->rsp_cons};
}

bool wire_moved(const struct wire_ring *r)
{
	return *r->own != r->at;
}

void wire_spoil(struct wire_ring *r)
{
	r->at = *r->peer ^ 0x80000000;
	if (!r->at)
		r->at = 0x40000000;
	*r->own = r->at;
}

/* Length of the piece from index @at on that does not cross the end of the ring. */
static size_t piece(uint32_t at, size_t n)
{
	return min(n, (size_t)(XENSTORE_RING_SIZE - MASK_XENSTORE_IDX(at)));
}

ssize_t wire_put(struct wire_ring *out, const void *buf, size_t n)
{
	uint32_t used = out->at - __atomic_load_n(out->peer, __ATOMIC_ACQUIRE);
	size_t first;

	if (used > XENSTORE_RING_SIZE)
		return -EIO;
	n = min(n, (size_t)(XENSTORE_RING_SIZE - used));
	first = piece(out->at, n);
	memcpy(out->bytes + MASK_XENSTORE_IDX(out->at), buf, first);
	memcpy(out->bytes, (const char *)buf + first, n - first);
	out->at += n;
	__atomic_store_n(out->own, out->at, __ATOMIC_RELEASE);
	return (ssize_t)n;
}

ssize_t wire_get(struct wire_ring *in, void *buf, size_t n)
{
	uint32_t used = __atomic_load_n(in->peer, __ATOMIC_ACQUIRE) - in->at;
	size_t first;

	if (used > XENSTORE_RING_SIZE)
		return -EIO;
	n = min(n, (size_t)used);
	first = piece(in->at, n);
	memcpy(buf, in->bytes + MASK_XENSTORE_IDX(in->at), first);
	memcpy((char *)buf + first, in->bytes, n - first);
	in->at += n;
	__atomic_store_n(in->own, in->at, __ATOMIC_RELEASE);
	return (ssize_t)n;
}

int wire_receive(struct wire_message *m, struct wire_ring *in, size_t *taken)
{
	for (;;) {
		size_t head = sizeof(m->head), whole = head;
		ssize_t n;

		if (m->got >= head) {
			if (m->head.len > XS_PAYLOAD_MAX)
				return -EIO;
			whole += m->head.len;
			if (m->got == whole) {
				m->body[m->head.len] = 0;
				m->got = 0;
				return 1;
			}
			n = wire_get(in, m->body + (m->got - head), whole - m->got);
		} else {
			n = wire_get(in, (char *)&m->head + m->got, head - m->got);
		}
		if (n <= 0)
			return (int)n;
		m->got += n;
		*taken += n;
	}
}

int wire_error(const char *body, size_t len)
{
	if (!len || body[len - 1])
		return -EIO;
	for (unsigned i = 0; i < ARRAY_SIZE(xsd_errors); i++)
		if (strcmp(xsd_errors[i].errstring, body) == 0)
			return -xsd_errors[i].errnum;
	return -EIO;
}

int wire_number(const char *text, size_t len, uint64_t min, uint64_t max, uint64_t *out)
{
	uint64_t value = 0;

	if (!len)
		return -ERANGE;
	for (size_t i = 0; i < len; i++) {
		unsigned digit = (unsigned char)text[i] - '0';

		if (digit > 9 || __builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, digit, &value))
			return -ERANGE;
	}
	if (value < min || value > max)
		return -ERANGE;
	*out = value;
	return 0;
}

static bool path_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '/' || c == '_' || c == '@';
}

int wire_path(const char *path)
{
	size_t limit = path[0] == '/' ? XENSTORE_ABS_PATH_MAX : XENSTORE_REL_PATH_MAX;
	size_t len = 0;

	for (; path[len]; len++) {
		if (len == limit)
			return -ENAMETOOLONG;
		if (!path_char(path[len]) || (len && path[len] == '/' && path[len - 1] == '/'))
			return -EINVAL;
	}
	if (!len || (len > 1 && path[len - 1] == '/'))
		return -EINVAL;
	return 0;
}

int wire_strings(const char *body, size_t len)
{
	int n = 0;

	if (len && body[len - 1])
		return -EIO;
	for (size_t i = 0; i < len; i++)
		n += !body[i];
	return n;
}

/* One permission: a letter and a domain's number. */
static bool perm_ok(const char *text, size_t len)
{
	uint64_t domid;

	return len >= 2 && strchr("nrwb", text[0]) && text[0] &&
	       !wire_number(text + 1, len - 1, 0, 65535, &domid);
}

ssize_t wire_perms_text(const char *body, size_t len, char *buf, size_t size)
{
	size_t start = 0;

	if (!len || body[len - 1])
		return -EIO;
	if (len > size)
		return -E2BIG;
	for (size_t i = 0; i < len; i++) {
		buf[i] = body[i];
		if (body[i])
			continue;
		if (!perm_ok(body + start, i - start))
			return -EIO;
		start = i + 1;
		buf[i] = i + 1 < len ? ' ' : 0;
	}
	return (ssize_t)len - 1;
}

ssize_t wire_perms_body(const char *text, char *buf, size_t size)
{
	size_t len = 0;

	for (;;) {
		size_t n = 0;

		while (*text == ' ')
			text++;
		if (!*text)
			return len ? (ssize_t)len : -EINVAL;
		while (text[n] && text[n] != ' ')
			n++;
		if (!perm_ok(text, n))
			return -EINVAL;
		if (n + 1 > size - len)
			return -E2BIG;
		memcpy(buf + len, text, n);
		buf[len + n] = 0;
		len += n + 1;
		text += n;
	}
}
