/* SPDX-License-Identifier: MIT */
/*
 * The data path, as it should be: what the guest put into its rings is read once, checked, carried
 * out by grant copies between the guest's pages and the disk in our memory, and answered in one
 * batch with one event. With persistent grants, or when mappings are to be kept, pages are mapped
 * instead of copied.
 *
 * There is one thread: an event is taken, its ring emptied, the requests are held, then answered.
 * Between the last two the misbehaviour has its place (evil_before_answers).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "badblk.h"

#define REFS_MAX (1u << 20)

/* ---- the rings ---- */

static bool attach(struct backend *be, struct queue *q, const grant_ref_t *refs, unsigned n,
		   uint64_t port)
{
	xenevtchn_port_or_error_t local;
	uint32_t copy[RING_PAGES_MAX];

	memcpy(copy, refs, n * sizeof(*refs));
	q->pages = xengnttab_map_domain_grant_refs(be->gnttab, n, be->domid, copy,
						   PROT_READ | PROT_WRITE);
	if (!q->pages)
		return false;
	local = xenevtchn_bind_interdomain(be->evtchn, be->domid, port);
	if (local < 0) {
		xengnttab_unmap(be->gnttab, q->pages, n);
		return false;
	}
	q->port = local;
	q->nr_pages = n;
	q->nr_held = 0;
	q->up = true;
	BACK_RING_INIT(&q->ring, (blkif_sring_t *)q->pages, n * PAGE);
	return true;
}

static bool connect_queue(struct backend *be, struct queue *q, const char *dir)
{
	grant_ref_t refs[RING_PAGES_MAX];
	uint64_t order = 0, ref, port;
	char name[24];

	store_number(be, be->front, "ring-page-order", &order);
	if (order > be->order || !store_number(be, dir, "event-channel", &port))
		return false;
	for (unsigned i = 0; i < 1u << order; i++) {
		snprintf(name, sizeof(name), "ring-ref%u", i);
		if (!store_number(be, dir, name, &ref) &&
		    (order || !store_number(be, dir, "ring-ref", &ref)))
			return false;
		refs[i] = ref;
	}
	return attach(be, q, refs, 1u << order, port);
}

bool ring_connect(struct backend *be)
{
	uint64_t queues = 1, persistent = 0;
	char dir[160];

	store_number(be, be->front, "multi-queue-num-queues", &queues);
	if (!queues || queues > (be->queues ? be->queues : 1))
		return false;
	for (unsigned i = 0; i < queues; i++) {
		snprintf(dir, sizeof(dir), queues > 1 ? "%s/queue-%u" : "%s", be->front, i);
		if (!connect_queue(be, &be->queue[i], dir)) {
			ring_disconnect(be);
			return false;
		}
		be->nr_queues = i + 1;
	}
	store_number(be, be->front, "feature-persistent", &persistent);
	be->persistent &= persistent;
	say("connected: %u queues of %u pages, persistent %d", be->nr_queues, be->queue[0].nr_pages,
	    be->persistent);
	return true;
}

void ring_disconnect(struct backend *be)
{
	for (unsigned i = 0; i < be->nr_queues; i++) {
		struct queue *q = &be->queue[i];

		if (!q->up)
			continue;
		q->up = false;
		xenevtchn_unbind(be->evtchn, q->port);
		xengnttab_unmap(be->gnttab, q->pages, q->nr_pages);
	}
	be->nr_queues = 0;
	for (unsigned i = 0; be->mapped && i < REFS_MAX; i++) {
		if (be->mapped[i])
			xengnttab_unmap(be->gnttab, be->mapped[i], 1);
		be->mapped[i] = NULL;
	}
}

/* ---- data ---- */

/* Stays mapped until ring_disconnect(). */
void *ring_map(struct backend *be, grant_ref_t ref)
{
	if (ref >= REFS_MAX)
		return NULL;
	if (!be->mapped)
		be->mapped = calloc(REFS_MAX, sizeof(*be->mapped));
	if (!be->mapped[ref])
		be->mapped[ref] = xengnttab_map_grant_ref(be->gnttab, be->domid, ref,
							  be->read_only ? PROT_READ
									: PROT_READ | PROT_WRITE);
	return be->mapped[ref];
}

