/* SPDX-License-Identifier: MIT */
/*
 * Inside the xenstore client: client.c moves messages, calls.c gives them their meaning, watch.c
 * has the watches.
 */
#ifndef XS_CLIENT_H
#define XS_CLIENT_H

#include <lock.h>
#include "wire.h"

struct xs_piece {
	const void *data;
	size_t len;
};
#define XS_TEXT(s)             \
	(struct xs_piece)      \
	{                      \
		(s), strlen(s) \
	}
#define XS_TEXT0(s)                \
	(struct xs_piece)          \
	{                          \
		(s), strlen(s) + 1 \
	}

struct xs_reply {
	char *body; /* kmalloc()ed, with a 0 behind it */
	size_t len;
};

#define XS_NO_PIECE XS_TEXT("")

/*
 * A request and what became of it. The reply's body is the caller's, NULL unless @err is 0. Errors
 * as in xs.h; -E2BIG: the pieces are too long for a message.
 */
struct xs_question {
	struct xs_piece piece[2];
	struct xs_reply reply;
	int err;
	struct request *request; /* the client's */
};

/*
 * Put all of these requests on their way and sleep until all replies are there. That takes hardly
 * longer than one: nearly all of its time is the way to xenstored and back. It is not said in which
 * order they are served.
 */
void xs_ask(xs_tx_t tx, unsigned type, struct xs_question *q, unsigned n);
/* One request. The body goes to *@reply, or away if that is NULL. */
int xs_call(xs_tx_t tx, unsigned type, struct xs_piece first, struct xs_piece second,
	    struct xs_reply *reply);
/* The same without an answer, for what cleans up. xs_lock may be held; does not sleep. */
void xs_post(xs_tx_t tx, unsigned type, const struct xs_piece *pieces, unsigned n);
/* Look at the rings now. xs_lock held. */
void xs_pump(void);
/* xenstored does not answer, but might have been started again: worth looking from time to time. */
bool xs_suspect(void);

/* All of the client, watches too (order 5). Interrupt handlers take it. */
extern spinlock_t xs_lock;

/* watch.c; xs_lock held */
void watch_event(const char *body, size_t len);
void watch_reset_all(void);
void watch_poll_soon(void);
int watch_start(void);
struct watch_counts {
	unsigned watches;
	unsigned long events, merged, lost, stray;
};
void watch_counts(struct watch_counts *counts);

#endif
