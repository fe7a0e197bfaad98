/* SPDX-License-Identifier: MIT */
/*
 * The xenstore client: what each request says and its reply means. Payloads as in
 * docs/misc/xenstore.txt; what comes back is checked before anybody sees it.
 */
#include <mm.h>
#include <printk.h>
#include <string.h>
#include "client.h"

#define VALUE_MAX 256            /* of xs_printf() */
#define PARTS_MAX (256 * 1024ul) /* bytes of a directory listing */
#define PARTS_TRIES 8            /* while it changes under our eyes */

/* "@dir/@node", or @dir alone. The string is kmalloc()ed; or an error, of wire_path() too. */
static int join(const char *dir, const char *node, char **path)
{
	size_t size = strlen(dir) + strlen(node) + 2;
	int err;

	*path = kmalloc(size, 0);
	if (!*path)
		return -ENOMEM;
	snprintk(*path, size, "%s/%s", dir, node);
	err = wire_path(*path);
	if (err) {
		kfree(*path);
		*path = NULL;
	}
	return err;
}

/* A request that is a path and nothing else. */
static int path_call(xs_tx_t tx, unsigned type, const char *path, struct xs_reply *reply)
{
	int err = wire_path(path);

	return err ? err : xs_call(tx, type, XS_TEXT0(path), XS_NO_PIECE, reply);
}

int xs_read(xs_tx_t tx, const char *path, char **value, size_t *len)
{
	struct xs_reply reply;
	int err = path_call(tx, XS_READ, path, &reply);

	if (err)
		return err;
	*value = reply.body;
	if (len)
		*len = reply.len;
	return 0;
}

ssize_t xs_gets(xs_tx_t tx, const char *dir, const char *node, char *buf, size_t size)
{
	char *path, *value;
	size_t len;
	int err = join(dir, node, &path);

	if (err)
		return err;
	err = xs_read(tx, path, &value, &len);
	kfree(path);
	if (err)
		return err;
	if (len >= size || strlen(value) != len)
		err = -E2BIG;
	else
		memcpy(buf, value, len + 1);
	kfree(value);
	return err ? err : (ssize_t)len;
}

int xs_scan(xs_tx_t tx, const char *dir, const char *node, uint64_t min, uint64_t max,
	    uint64_t *out)
{
	char text[24];
	ssize_t len = xs_gets(tx, dir, node, text, sizeof(text));

	if (len < 0)
		return len == -E2BIG ? -ERANGE : (int)len;
	return wire_number(text, len, min, max, out);
}

/* Join and ask for all of @n paths, MANY at most. */
#define MANY 16
static void ask_many(xs_tx_t tx, unsigned type, const char *dir, struct xs_field *f,
		     struct xs_question *q, unsigned n)
{
	char *path[MANY];
	unsigned at[MANY], asked = 0;

	for (unsigned i = 0; i < n; i++) {
		f[i].err = join(dir, f[i].node, &path[asked]);
		if (f[i].err)
			continue;
		q[asked] = (struct xs_question){.piece[0] = XS_TEXT0(path[asked])};
		if (type == XS_WRITE)
			q[asked].piece[1] = XS_TEXT(f[i].text);
		at[asked++] = i;
	}
	xs_ask(tx, type, q, asked);
	for (unsigned i = 0; i < asked; i++) {
		struct xs_field *field = &f[at[i]];
		const struct xs_reply *r = &q[i].reply;

		field->err = q[i].err;
		if (!field->err && type == XS_READ)
			field->err = wire_number(r->body, r->len, 0, field->most, &field->value);
		kfree(q[i].reply.body);
		kfree(path[i]);
	}
}

static void many(xs_tx_t tx, unsigned type, const char *dir, struct xs_field *f, unsigned n)
{
	while (n) {
		struct xs_question q[MANY];
		unsigned some = min(n, MANY + 0u);

		ask_many(tx, type, dir, f, q, some);
		f += some;
		n -= some;
	}
}

void xs_scan_all(xs_tx_t tx, const char *dir, struct xs_field *fields, unsigned n)
{
	many(tx, XS_READ, dir, fields, n);
}

int xs_write_all(xs_tx_t tx, const char *dir, struct xs_field *fields, unsigned n)
{
	many(tx, XS_WRITE, dir, fields, n);
	for (unsigned i = 0; i < n; i++)
		if (fields[i].err)
			return fields[i].err;
	return 0;
}

int xs_write(xs_tx_t tx, const char *path, const void *value, size_t len)
{
	int err = wire_path(path);

	if (err)
		return err;
	return xs_call(tx, XS_WRITE, XS_TEXT0(path), (struct xs_piece){value, len}, NULL);
}

int xs_printf(xs_tx_t tx, const char *dir, const char *node, const char *fmt, ...)
{
	char value[VALUE_MAX], *path;
	va_list ap;
	int len, err;

	va_start(ap, fmt);
	len = vsnprintk(value, sizeof(value), fmt, ap);
	va_end(ap);
	if (len >= VALUE_MAX - 1)
		return -E2BIG;
	err = join(dir, node, &path);
	if (err)
		return err;
	err = xs_write(tx, path, value, len);
	kfree(path);
	return err;
}

