/* SPDX-License-Identifier: MIT */
/*
 * The block frontend's data path: submit, kick, event, done.
 *
 *   submit   appends to the queue's `waiting` list. Nothing else: who has several submits them all.
 *   kick     makes parts of what waits until the ring, buffers or grants are used up, shows them to
 *            the backend by one index, and sends one event, if the backend sleeps.
 *   event    takes all responses there are, calls done() of the requests whose last part they
 *            were, fills the ring again and sends at most one event.
 *
 * Natively the three are a write to the controller's doorbell, its interrupt, and what the
 * interrupt handler does. A doorbell costs about a microsecond of bus; an event is a hypercall and
 * the other domain being scheduled, some hundred times as much: so everything here is about few
 * events for many requests.
 *
 * On the way to the device a request is in `waiting` until all its parts are made, in `active`
 * afterwards. A write with FUA waits a second time, for a flush of its own. When the backend goes
 * away, what is in flight waits again, from its beginning: reads and writes may be repeated.
 */
#include <mm.h>
#include <printk.h>
#include "blk.h"

/* Events in a row that brought nothing, after which the backend is taken for mad. */
#define IDLE_EVENTS_MAX 100000u

static struct blk_progress *progress(struct block_request *rq)
{
	return (struct blk_progress *)rq->driver;
}

void blk_queue_init(struct blk_queue *q, struct blk_disk *disk, unsigned nr)
{
	q->disk = disk;
	q->nr = nr;
	q->state = nr ? BLK_UNUSED : BLK_AWAY;
	spin_init(&q->lock, "blk");
	list_init(&q->waiting);
	list_init(&q->active);
}

/* The callers' done() may submit again, so no lock is held here. */
static void call_done(struct list *done)
{
	while (!list_empty(done)) {
		struct block_request *rq = list_first(done, struct block_request, link);

		list_del(&rq->link);
		rq->done(rq);
	}
}

static void finish(struct block_request *rq, struct list *done)
{
	list_del(&rq->link);
	list_add_tail(done, &rq->link);
}

/* Nothing to do for it in the ring: a flush for a device without a cache. */
static bool is_nothing(const struct blk_queue *q, struct block_request *rq)
{
	return (rq->op == BLOCK_FLUSH || progress(rq)->flushing) && !q->disk->flush_op;
}

/* Make parts of what waits while they fit, and tell the backend. Lock held. */
static void push(struct blk_queue *q, struct list *done)
{
	while (!list_empty(&q->waiting)) {
		struct block_request *rq = list_first(&q->waiting, struct block_request, link);
		struct blk_progress *p = progress(rq);

		if (is_nothing(q, rq)) {
			finish(rq, done);
			continue;
		}
		if (!p->sent && !blk_part_make(q, rq)) {
			q->counts.waits++;
			break;
		}
		if (p->sent) {
			list_del(&rq->link);
			list_add_tail(&q->active, &rq->link);
		}
	}
	if (blk_ring_push(&q->ring)) {
		q->counts.notifies++;
		evtchn_send(q->port);
	}
}

/* Which queue is this CPU's; its lock is held on return. */
static struct blk_queue *queue_lock(struct blk_disk *disk)
{
	struct blk_queue *q = &disk->queue[this_cpu()->id % READ_ONCE(disk->nr_queues)];

	spin_lock(&q->lock);
	if (q->state == BLK_UNUSED) { /* the number has changed */
		spin_unlock(&q->lock);
		q = &disk->queue[0];
		spin_lock(&q->lock);
	}
	return q;
}

static void blk_submit(struct block_device *bd, struct block_request *rq)
{
	struct blk_disk *disk = bd->private;
	struct blk_queue *q = queue_lock(disk);

	rq->status = 0;
	*progress(rq) = (struct blk_progress){0};
	if (q->state == BLK_DEAD || q->state == BLK_BROKEN) {
		rq->status = q->state == BLK_DEAD ? disk->error : -EIO;
		spin_unlock(&q->lock);
		rq->done(rq);
		return;
	}
	list_add_tail(&q->waiting, &rq->link);
	spin_unlock(&q->lock);
}

static void queue_kick(struct blk_queue *q)
{
	struct list done;

	if (list_empty(&q->waiting))
		return;
	list_init(&done);
	spin_lock(&q->lock);
	if (q->state == BLK_ONLINE && !q->draining)
		push(q, &done);
	spin_unlock(&q->lock);
	call_done(&done);
}

static void blk_kick(struct block_device *bd)
{
	struct blk_disk *disk = bd->private;

	for (unsigned i = 0; i < BLK_QUEUES_MAX; i++)
		queue_kick(&disk->queue[i]);
}

/* The toolstack may be waiting for this. */
static void blk_unused(struct block_device *bd)
{
	struct blk_disk *disk = bd->private;

	if (disk->dev->backend_state == BUS_CLOSING)
		xenbus_recheck(disk->dev);
}

static void blk_release(struct block_device *bd)
{
	kfree(bd->private);
}

const struct block_driver blk_driver = {
	.submit = blk_submit,
	.kick = blk_kick,
	.unused = blk_unused,
	.release = blk_release,
};

/* ---- responses ---- */

/* The backend offered something and now cannot do it. */
static int unsupported(struct blk_disk *disk, struct block_request *rq)
{
	struct block_device *bd = &disk->bd;

	if (rq->op == BLOCK_DISCARD) {
		bd->can_discard = false;
		return -EOPNOTSUPP;
	}
	if (rq->op != BLOCK_FLUSH && !progress(rq)->flushing)
		return -EIO;
	if (disk->flush_op)
		printk("%s: the backend does not flush after all\n", bd->name);
	disk->flush_op = 0;
	bd->can_flush = false;
	return rq->op == BLOCK_FLUSH ? -EOPNOTSUPP : 0;
}

