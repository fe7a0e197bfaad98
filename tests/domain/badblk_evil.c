/* SPDX-License-Identifier: MIT */
/*
 * What a backend can do wrong with a ring, an event channel, a grant and its state. Each is done
 * once, when a given number of requests has been read, just before they are answered: so the guest
 * has requests in flight at that moment, and the ring is as full as it gets.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "badblk.h"

static uint64_t some_id(struct backend *be, struct queue *q)
{
	return q->nr_held ? q->held[be_random(be) % q->nr_held].id : 0;
}

/* One of those held is answered with something else; the rest as they should be. */
static struct held *victim(struct backend *be, struct queue *q)
{
	return q->nr_held ? &q->held[be_random(be) % q->nr_held] : NULL;
}

static void id_range(struct backend *be, struct queue *q, uint64_t arg)
{
	static const uint64_t ids[] = {1u << 20, 0xffff, 1ull << 32, 1ull << 63, ~0ull};
	struct held *h = victim(be, q);

	if (h)
		h->id = arg ? arg : ids[be_random(be) % 5];
}

static void id_unused(struct backend *be, struct queue *q, uint64_t arg)
{
	struct held *h = victim(be, q);
	uint64_t id = 0;

	(void)arg;
	if (!h)
		return;
	for (unsigned i = 0; i < q->nr_held; i++)
		if (q->held[i].id == id) {
			id++;
			i = -1u;
		}
	h->id = id;
}

static void twice(struct backend *be, struct queue *q, uint64_t arg)
{
	(void)arg;
	if (q->nr_held > 1)
		q->held[1].id = q->held[0].id;
	else
		ring_put(be, q, some_id(be, q), BLKIF_OP_READ, BLKIF_RSP_OKAY);
}

/* The producer index alone, by @arg; as a difference, so 2^32 - 5 is backwards. */
static void producer(struct backend *be, struct queue *q, uint64_t arg)
{
	ring_answer(be, q);
	xen_wmb();
	q->ring.sring->rsp_prod += (uint32_t)(arg ? arg : 1);
	/* Another answer would put it right again, perhaps before the guest has looked. */
	be->silent = true;
	xenevtchn_notify(be->evtchn, q->port);
}

static void prod_forward(struct backend *be, struct queue *q, uint64_t arg)
{
	producer(be, q, arg ? arg : 1u << 31);
}

static void prod_back(struct backend *be, struct queue *q, uint64_t arg)
{
	producer(be, q, -(arg ? arg : 5));
}

static void operation(struct backend *be, struct queue *q, uint64_t arg)
{
	struct held *h = victim(be, q);

	if (h)
		h->op = arg ? arg : 0x7f;
}

static void status(struct backend *be, struct queue *q, uint64_t arg)
{
	struct held *h = victim(be, q);

	if (h)
		h->status = arg ? (int16_t)arg : 17;
}

static void error(struct backend *be, struct queue *q, uint64_t arg)
{
	(void)be, (void)arg;
	for (unsigned i = 0; i < q->nr_held; i++)
		q->held[i].status = BLKIF_RSP_ERROR;
}

static void unsupported(struct backend *be, struct queue *q, uint64_t arg)
{
	(void)be, (void)arg;
	for (unsigned i = 0; i < q->nr_held; i++)
		q->held[i].status = BLKIF_RSP_EOPNOTSUPP;
}

/* The whole of the shared pages, as the guest sees them from then on; with events in between. */
static void scribble(struct backend *be, struct queue *q, uint64_t arg)
{
	uint8_t *page = q->pages;

	for (uint64_t round = arg ? arg : 20; round && q->up; round--) {
		for (unsigned i = 0; i < q->nr_pages * PAGE; i++)
			page[i] = be_random(be);
		xenevtchn_notify(be->evtchn, q->port);
		usleep(2000);
	}
}

static void indices(struct backend *be, struct queue *q, uint64_t arg)
{
	for (uint64_t round = arg ? arg : 20; round && q->up; round--) {
		q->ring.sring->rsp_prod += be_random(be) % 64 - 16;
		q->ring.sring->req_event = be_random(be);
		q->ring.sring->rsp_event = be_random(be);
		q->ring.sring->req_prod = be_random(be);
		xenevtchn_notify(be->evtchn, q->port);
		usleep(2000);
	}
}

static void silent(struct backend *be, struct queue *q, uint64_t arg)
{
	(void)q, (void)arg;
	be->silent = true;
}

static void storm(struct backend *be, struct queue *q, uint64_t arg)
{
	(void)q;
	be->storm_until = now_ms() + (arg ? arg : 2000);
}

static void set_state(struct backend *be, struct queue *q, uint64_t arg)
{
	char text[24];

	(void)q;
	snprintf(text, sizeof(text), "%lld", (long long)arg);
	be->silent = true;
	be->stay_closed = true;
	store_state(be, text);
}

static void closing(struct backend *be, struct queue *q, uint64_t arg)
{
	(void)q, (void)arg;
	be->silent = true;
	store_set_state(be, XenbusStateClosing);
}

static void vanish(struct backend *be, struct queue *q, uint64_t arg)
{
	(void)q, (void)arg;
	be->silent = true;
	store_remove(be, true, false);
}

static void unplug(struct backend *be, struct queue *q, uint64_t arg)
{
	(void)q, (void)arg;
	be->silent = true;
	store_remove(be, true, true);
}

