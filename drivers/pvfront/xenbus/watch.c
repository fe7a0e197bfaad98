/* SPDX-License-Identifier: MIT */
/*
 * Watches: xenstored says what has changed, without being asked.
 *
 * An event is a path and the token that the watch was set with; ours are numbers. The interrupt
 * handler notes it with its watch, and one kernel thread calls the functions, so that they may
 * sleep and ask xenstored in their turn, and never run beside each other.
 *
 * Events come as fast as somebody else writes, and memory does not. But nobody counts events: a
 * watch says "look again". So a path that waits already is not noted twice, and of more than
 * EVENTS_MAX different paths only that there were more is kept, as one call with the watch's own
 * path. What is never lost is that something has changed since the last call began.
 */
#include <mm.h>
#include <printk.h>
#include <proc.h>
#include <string.h>
#include "client.h"

#define EVENTS_MAX 16
#define POLL_SPAN NSEC_PER_SEC

struct event {
	struct list link;
	char path[];
};

static struct list watches = LIST_INIT(watches);
static struct waitq work = WAITQ(work);   /* the thread waits for events */
static struct waitq ended = WAITQ(ended); /* xs_unwatch() waits for the function */
static struct thread *watch_thread;
static struct xs_watch *running; /* its function is being called */
static unsigned last_token;
static struct watch_counts counts;

static struct xs_watch *watch_find(const char *token)
{
	struct xs_watch *w;
	uint64_t number;

	if (wire_number(token, strlen(token), 1, UINT32_MAX, &number))
		return NULL;
	list_for_each (w, &watches, link)
		if (w->token == number)
			return w;
	return NULL;
}

static void note(struct xs_watch *w, const char *path, size_t len)
{
	struct event *e;

	list_for_each (e, &w->events, link)
		if (strcmp(e->path, path) == 0) {
			counts.merged++;
			return;
		}
	e = w->nr_events < EVENTS_MAX ? kmalloc(sizeof(*e) + len + 1, ALLOC_ATOMIC) : NULL;
	if (!e) {
		counts.lost++;
		w->lost = true;
		return;
	}
	memcpy(e->path, path, len + 1);
	list_add_tail(&w->events, &e->link);
	w->nr_events++;
}

void watch_event(const char *body, size_t len)
{
	struct xs_watch *w = NULL;

	counts.events++;
	if (wire_strings(body, len) == 2)
		w = watch_find(body + strlen(body) + 1);
	if (!w) {
		counts.stray++;
		return;
	}
	note(w, body, strlen(body));
	waitq_wake_all(&work);
}

void watch_counts(struct watch_counts *out)
{
	struct xs_watch *w;

	counts.watches = 0;
	list_for_each (w, &watches, link)
		counts.watches++;
	*out = counts;
}

void watch_reset_all(void)
{
	struct xs_watch *w;

	list_for_each (w, &watches, link)
		w->reset = true;
	waitq_wake_all(&work);
}

void watch_poll_soon(void)
{
	waitq_wake_all(&work);
}

/* A watch that has something to be done, moved behind the others so that each has its turn. */
static struct xs_watch *next_watch(void)
{
	struct xs_watch *w;

	list_for_each (w, &watches, link)
		if (w->reset || w->lost || w->nr_events) {
			list_del(&w->link);
			list_add_tail(&watches, &w->link);
			return w;
		}
	return NULL;
}

static struct event *next_event(struct xs_watch *w)
{
	struct event *e;

	if (!w->nr_events)
		return NULL;
	e = list_first(&w->events, struct event, link);
	list_del(&e->link);
	w->nr_events--;
	return e;
}

static int watch_send(struct xs_watch *w)
{
	char token[12];
	int err;

	snprintk(token, sizeof(token), "%u", w->token);
	err = xs_call(XS_NO_TX, XS_WATCH, XS_TEXT0(w->path), XS_TEXT0(token), NULL);
	/* A token is used once: if xenstored has it, it is this one's. */
	return err == -EEXIST ? 0 : err;
}

static void watch_unsend(const char *path, unsigned number)
{
	char token[12];

	snprintk(token, sizeof(token), "%u", number);
	xs_post(XS_NO_TX, XS_UNWATCH, (struct xs_piece[]){XS_TEXT0(path), XS_TEXT0(token)}, 2);
}

/* One call of one watch's function, or the watch set anew. xs_lock is dropped meanwhile. */
static void watch_serve(struct xs_watch *w)
{
	bool reset = w->reset, failed = false;
	struct event *e = reset ? NULL : next_event(w);

	w->reset = false;
	/* With "there were more" set, nothing but that is left to say behind the last event. */
	if (!reset && !e)
		w->lost = false;
	running = w;
	spin_unlock(&xs_lock);
	if (reset)
		failed = watch_send(w) != 0;
	else
		w->fn(w, e ? e->path : w->path);
	kfree(e);
	spin_lock(&xs_lock);
	/* After its own xs_unwatch() *w is not there any more, but then it is not to be reset. */
	if (failed && !list_empty(&w->link))
		w->reset = true;
	running = NULL;
	waitq_wake_all(&ended);
	if (failed)
		sleep_on(&work, &xs_lock, 0, clock_now() + POLL_SPAN);
}

static void watch_main(void *unused)
{
	(void)unused;
	spin_lock(&xs_lock);
	for (;;) {
		struct xs_watch *w = next_watch();
		ktime_t until = xs_suspect() ? clock_now() + POLL_SPAN : KTIME_NEVER;

		if (w)
			watch_serve(w);
		else if (sleep_on(&work, &xs_lock, 0, until) == -ETIMEDOUT)
			xs_pump();
	}
}

int watch_start(void)
{
	watch_thread = kthread_create("xenwatch", watch_main, NULL);
	return watch_thread ? 0 : -ENOMEM;
}

/* Off the list; xs_lock held. */
static void watch_forget(struct xs_watch *w)
{
	list_del(&w->link);
	w->lost = w->reset = false;
	while (w->nr_events)
		kfree(next_event(w));
	while (running == w && current != watch_thread)
		sleep_on(&ended, &xs_lock, 0, KTIME_NEVER);
}

int xs_watch(struct xs_watch *w)
{
	int err = w->path[0] == '@' ? 0 : wire_path(w->path);

	if (err)
		return err;
	list_init(&w->events);
	w->nr_events = 0;
	w->lost = w->reset = false;
	/* The first event may come before the reply. */
	spin_lock(&xs_lock);
	if (!++last_token)
		last_token = 1;
	w->token = last_token;
	list_add_tail(&watches, &w->link);
	spin_unlock(&xs_lock);
	err = watch_send(w);
	if (!err)
		return 0;
	spin_lock(&xs_lock);
	watch_forget(w);
	spin_unlock(&xs_lock);
	if (err == -ETIMEDOUT)
		watch_unsend(w->path, w->token);
	return err;
}

void xs_unwatch(struct xs_watch *w)
{
	spin_lock(&xs_lock);
	watch_forget(w);
	spin_unlock(&xs_lock);
	watch_unsend(w->path, w->token);
}
