/* SPDX-License-Identifier: MIT */
/*
 * Open files of /proc: text made on demand.
 *
 * A read at position 0, or the first one, makes the whole text, under whatever locks it needs, into
 * a buffer that belongs to the open file; this and later reads copy from there with no lock of the
 * thing shown. So a reader gets one moment's picture, in pieces of any size. If the buffer proves
 * too small the text is made again in one twice as large.
 *
 * Rings (messages, trace) are too long for that. They are read forward with a cursor of their own;
 * a read at another position than the last one's end starts over and skips.
 */
#include "procfs.h"

#include <printk.h>
#include <string.h>

#define TEXT_MIN 2048ul
#define TEXT_MAX (4ul << 20)
#define COMMAND_MAX 64

struct open_text {
	mutex_t lock;
	const struct procfs_entry *entry;
	pid_t pid;
	unsigned fd;
	char *buf;
	size_t len;
	bool made;
	uint64_t cursor, at; /* streams: where the next piece comes from, and its byte position */
};

void text_printf(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	if (t->len < t->size)
		n = vsnprintk(t->buf + t->len, t->size - t->len, fmt, ap);
	else
		n = vsnprintk(NULL, 0, fmt, ap);
	va_end(ap);
	if (n > 0)
		t->len += n;
}

void text_bytes(struct text *t, const void *p, size_t n)
{
	if (t->len < t->size)
		memcpy(t->buf + t->len, p, min(n, t->size - t->len));
	t->len += n;
}

void text_clean(struct text *t, const char *s, size_t n, char instead)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = s[i];

		text_bytes(t, c <= ' ' || c == 0x7f ? &instead : &s[i], 1);
	}
}

static void drop_text(struct open_text *o)
{
	kfree(o->buf);
	o->buf = NULL;
	o->made = false;
}

static int make_text(struct open_text *o)
{
	size_t size = TEXT_MIN;

	drop_text(o);
	for (;;) {
		struct text t = {.size = size, .fd = o->fd};
		int err;

		t.buf = kmalloc(size, 0);
		if (!t.buf)
			return -ENOMEM;
		err = o->entry->make(&t, o->pid);
		/* A byte is left over: vsnprintk ends its text with a 0. */
		if (!err && t.len < t.size) {
			o->buf = t.buf;
			o->len = t.len;
			o->made = true;
			return 0;
		}
		kfree(t.buf);
		if (err)
			return err;
		while (size <= t.len)
			size *= 2;
		if (size > TEXT_MAX)
			return -EFBIG;
	}
}

static ssize_t read_made(struct open_text *o, struct uio *uio, uint64_t pos)
{
	if (!o->made || pos == 0) {
		int err = make_text(o);

		if (err)
			return err;
	}
	return pos < o->len ? uio_to(uio, o->buf + pos, o->len - pos) : 0;
}

/* One piece in o->buf (PAGE_SIZE) from @pos on; its size, 0 at the end. */
static ssize_t stream_piece(struct open_text *o, uint64_t pos, size_t want)
{
	size_t n;

	if (pos < o->at) {
		o->cursor = 0;
		o->at = 0;
	}
	while (o->at < pos) {
		n = o->entry->stream(&o->cursor, o->buf, PAGE_SIZE);
		if (n == 0)
			return 0;
		if (o->at + n > pos) {
			size_t skip = pos - o->at;

			memmove(o->buf, o->buf + skip, n - skip);
			o->at += n;
			return n - skip;
		}
		o->at += n;
	}
	/* Records are not cut: a reader of few bytes gets a whole one into the buffer, and the rest
	 * of it again when it comes back for it. */
	n = o->entry->stream(&o->cursor, o->buf, max(min(want, PAGE_SIZE), (size_t)512));
	o->at += n;
	return n;
}

static ssize_t registered_piece(struct open_text *o, uint64_t pos, size_t want)
{
	struct proc_file *pf = o->entry->registered;

	if (o->entry->raw)
		return o->entry->raw(o->pid, pos, o->buf, min(want, PAGE_SIZE));
	return pf->read(pf->arg, pos, o->buf, min(want, PAGE_SIZE));
}

static ssize_t read_pieces(struct open_text *o, struct uio *uio, uint64_t pos)
{
	ssize_t done = 0, n = 0;

	if (!o->buf)
		o->buf = kmalloc(PAGE_SIZE, 0);
	if (!o->buf)
		return -ENOMEM;
	while (uio->resid > 0 && !(done && thread_interrupted())) {
		n = o->entry->stream ? stream_piece(o, pos + done, uio->resid)
				     : registered_piece(o, pos + done, uio->resid);
		if (n > 0)
			n = uio_to(uio, o->buf, min((size_t)n, PAGE_SIZE));
		if (n <= 0)
			break;
		done += n;
	}
	return done ? done : n;
}

static ssize_t text_read(struct file *f, struct uio *uio, uint64_t *pos)
{
	struct open_text *o = f->private;
	ssize_t n;

	if (o->entry->registered && !o->entry->registered->read)
		return -EINVAL;
	mutex_lock(&o->lock);
	n = o->entry->make ? read_made(o, uio, *pos) : read_pieces(o, uio, *pos);
	mutex_unlock(&o->lock);
	if (n > 0)
		*pos += n;
	return n;
}

static ssize_t text_write(struct file *f, struct uio *uio, uint64_t *pos)
{
	const struct procfs_entry *e = ((struct open_text *)f->private)->entry;
	struct proc_file *pf = e->registered;
	char buf[COMMAND_MAX];
	size_t n = uio->resid;
	ssize_t got;

	if (!e->command && !(pf && pf->write))
		return -EINVAL;
	if (n >= sizeof(buf))
		return -EINVAL;
	got = uio_from(uio, buf, n);
	if (got < 0)
		return got;
	buf[n] = 0;
	if (pf) {
		got = pf->write(pf->arg, buf, n);
	} else {
		if (n > 0 && buf[n - 1] == '\n')
			buf[n - 1] = 0;
		got = cred_root() ? e->command(buf) : -EPERM;
		if (got == 0)
			got = n;
	}
	if (got > 0)
		*pos += got;
	return got;
}

static void text_release(struct file *f)
{
	struct open_text *o = f->private;

	kfree(o->buf);
	kfree(o);
}

static const struct file_ops text_file_ops = {
	.read = text_read,
	.write = text_write,
	.release = text_release,
};

int procfs_file_open(struct file *f, const struct procfs_entry *e, pid_t pid, unsigned fd)
{
	struct open_text *o = kmalloc(sizeof(*o), ALLOC_ZERO);

	if (!o)
		return -ENOMEM;
	mutex_init(&o->lock, "proc text");
	o->entry = e;
	o->pid = pid;
	o->fd = fd;
	f->private = o;
	f->ops = &text_file_ops;
	return 0;
}