static bool move_mapped(struct backend *be, const struct blkif_request_segment *seg, uint8_t *at,
			size_t n, bool to_guest)
{
	uint8_t *page = ring_map(be, seg->gref);

	if (!page)
		return false;
	page += seg->first_sect * 512;
	memcpy(to_guest ? page : at, to_guest ? at : page, n);
	return true;
}

static void fill_copy(struct backend *be, xengnttab_grant_copy_segment_t *copy,
		      const struct blkif_request_segment *seg, uint8_t *at, size_t n, bool to_guest)
{
	union xengnttab_copy_ptr guest, here;

	memset(copy, 0, sizeof(*copy));
	guest.foreign.ref = seg->gref;
	guest.foreign.offset = seg->first_sect * 512;
	guest.foreign.domid = be->domid;
	here.virt = at;
	copy->source = to_guest ? here : guest;
	copy->dest = to_guest ? guest : here;
	copy->flags = to_guest ? GNTCOPY_dest_gref : GNTCOPY_source_gref;
	copy->len = n;
}

static int16_t transfer(struct backend *be, const struct blkif_request_segment *segs, unsigned n,
			uint64_t sector, bool to_guest)
{
	static xengnttab_grant_copy_segment_t copies[SEGMENTS_MAX];
	bool map = be->persistent || be->keep;
	uint64_t at = sector * 512;

	for (unsigned i = 0; i < n; i++) {
		size_t len;

		if (segs[i].last_sect < segs[i].first_sect || segs[i].last_sect > 7)
			return BLKIF_RSP_ERROR;
		len = (segs[i].last_sect - segs[i].first_sect + 1) * 512;
		if (sector > be->size / 512 || at + len > be->size)
			return BLKIF_RSP_ERROR;
		if (!map)
			fill_copy(be, &copies[i], &segs[i], be->disk + at, len, to_guest);
		else if (!move_mapped(be, &segs[i], be->disk + at, len, to_guest))
			return BLKIF_RSP_ERROR;
		at += len;
		be->bytes += len;
	}
	be->segments += n;
	if (!map && xengnttab_grant_copy(be->gnttab, n, copies))
		return BLKIF_RSP_ERROR;
	for (unsigned i = 0; !map && i < n; i++)
		if (copies[i].status != GNTST_okay)
			return BLKIF_RSP_ERROR;
	return BLKIF_RSP_OKAY;
}

static int16_t do_indirect(struct backend *be, const blkif_request_indirect_t *rq)
{
	static struct blkif_request_segment segs[SEGMENTS_MAX];
	const unsigned per_page = PAGE / sizeof(segs[0]);
	bool to_guest = rq->indirect_op == BLKIF_OP_READ;

	if (!rq->nr_segments || rq->nr_segments > be->indirect ||
	    (!to_guest && (rq->indirect_op != BLKIF_OP_WRITE || be->read_only)))
		return BLKIF_RSP_ERROR;
	for (unsigned i = 0; i * per_page < rq->nr_segments; i++) {
		xengnttab_grant_copy_segment_t copy;
		struct blkif_request_segment page = {.gref = rq->indirect_grefs[i]};

		fill_copy(be, &copy, &page, (uint8_t *)(segs + i * per_page), PAGE, false);
		if (xengnttab_grant_copy(be->gnttab, 1, &copy) || copy.status != GNTST_okay)
			return BLKIF_RSP_ERROR;
	}
	return transfer(be, segs, rq->nr_segments, rq->sector_number, to_guest);
}

static int16_t do_discard(struct backend *be, const blkif_request_discard_t *rq)
{
	uint64_t sectors = be->size / 512;

	if (!be->discard)
		return BLKIF_RSP_EOPNOTSUPP;
	if (rq->sector_number > sectors || rq->nr_sectors > sectors - rq->sector_number)
		return BLKIF_RSP_ERROR;
	memset(be->disk + rq->sector_number * 512, 0, rq->nr_sectors * 512);
	return BLKIF_RSP_OKAY;
}