static void late(struct backend *be, struct queue *q, uint64_t arg)
{
	(void)q;
	be->keep = be->silent = be->stay_closed = true;
	be->late_at = now_ms() + (arg ? arg : 700);
	store_set_state(be, XenbusStateClosed);
}

/* What was in flight and what comes later is mapped, and stays so. */
static void keep(struct backend *be, struct queue *q, uint64_t arg)
{
	(void)q, (void)arg;
	be->keep = true;
}

static void leave(struct backend *be, struct queue *q, uint64_t arg)
{
	(void)be, (void)q, (void)arg;
	say("exit in the middle");
	_exit(0);
}

static void resize(struct backend *be, struct queue *q, uint64_t arg)
{
	char path[160], text[24];

	(void)q;
	snprintf(path, sizeof(path), "%s/sectors", be->dir);
	snprintf(text, sizeof(text), "%llu", (unsigned long long)arg);
	xs_write(be->xs, XBT_NULL, path, text, strlen(text));
	store_set_state(be, XenbusStateConnected);
}

static const struct evil_kind kinds[] = {
	{"id-range", id_range, "an answer with an id beyond the ring"},
	{"id-unused", id_unused, "an answer to a request that is not in flight"},
	{"twice", twice, "one request answered twice"},
	{"prod-over", producer, "the producer index one too far (=N: by N)"},
	{"prod-forward", prod_forward, "the producer index 2^31 ahead"},
	{"prod-back", prod_back, "the producer index 5 back"},
	{"operation", operation, "another operation in an answer"},
	{"status", status, "a status that does not exist (=N)"},
	{"error", error, "errors, as a real disk may have"},
	{"unsupported", unsupported, "answers that the operation is not supported"},
	{"scribble", scribble, "random bytes all over the ring (=rounds)"},
	{"indices", indices, "random indices in the ring (=rounds)"},
	{"silent", silent, "no answer, for ever"},
	{"storm", storm, "events without end (=ms)"},
	{"state", set_state, "a state out of order (=N), then no answer"},
	{"close", closing, "Closing in the middle of requests"},
	{"vanish", vanish, "its directory goes, in the middle of requests"},
	{"unplug", unplug, "both directories go, in the middle of requests"},
	{"late", late, "Closed, and then answers (=ms later)"},
	{"keep", keep, "grants stay mapped, after Closed too"},
	{"exit", leave, "the backend process dies"},
	{"resize", resize, "another size while in use (=sectors)"},
};
#define NR_KINDS (sizeof(kinds) / sizeof(kinds[0]))

void evil_list(void)
{
	for (unsigned i = 0; i < NR_KINDS; i++)
		printf("  %-14s %s\n", kinds[i].name, kinds[i].what);
}

bool evil_add(struct backend *be, const char *text)
{
	const char *arg = strchr(text, '='), *at = strchr(text, '@');
	size_t len = strcspn(text, "=@");
	struct evil *e = &be->evil[be->nr_evil];

	for (unsigned i = 0; i < NR_KINDS && be->nr_evil < EVILS_MAX; i++) {
		if (strlen(kinds[i].name) != len || memcmp(kinds[i].name, text, len))
			continue;
		*e = (struct evil){&kinds[i], .at = at ? strtoull(at + 1, NULL, 0) : 1,
				   .arg = arg ? strtoull(arg + 1, NULL, 0) : 0};
		be->nr_evil++;
		return true;
	}
	return false;
}

static void act(struct backend *be, struct queue *q, struct evil *e)
{
	e->done = true;
	say("evil %s with %u requests in flight", e->kind->name, q->nr_held);
	e->kind->act(be, q, e->arg);
}

void evil_before_answers(struct backend *be, struct queue *q)
{
	for (unsigned i = 0; i < be->nr_evil && q->up; i++)
		if (!be->evil[i].done && be->evil[i].at && be->requests >= be->evil[i].at)
			act(be, q, &be->evil[i]);
}

void evil_connected(struct backend *be)
{
	for (unsigned i = 0; i < be->nr_evil; i++)
		if (!be->evil[i].at)
			act(be, &be->queue[0], &be->evil[i]);
}

/* The next of the states that were asked for; they are separated by commas. */
static void next_state(struct backend *be)
{
	char text[64];
	size_t len = strcspn(be->states, ",");

	snprintf(text, sizeof(text), "%.*s", (int)len, be->states);
	be->states += len + (be->states[len] == ',');
	store_state(be, text);
}

int evil_timer(struct backend *be)
{
	static uint64_t next_at;
	uint64_t now = now_ms();
	struct queue *q = &be->queue[0];

	if (be->storm_until && q->up && now < be->storm_until) {
		for (unsigned i = 0; i < 5000; i++)
			xenevtchn_notify(be->evtchn, q->port);
		return 0;
	}
	if (be->late_at && q->up && now >= be->late_at) {
		say("late answers: %u", q->nr_held);
		be->late_at = 0;
		ring_answer(be, q);
		xenevtchn_notify(be->evtchn, q->port);
	}
	if (be->states && *be->states) {
		if (now >= next_at) {
			next_state(be);
			next_at = now + be->step;
		}
		return be->step;
	}
	for (unsigned i = 0; i < be->nr_queues && be->hold > 1 && !be->silent; i++)
		if (be->queue[i].nr_held)
			ring_flush(be, &be->queue[i]);
	return be->late_at || be->hold > 1 ? 20 : -1;
}
