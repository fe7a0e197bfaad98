/* SPDX-License-Identifier: MIT */
/*
 * The xenstore client: read and write the tree of names and values that all domains of a host
 * share.
 *
 * Requests and replies are messages with a request number over two byte rings in one page (wire.h);
 * many threads may wait for replies at once, and watch events come in between. Paths that do not
 * begin with '/' are relative to the domain's own, /local/domain/<domid>.
 *
 * All functions sleep and may be called by any thread with no spinlock held. Errors: what xenstored
 * said as negative errno (-ENOENT, -EACCES, -EINVAL, -ENOSPC, -E2BIG, -EAGAIN, -EEXIST, ...); -EIO:
 * the reply was nonsense or the connection is broken; -ETIMEDOUT: no reply within XS_TIMEOUT
 * (xenstored is being restarted, or hangs: the reply, if it still comes, is dropped); -ENODEV: this
 * domain has no xenstore; -ENOMEM. Sources: xen/io/xs_wire.h, docs/misc/xenstore.txt.
 */
#ifndef XS_H
#define XS_H

#include <list.h>
#include <lock.h>
#include <types.h>

#define XS_PATH_MAX 3072 /* absolute; relative: 2048 */
#define XS_PAYLOAD_MAX 4096
#define XS_TIMEOUT (20 * NSEC_PER_SEC)
/* After a time-out, until anything has been heard again: what makes many requests is not to hang
 * for many times 20 seconds. */
#define XS_TIMEOUT_SILENT (5 * NSEC_PER_SEC)

typedef uint32_t xs_tx_t;
#define XS_NO_TX 0u

int xs_start(void); /* 0, -ENODEV, -ENOMEM, -EIO */
bool xs_running(void);

/* The value at @path as kmalloc()ed memory with a 0 behind it (which @len does not count). */
int xs_read(xs_tx_t tx, const char *path, char **value, size_t *len);
/* The value at "@dir/@node" as string into @buf. -E2BIG: it does not fit, or holds a 0. Length
 * otherwise. */
ssize_t xs_gets(xs_tx_t tx, const char *dir, const char *node, char *buf, size_t size);
/* The value as a number, all of it decimal digits and within [min, max]; else -ERANGE. */
int xs_scan(xs_tx_t tx, const char *dir, const char *node, uint64_t min, uint64_t max,
	    uint64_t *out);
/*
 * Several nodes of one directory at once, in about the time of one; in which order is not said.
 * xs_scan_all() reads numbers from 0 to @most (@value is left alone where @err is set: give it
 * what holds if there is nothing); xs_write_all() writes @text and returns the first error.
 */
struct xs_field {
	const char *node;
	uint64_t most, value;
	const char *text;
	int err;
};
void xs_scan_all(xs_tx_t tx, const char *dir, struct xs_field *fields, unsigned n);
int xs_write_all(xs_tx_t tx, const char *dir, struct xs_field *fields, unsigned n);
int xs_write(xs_tx_t tx, const char *path, const void *value, size_t len);
int xs_printf(xs_tx_t tx, const char *dir, const char *node, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
int xs_mkdir(xs_tx_t tx, const char *path);
int xs_rm(xs_tx_t tx, const char *path);
/* Names below @path, *@n of them, in one kmalloc()ed block that *@names begins. */
int xs_directory(xs_tx_t tx, const char *path, char ***names, unsigned *n);
/* Permissions as text, "n0 r5 ..." joined by blanks, the way xenstore tools write them. */
ssize_t xs_get_perms(xs_tx_t tx, const char *path, char *buf, size_t size);
int xs_set_perms(xs_tx_t tx, const char *path, const char *perms);
int xs_tx_start(xs_tx_t *tx);
/* -EAGAIN: something read has changed meanwhile, begin anew. */
int xs_tx_end(xs_tx_t tx, bool abort);

/*
 * Watches. @fn is called by the client's own watch thread, one call at a time, with the path that
 * changed; once at once after xs_watch(). It may use all functions here. A watch outlives a restart
 * of xenstored. Changes of one path that come before @fn is called for the first are one call; of
 * more than 16 different paths, those beyond are one call with the watch's own path: "something
 * below it".
 */
struct xs_watch {
	const char *path; /* stays valid until xs_unwatch() returns */
	void (*fn)(struct xs_watch *w, const char *changed);
	void *arg;
	/* the client's own: */
	struct list link;
	struct list events; /* not delivered yet */
	unsigned token, nr_events;
	bool lost;  /* there were more: to be called with @path itself */
	bool reset; /* to be set anew: xenstored has forgotten it */
};
int xs_watch(struct xs_watch *w);
/* On return @fn is not running and will not be called (unless it is @fn itself that calls). */
void xs_unwatch(struct xs_watch *w);

/* For /proc/xen/store: requests, replies, time-outs, in flight at most. Bytes of text. */
size_t xs_describe(char *buf, size_t size);

#endif
