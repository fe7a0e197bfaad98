/* SPDX-License-Identifier: MIT */
/*
 * Open values and permissions of xenstore nodes.
 *
 * A value is replaced whole or not at all; a file is written piece by piece. So each write() stores
 * the value as it then is: what this open file has written up to there, nothing of what was before.
 * A write at position 0 begins anew, one right behind the last continues, one with O_APPEND
 * continues the value found. An error is the write's, not close()'s, and a program that
 * writes once, as nearly all do, changes the node once. Opened with O_TRUNC or made by the open,
 * and closed without a write, the value becomes empty.
 *
 * echo and editors end a text with a newline, which is not meant to be in a device's state or a
 * domain's name: NAME loses one from the end of what is written to it. NAME.value keeps every byte.
 *
 * A read at position 0 takes the value of that moment; what follows reads from the same copy.
 */
#include "../xenbus/xs.h"
#include "storefs.h"

#include <string.h>

#define VALUE_MAX XS_PAYLOAD_MAX

struct open_value {
	mutex_t lock;
	struct store_vnode *node;
	char *seen; /* for reads; NULL: nothing read so far */
	size_t nr_seen;
	char *made; /* VALUE_MAX bytes, for writes; NULL: nothing written so far */
	size_t nr_made;
	bool empties; /* if it is closed like this */
};

static int load(const struct store_vnode *node, char **value, size_t *len)
{
	char text[256];
	ssize_t n;

	if (node->kind != STORE_PERMS)
		return xs_read(XS_NO_TX, node->path, value, len);
	n = xs_get_perms(XS_NO_TX, node->path, text, sizeof(text) - 1);
	if (n < 0)
		return n;
	text[n] = '\n';
	*value = kmalloc(n + 1, 0);
	if (!*value)
		return -ENOMEM;
	memcpy(*value, text, n + 1);
	*len = n + 1;
	return 0;
}

static ssize_t value_read(struct file *f, struct uio *uio, uint64_t *pos)
{
	struct open_value *o = f->private;
	ssize_t n = 0;

	mutex_lock(&o->lock);
	if (!o->seen || *pos == 0) {
		kfree(o->seen);
		o->seen = NULL;
		n = load(o->node, &o->seen, &o->nr_seen);
	}
	if (!n && *pos < o->nr_seen)
		n = uio_to(uio, o->seen + *pos, o->nr_seen - *pos);
	mutex_unlock(&o->lock);
	if (n > 0)
		*pos += n;
	return n;
}

static int store(const struct open_value *o, size_t n)
{
	const struct store_vnode *node = o->node;
	char text[256];

	if (node->kind != STORE_VALUE && n && o->made[n - 1] == '\n')
		n--;
	if (node->kind != STORE_PERMS)
		return xs_write(XS_NO_TX, node->path, o->made, n);
	if (n >= sizeof(text) || memchr(o->made, 0, n))
		return -EINVAL;
	memcpy(text, o->made, n);
	text[n] = 0;
	return xs_set_perms(XS_NO_TX, node->path, text);
}

/* The first write: what it continues, if anything. */
static int begin(struct open_value *o, bool append, uint64_t pos)
{
	char *old;
	size_t len;
	int err;

	o->made = kmalloc(VALUE_MAX, 0);
	if (!o->made)
		return -ENOMEM;
	if (o->node->absent || (!append && pos == 0))
		return 0;
	err = load(o->node, &old, &len);
	if (err)
		return err;
	o->nr_made = min(len, (size_t)VALUE_MAX);
	memcpy(o->made, old, o->nr_made);
	kfree(old);
	return 0;
}

static ssize_t write_locked(struct open_value *o, bool append, struct uio *uio, uint64_t *pos)
{
	size_t n = uio->resid;
	ssize_t got;
	int err = o->made ? 0 : begin(o, append, *pos);

	o->empties = false; /* what cannot be written changes nothing */
	if (err)
		return err;
	if (append)
		*pos = o->nr_made;
	if (*pos > o->nr_made)
		return -EINVAL;
	if (n > VALUE_MAX - *pos)
		return -EFBIG;
	got = uio_from(uio, o->made + *pos, n);
	if (got < 0)
		return got;
	err = store(o, *pos + n);
	if (err)
		return err == -E2BIG ? -EFBIG : err;
	*pos += n;
	o->nr_made = *pos;
	o->node->absent = false;
	return n;
}

static ssize_t value_write(struct file *f, struct uio *uio, uint64_t *pos)
{
	struct open_value *o = f->private;
	ssize_t n;

	mutex_lock(&o->lock);
	n = write_locked(o, f->flags & O_APPEND, uio, pos);
	mutex_unlock(&o->lock);
	return n;
}

static void value_release(struct file *f)
{
	struct open_value *o = f->private;

	/* Nobody is left to be told of an error. */
	if (o->empties) {
		xs_write(XS_NO_TX, o->node->path, "", 0);
		o->node->absent = false;
	}
	kfree(o->seen);
	kfree(o->made);
	kfree(o);
}

static int value_sync(struct file *f)
{
	(void)f;
	return 0;
}

static const struct file_ops value_file_ops = {
	.read = value_read,
	.write = value_write,
	.release = value_release,
	.sync = value_sync,
};

int store_value_open(struct store_vnode *sv, struct file *f)
{
	struct open_value *o = kmalloc(sizeof(*o), ALLOC_ZERO);

	if (!o)
		return -ENOMEM;
	mutex_init(&o->lock, "xenstore value");
	o->node = sv;
	o->empties = sv->kind != STORE_PERMS && ((f->flags & O_TRUNC) || sv->absent);
	f->private = o;
	f->ops = &value_file_ops;
	return 0;
}