int xs_mkdir(xs_tx_t tx, const char *path)
{
	return path_call(tx, XS_MKDIR, path, NULL);
}

int xs_rm(xs_tx_t tx, const char *path)
{
	return path_call(tx, XS_RM, path, NULL);
}

/* Text of @len bytes, strings with their zeros, as an array of pointers with the text behind. */
static int name_list(const char *text, size_t len, char ***names, unsigned *n)
{
	int count = wire_strings(text, len);
	char *at;

	if (count < 0)
		return count;
	*names = kmalloc((count + 1) * sizeof(char *) + len, 0);
	if (!*names)
		return -ENOMEM;
	at = (char *)(*names + count + 1);
	memcpy(at, text, len);
	for (int i = 0; i < count; i++) {
		(*names)[i] = at;
		at += strlen(at) + 1;
	}
	(*names)[count] = NULL;
	*n = count;
	return 0;
}

struct parts {
	char *text;
	size_t len, size;
	char generation[24];
};

/*
 * One part of a long listing, appended: generation|name|name|...; an empty name says that it was
 * the last. 1: more to come, 0: done, -EAGAIN: the directory has changed since the first part.
 */
static int next_part(xs_tx_t tx, const char *path, struct parts *p)
{
	struct xs_reply reply;
	char offset[24];
	size_t head, len;
	int err;

	snprintk(offset, sizeof(offset), "%lu", p->len);
	err = xs_call(tx, XS_DIRECTORY_PART, XS_TEXT0(path), XS_TEXT0(offset), &reply);
	if (err)
		return err;
	head = strlen(reply.body) + 1;
	if (wire_strings(reply.body, reply.len) < 2 || head > sizeof(p->generation)) {
		err = -EIO;
		goto out;
	}
	if (!p->len)
		memcpy(p->generation, reply.body, head);
	else if (strcmp(p->generation, reply.body) != 0)
		err = -EAGAIN;
	len = reply.len - head;
	if (len > p->size - p->len)
		err = -E2BIG;
	if (err)
		goto out;
	err = 1;
	if (len == 1 || !reply.body[reply.len - 2]) {
		len--;
		err = 0;
	}
	memcpy(p->text + p->len, reply.body + head, len);
	p->len += len;
out:
	kfree(reply.body);
	return err;
}

/* A listing that does not fit into one message. */
static int long_directory(xs_tx_t tx, const char *path, char ***names, unsigned *n)
{
	struct parts p = {.size = PARTS_MAX};
	int err = -EAGAIN;

	p.text = kmalloc(p.size, 0);
	if (!p.text)
		return -ENOMEM;
	for (int tries = 0; tries < PARTS_TRIES && err == -EAGAIN; tries++) {
		p.len = 0;
		do
			err = next_part(tx, path, &p);
		while (err == 1);
	}
	if (!err)
		err = name_list(p.text, p.len, names, n);
	kfree(p.text);
	return err;
}

int xs_directory(xs_tx_t tx, const char *path, char ***names, unsigned *n)
{
	struct xs_reply reply;
	int err = path_call(tx, XS_DIRECTORY, path, &reply);

	if (err == -E2BIG) {
		err = long_directory(tx, path, names, n);
		return err == -ENOSYS ? -E2BIG : err;
	}
	if (err)
		return err;
	err = name_list(reply.body, reply.len, names, n);
	kfree(reply.body);
	return err;
}

ssize_t xs_get_perms(xs_tx_t tx, const char *path, char *buf, size_t size)
{
	struct xs_reply reply;
	ssize_t len = path_call(tx, XS_GET_PERMS, path, &reply);

	if (len < 0)
		return len;
	len = wire_perms_text(reply.body, reply.len, buf, size);
	kfree(reply.body);
	return len;
}

int xs_set_perms(xs_tx_t tx, const char *path, const char *perms)
{
	char body[256];
	ssize_t len = wire_perms_body(perms, body, sizeof(body));
	int err = wire_path(path);

	if (len < 0 || err)
		return err ? err : (int)len;
	return xs_call(tx, XS_SET_PERMS, XS_TEXT0(path), (struct xs_piece){body, len}, NULL);
}

int xs_tx_start(xs_tx_t *tx)
{
	struct xs_reply reply;
	uint64_t number = 0;
	int err = xs_call(XS_NO_TX, XS_TRANSACTION_START, XS_TEXT0(""), XS_NO_PIECE, &reply);

	if (err)
		return err;
	if (reply.len && !reply.body[reply.len - 1])
		reply.len--;
	if (wire_number(reply.body, reply.len, 1, UINT32_MAX, &number))
		err = -EIO;
	kfree(reply.body);
	*tx = (xs_tx_t)number;
	return err;
}

int xs_tx_end(xs_tx_t tx, bool abort)
{
	if (tx == XS_NO_TX)
		return -EINVAL;
	return xs_call(tx, XS_TRANSACTION_END, XS_TEXT0(abort ? "F" : "T"), XS_NO_PIECE, NULL);
}