static int status_errno(struct blk_disk *disk, struct block_request *rq, int16_t status)
{
	switch (status) {
	case BLKIF_RSP_OKAY:
		return 0;
	case BLKIF_RSP_EOPNOTSUPP:
		return unsupported(disk, rq);
	default:
		return -EIO;
	}
}

/* One of a request's parts has ended. Lock held. */
static void part_ended(struct blk_queue *q, struct block_request *rq, int err, struct list *done)
{
	struct blk_progress *p = progress(rq);

	p->parts--;
	if (err && !rq->status)
		rq->status = err;
	if (rq->status)
		p->sent = true; /* no more of it */
	if (p->parts || !p->sent)
		return;
	if (rq->op == BLOCK_WRITE && rq->fua && !p->flushing && !rq->status && q->disk->flush_op) {
		p->flushing = true;
		p->sent = false;
		list_del(&rq->link);
		list_add_tail(&q->waiting, &rq->link);
		return;
	}
	finish(rq, done);
}

/* Take all responses. Returns why the backend is not to be trusted, or NULL. Lock held. */
static const char *take_answers(struct blk_queue *q, struct list *done)
{
	struct blk_answer answer;
	int n;

	do {
		while ((n = blk_ring_take(&q->ring, &answer)) > 0) {
			struct blk_part *part = &q->parts[answer.slot];
			struct block_request *rq = part->rq;
			int err = status_errno(q->disk, rq, answer.status);

			q->counts.answers++;
			if (blk_part_end(q, part, !err))
				return "it answered, and still maps the page";
			part_ended(q, rq, err, done);
		}
	} while (n == 0 && blk_ring_sleep(&q->ring, q->disk->batch));
	return q->ring.broken;
}

void blk_queue_event(void *queue)
{
	struct blk_queue *q = queue;
	const char *why = NULL;
	uint64_t before;
	struct list done;

	list_init(&done);
	spin_lock(&q->lock);
	q->counts.events++;
	if (q->state != BLK_ONLINE) {
		spin_unlock(&q->lock);
		return;
	}
	before = q->counts.answers;
	why = take_answers(q, &done);
	if (q->counts.answers != before)
		q->idle_row = 0;
	else if (q->counts.idle_events++, ++q->idle_row > IDLE_EVENTS_MAX)
		why = "events without end and no response";
	if (why) {
		q->state = BLK_BROKEN;
		evtchn_mask(q->port);
	}
	q->draining = !why;
	spin_unlock(&q->lock);

	call_done(&done);
	if (why) {
		xenbus_broken(q->disk->dev, why);
		return;
	}
	spin_lock(&q->lock);
	q->draining = false;
	if (q->state == BLK_ONLINE)
		push(q, &done);
	spin_unlock(&q->lock);
	call_done(&done);
}

/* ---- connections come and go ---- */

void blk_queue_start(struct blk_queue *q)
{
	struct list done;

	list_init(&done);
	spin_lock(&q->lock);
	q->state = BLK_ONLINE;
	push(q, &done);
	spin_unlock(&q->lock);
	call_done(&done);
}

void blk_queue_stop(struct blk_queue *q, enum blk_state state)
{
	spin_lock(&q->lock);
	q->state = state;
	spin_unlock(&q->lock);
	if (q->port)
		evtchn_close(q->port);
	q->port = 0;
}

void blk_queue_move(struct blk_queue *from, struct blk_queue *to)
{
	struct list moving;

	list_init(&moving);
	spin_lock(&from->lock);
	while (!list_empty(&from->waiting)) {
		struct list *link = from->waiting.next;

		list_del(link);
		list_add_tail(&moving, link);
	}
	spin_unlock(&from->lock);
	spin_lock(&to->lock);
	while (!list_empty(&moving)) {
		struct list *link = moving.next;

		list_del(link);
		list_add_tail(&to->waiting, link);
	}
	spin_unlock(&to->lock);
}

/* Everything that is on the queue's lists. */
static void end_all(struct blk_queue *q, int err, struct list *done)
{
	struct block_request *rq, *next;

	list_for_each_safe (rq, next, &q->waiting, link) {
		rq->status = err;
		finish(rq, done);
	}
	list_for_each_safe (rq, next, &q->active, link) {
		rq->status = err;
		finish(rq, done);
	}
}

/* What was begun begins anew, before what has not been; the oldest first. */
static void restart_all(struct blk_queue *q)
{
	struct block_request *rq;

	while (!list_empty(&q->active)) {
		rq = list_last(&q->active, struct block_request, link);
		list_del(&rq->link);
		list_add(&q->waiting, &rq->link);
	}
	list_for_each (rq, &q->waiting, link) {
		rq->status = 0;
		*progress(rq) = (struct blk_progress){0};
	}
}

void blk_queue_reclaim(struct blk_queue *q, int err)
{
	struct list done;

	list_init(&done);
	spin_lock(&q->lock);
	for (uint32_t i = 0; q->parts && i < q->ring.size; i++) {
		struct blk_part *part = &q->parts[i];
		struct block_request *rq = part->rq;

		/* A backend that is gone and still maps the memory of a read: it may write there
		 * at any time, so this request cannot be repeated. */
		if (rq && blk_part_end(q, part, false) && !err) {
			rq->status = -EIO;
			finish(rq, &done);
		}
	}
	if (err)
		end_all(q, err, &done);
	else
		restart_all(q);
	spin_unlock(&q->lock);
	call_done(&done);
}