static int16_t do_request(struct backend *be, const blkif_request_t *rq)
{
	if (be->verbose)
		say("request %llu: id %llu, op %u, sector %llu, %u segments",
		    (unsigned long long)be->requests, (unsigned long long)rq->id, rq->operation,
		    (unsigned long long)rq->sector_number, rq->nr_segments);
	switch (rq->operation) {
	case BLKIF_OP_READ:
	case BLKIF_OP_WRITE:
		if (!rq->nr_segments || rq->nr_segments > BLKIF_MAX_SEGMENTS_PER_REQUEST ||
		    (rq->operation == BLKIF_OP_WRITE && be->read_only))
			return BLKIF_RSP_ERROR;
		return transfer(be, rq->seg, rq->nr_segments, rq->sector_number,
				rq->operation == BLKIF_OP_READ);
	case BLKIF_OP_FLUSH_DISKCACHE:
		return be->flush ? BLKIF_RSP_OKAY : BLKIF_RSP_EOPNOTSUPP;
	case BLKIF_OP_DISCARD:
		return do_discard(be, (const blkif_request_discard_t *)rq);
	case BLKIF_OP_INDIRECT:
		return do_indirect(be, (const blkif_request_indirect_t *)rq);
	default:
		return BLKIF_RSP_EOPNOTSUPP;
	}
}

/* ---- requests in, responses out ---- */

void ring_put(struct backend *be, struct queue *q, uint64_t id, uint8_t op, int16_t status)
{
	blkif_response_t *rsp = RING_GET_RESPONSE(&q->ring, q->ring.rsp_prod_pvt);

	rsp->id = id;
	rsp->operation = op;
	rsp->status = status;
	q->ring.rsp_prod_pvt++;
	be->responses++;
	be->errors += status != BLKIF_RSP_OKAY;
}

void ring_push(struct backend *be, struct queue *q, bool always)
{
	int notify;

	RING_PUSH_RESPONSES_AND_CHECK_NOTIFY(&q->ring, notify);
	if (!notify && !always)
		return;
	be->sent++;
	xenevtchn_notify(be->evtchn, q->port);
}

void ring_answer(struct backend *be, struct queue *q)
{
	for (unsigned i = 0; i < q->nr_held; i++) {
		struct held *h = &q->held[i];

		if (be->reorder) {
			unsigned other = i + be_random(be) % (q->nr_held - i);
			struct held tmp = q->held[other];

			q->held[other] = *h;
			*h = tmp;
		}
		ring_put(be, q, h->id, h->op, h->status);
	}
	if (q->nr_held)
		ring_push(be, q, false);
	q->nr_held = 0;
}

/* Everything the guest has put into the ring is done, and held. false: its index is wild. */
static bool take_requests(struct backend *be, struct queue *q)
{
	RING_IDX end = q->ring.sring->req_prod;

	if (RING_REQUEST_PROD_OVERFLOW(&q->ring, end)) {
		say("the frontend's producer index is wild");
		return false;
	}
	xen_rmb();
	while (q->ring.req_cons != end && q->nr_held < RING_SIZE(&q->ring)) {
		blkif_request_t rq;
		uint8_t op;

		RING_COPY_REQUEST(&q->ring, q->ring.req_cons, &rq);
		q->ring.req_cons++;
		be->requests++;
		op = rq.operation;
		/* The answer to an indirect request names the operation inside it. */
		if (op == BLKIF_OP_INDIRECT)
			op = ((blkif_request_indirect_t *)&rq)->indirect_op;
		q->held[q->nr_held++] = (struct held){rq.id, op, do_request(be, &rq)};
	}
	return true;
}

void ring_flush(struct backend *be, struct queue *q)
{
	if (be->delay)
		usleep(be->delay * 1000);
	evil_before_answers(be, q);
	if (q->up && !be->silent)
		ring_answer(be, q);
}

void ring_serve(struct backend *be, struct queue *q)
{
	int more = 1;

	while (more && q->up && !be->silent && take_requests(be, q)) {
		if (q->nr_held >= be->hold)
			ring_flush(be, q);
		RING_FINAL_CHECK_FOR_REQUESTS(&q->ring, more);
	}
}

void ring_event(struct backend *be, evtchn_port_t port)
{
	for (unsigned i = 0; i < be->nr_queues; i++)
		if (be->queue[i].up && be->queue[i].port == port) {
			be->events++;
			ring_serve(be, &be->queue[i]);
		}
}
