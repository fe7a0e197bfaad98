/* SPDX-License-Identifier: MIT */
/*
 * The xenstore client: the connection.
 *
 * Natively, firmware tables and configuration space say what hardware there is, and they do not
 * change while one reads. Under Xen it is a conversation: a request goes into one ring, an event
 * tells xenstored, the reply comes out of the other ring with an event for us. What makes the
 * conversation a client's work:
 *
 * - Many threads talk at once over one pair of rings. A request has a number; its reply is known by
 *   it. The number is never used again, so a reply that comes after its time-out finds nobody and
 *   is dropped.
 * - A message can be longer than the ring. A request lies in memory, with a count of what has gone;
 *   whoever holds the lock pushes on, the asking thread first, later the event handler when
 *   xenstored has made room. A request once begun is always finished, even if its thread has given
 *   up waiting: else everything behind it would be read as its rest.
 * - The handler does all this itself, in the interrupt. It copies at most about a ring's length at
 *   a time, and it saves the switch to a reader thread and from there to the asking one: half the
 *   time of a request.
 * - xenstored can be started anew, and the connection be made afresh. The sign is that our own
 *   indexes in the page are not what we wrote. What was asked outside of transactions is asked
 *   again (all requests may be repeated); transactions are over: -EAGAIN, which their users know
 *   how to deal with; watches are set anew by the watch thread (watch.c).
 * - A connection on which nonsense came is broken: nobody can tell where the next message begins.
 *   If the server can reconnect it is asked to, otherwise every call fails with -EIO until the
 *   server resets the rings by itself.
 */
#include <hv.h>
#include <mm.h>
#include <printk.h>
#include <proc.h>
#include <string.h>
#include "client.h"

/* Numbers of requests that nobody waits for have this bit. */
#define POSTED 0x80000000u
#define COMPLAINTS 8 /* lines on the console about a broken connection */

enum link_state { LINK_NONE, LINK_UP, LINK_RECONNECTING, LINK_BROKEN };

struct request {
	struct list link; /* in `queue` until all of it is in the ring, then in `waiting` */
	struct waitq wait;
	bool done;
	bool abandoned; /* nobody waits: freed when it has gone out */
	int err;
	struct xs_reply reply;
	size_t sent, size;
	struct { /* as on the wire */
		struct xsd_sockmsg head;
		char body[];
	} msg;
};

spinlock_t xs_lock = SPINLOCK("xenstore");

static struct {
	enum link_state state;
	struct xenstore_domain_interface *page;
	unsigned port;
	struct wire_ring out, in;
	struct wire_message message;
	struct list queue, waiting;
	unsigned last_id;
	bool suspect;
	unsigned in_flight, complaints;
	/* for /proc */
	unsigned max_in_flight;
	unsigned long requests, replies, errors, time_outs, late, nonsense, resets, notifications;
} c = {.queue = LIST_INIT(c.queue), .waiting = LIST_INIT(c.waiting)};

static void notify(void)
{
	c.notifications++;
	evtchn_send(c.port);
}

static uint32_t server_features(void)
{
	return READ_ONCE(c.page->server_features);
}

static void request_done(struct request *r, int err)
{
	list_del(&r->link);
	if (r->abandoned) {
		kfree(r);
		return;
	}
	c.in_flight--;
	r->err = err;
	r->done = true;
	waitq_wake_all(&r->wait);
}

static void fail_all(int err)
{
	while (!list_empty(&c.waiting))
		request_done(list_first(&c.waiting, struct request, link), err);
	while (!list_empty(&c.queue))
		request_done(list_first(&c.queue, struct request, link), err);
}

static void link_broken(const char *why)
{
	c.nonsense++;
	if (c.complaints++ < COMPLAINTS)
		printk("xenstore: connection broken: %s\n", why);
	if (server_features() & XENSTORE_SERVER_FEATURE_RECONNECTION) {
		c.state = LINK_RECONNECTING;
		WRITE_ONCE(c.page->connection, XENSTORE_RECONNECT);
		notify();
		return;
	}
	c.state = LINK_BROKEN;
	/* Whatever the indexes were: when the server resets them, it can be seen. */
	wire_spoil(&c.out);
	wire_spoil(&c.in);
	fail_all(-EIO);
}

static unsigned new_id(unsigned kind)
{
	if (++c.last_id >= POSTED)
		c.last_id = 1;
	return c.last_id | kind;
}

/* Ask again on the fresh connection, or tell that there is nothing to go on with. */
static void ask_again(struct request *r)
{
	if (r->abandoned || r->msg.head.tx_id) {
		request_done(r, -EAGAIN);
		return;
	}
	list_del(&r->link);
	list_add_tail(&c.queue, &r->link);
	r->sent = 0;
	r->msg.head.req_id = new_id(0);
}

static void link_restart(void)
{
	struct request *r;
	struct list old;

	wire_attach(&c.out, &c.in, c.page);
	c.message.got = 0;
	c.state = LINK_UP;
	c.suspect = false;
	c.resets++;
	/* In the order in which they were asked: first those on their way, then the others. */
	list_init(&old);
	while (!list_empty(&c.waiting)) {
		r = list_first(&c.waiting, struct request, link);
		list_del(&r->link);
		list_add_tail(&old, &r->link);
	}
	while (!list_empty(&c.queue)) {
		r = list_first(&c.queue, struct request, link);
		list_del(&r->link);
		list_add_tail(&old, &r->link);
	}
	while (!list_empty(&old))
		ask_again(list_first(&old, struct request, link));
	watch_reset_all();
}

/* The reply's body, for the thread that waits. */
static int take_body(struct request *r, const struct wire_message *m)
{
	if (m->head.type == XS_ERROR) {
		c.errors++;
		return wire_error(m->body, m->head.len);
	}
	if (m->head.type != r->msg.head.type || m->head.tx_id != r->msg.head.tx_id) {
		c.nonsense++;
		return -EIO;
	}
	r->reply.body = kmalloc(m->head.len + 1, ALLOC_ATOMIC);
	if (!r->reply.body)
		return -ENOMEM;
	r->reply.len = m->head.len;
	memcpy(r->reply.body, m->body, m->head.len + 1);
	return 0;
}

/* A reply that nobody waits for any more. A transaction that it opens would stay for ever. */
static void late_reply(const struct wire_message *m)
{
	uint64_t tx;

	if (m->head.req_id & POSTED)
		return;
	c.late++;
	if (m->head.type == XS_TRANSACTION_START &&
	    !wire_number(m->body, strlen(m->body), 1, UINT32_MAX, &tx))
		xs_post(tx, XS_TRANSACTION_END, &XS_TEXT0("F"), 1);
}

static void dispatch(const struct wire_message *m)
{
	struct request *r;

	c.suspect = false;
	if (m->head.type == XS_WATCH_EVENT) {
		watch_event(m->body, m->head.len);
		return;
	}
	c.replies++;
	list_for_each (r, &c.waiting, link)
		if (r->msg.head.req_id == m->head.req_id) {
			request_done(r, take_body(r, m));
			return;
		}
	late_reply(m);
}

static void pump_in(void)
{
	uint32_t start = c.in.at;
	size_t taken = 0;
	int got;

	/* What xenstored adds while we read has an event of its own. */
	while (taken <= XENSTORE_RING_SIZE && (got = wire_receive(&c.message, &c.in, &taken)) == 1)
		dispatch(&c.message);
	count_add(store_in, taken);
	if (taken <= XENSTORE_RING_SIZE && got < 0) {
		link_broken("what xenstored sent makes no sense");
		return;
	}
	/* It waits for room only if it has seen a full ring: look after our index is out. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (taken && *c.in.peer - start >= XENSTORE_RING_SIZE)
		notify();
}

static void pump_out(void)
{
	bool moved = false;
	ssize_t n = 0;

	while (!list_empty(&c.queue)) {
		struct request *r = list_first(&c.queue, struct request, link);

		n = wire_put(&c.out, (char *)&r->msg + r->sent, r->size - r->sent);
		if (n <= 0)
			break;
		moved = true;
		count_add(store_out, n);
		r->sent += n;
		if (r->sent < r->size)
			continue;
		list_del(&r->link);
		if (r->abandoned)
			kfree(r);
		else
			list_add_tail(&c.waiting, &r->link);
	}
	if (n < 0)
		link_broken("xenstored's index of requests makes no sense");
	else if (moved)
		notify();
}

/* Has the other side begun anew? Then all four indexes must make sense before we follow. */
static bool link_moved(void)
{
	struct wire_ring out, in;

	if (!wire_moved(&c.out) && !wire_moved(&c.in))
		return false;
	wire_attach(&out, &in, c.page);
	return out.at - *out.peer <= XENSTORE_RING_SIZE && *in.peer - in.at <= XENSTORE_RING_SIZE;
}

void xs_pump(void)
{
	bool reconnected = c.state == LINK_RECONNECTING &&
			   READ_ONCE(c.page->connection) == XENSTORE_CONNECTED;

	if (c.state == LINK_NONE || (c.state == LINK_RECONNECTING && !reconnected))
		return;
	if (reconnected || link_moved())
		link_restart();
	if (c.state != LINK_UP)
		return;
	if ((server_features() & XENSTORE_SERVER_FEATURE_ERROR) && READ_ONCE(c.page->error)) {
		link_broken("xenstored has given it up");
		return;
	}
	pump_in();
	if (c.state == LINK_UP)
		pump_out();
}

static void store_event(void *unused)
{
	(void)unused;
	spin_lock(&xs_lock);
	xs_pump();
	spin_unlock(&xs_lock);
}

static struct request *request_new(xs_tx_t tx, unsigned type, const struct xs_piece *pieces,
				   unsigned n, unsigned flags)
{
	struct request *r;
	size_t len = 0;

	for (unsigned i = 0; i < n; i++)
		len += pieces[i].len;
	r = kmalloc(sizeof(*r) + len, flags);
	if (!r)
		return NULL;
	memset(r, 0, sizeof(*r));
	list_init(&r->link);
	waitq_init(&r->wait);
	r->size = sizeof(r->msg.head) + len;
	r->msg.head = (struct xsd_sockmsg){.type = type, .tx_id = tx, .len = len};
	len = 0;
	for (unsigned i = 0; i < n; i++) {
		if (pieces[i].len)
			memcpy(r->msg.body + len, pieces[i].data, pieces[i].len);
		len += pieces[i].len;
	}
	return r;
}

/* xs_lock is held and the time is over. Frees @r now or when the rest of it has gone out. */
static void give_up(struct request *r)
{
	c.time_outs++;
	c.in_flight--;
	c.suspect = true;
	watch_poll_soon();
	r->abandoned = true;
	if (r->sent && r->sent < r->size)
		return;
	list_del(&r->link);
	kfree(r);
}

/* xs_lock is held. */
static void request_queue(struct request *r)
{
	c.requests++;
	c.max_in_flight = max(c.max_in_flight, ++c.in_flight);
	r->msg.head.req_id = new_id(0);
	list_add_tail(&c.queue, &r->link);
}

/* Sleep until @r is answered. Its result; @r is freed. xs_lock is held. */
static int request_wait(struct request *r, ktime_t deadline, struct xs_reply *reply)
{
	int err = 0;

	while (!r->done && err != -ETIMEDOUT)
		err = sleep_on(&r->wait, &xs_lock, 0, deadline);
	if (!r->done) {
		give_up(r);
		return -ETIMEDOUT;
	}
	err = r->err;
	if (err)
		kfree(r->reply.body);
	else
		*reply = r->reply;
	kfree(r);
	return err;
}

static int too_long(const struct xs_piece *pieces, unsigned n)
{
	size_t len = 0;

	for (unsigned i = 0; i < n; i++) {
		if (pieces[i].len > XS_PAYLOAD_MAX - len)
			return -E2BIG;
		len += pieces[i].len;
	}
	return 0;
}

void xs_ask(xs_tx_t tx, unsigned type, struct xs_question *q, unsigned n)
{
	ktime_t deadline = clock_now() + (c.suspect ? XS_TIMEOUT_SILENT : XS_TIMEOUT);

	for (unsigned i = 0; i < n; i++) {
		q[i].request = NULL;
		q[i].err = c.state == LINK_NONE ? -ENODEV : too_long(q[i].piece, 2);
		if (q[i].err)
			continue;
		q[i].request = request_new(tx, type, q[i].piece, 2, 0);
		if (!q[i].request)
			q[i].err = -ENOMEM;
	}
	spin_lock(&xs_lock);
	for (unsigned i = 0; i < n; i++)
		if (q[i].request)
			request_queue(q[i].request);
	xs_pump();
	if (c.state == LINK_BROKEN)
		fail_all(-EIO);
	for (unsigned i = 0; i < n; i++)
		if (q[i].request)
			q[i].err = request_wait(q[i].request, deadline, &q[i].reply);
	spin_unlock(&xs_lock);
}

int xs_call(xs_tx_t tx, unsigned type, struct xs_piece first, struct xs_piece second,
	    struct xs_reply *reply)
{
	struct xs_question q = {.piece = {first, second}};

	xs_ask(tx, type, &q, 1);
	if (reply)
		*reply = q.reply;
	else
		kfree(q.reply.body);
	return q.err;
}

void xs_post(xs_tx_t tx, unsigned type, const struct xs_piece *pieces, unsigned n)
{
	bool locked = spin_held(&xs_lock);
	struct request *r = request_new(tx, type, pieces, n, ALLOC_ATOMIC);

	if (!r)
		return;
	r->abandoned = true;
	if (!locked)
		spin_lock(&xs_lock);
	if (c.state == LINK_UP) {
		r->msg.head.req_id = new_id(POSTED);
		list_add_tail(&c.queue, &r->link);
		if (!locked)
			xs_pump();
	} else {
		kfree(r);
	}
	if (!locked)
		spin_unlock(&xs_lock);
}

bool xs_suspect(void)
{
	return c.suspect;
}

bool xs_running(void)
{
	return c.state != LINK_NONE;
}

int xs_start(void)
{
	struct hv_channel channel = hv_store_channel();
	int err;

	if (!channel.page)
		return -ENODEV;
	c.page = channel.page;
	c.port = channel.port;
	wire_attach(&c.out, &c.in, c.page);
	err = evtchn_bind_handler(c.port, store_event, NULL, "xenstore");
	if (err < 0)
		return err;
	spin_lock(&xs_lock);
	c.state = LINK_UP;
	/* Somebody before us has asked for a new connection, and it is not there yet. */
	if ((server_features() & XENSTORE_SERVER_FEATURE_RECONNECTION) &&
	    READ_ONCE(c.page->connection) == XENSTORE_RECONNECT)
		c.state = LINK_RECONNECTING;
	xs_pump();
	spin_unlock(&xs_lock);
	return watch_start();
}

size_t xs_describe(char *buf, size_t size)
{
	static const char *const states[] = {"none", "up", "reconnecting", "broken"};
	struct watch_counts w;
	size_t len;

	spin_lock(&xs_lock);
	watch_counts(&w);
	len = snprintk(buf, size,
		       "connection %s\nfeatures %#x\nrequests %lu\nreplies %lu\nerrors %lu\n"
		       "time-outs %lu\nlate %lu\nnonsense %lu\nresets %lu\nnotifications %lu\n"
		       "in-flight %u\nmax-in-flight %u\n",
		       states[c.state], c.page ? server_features() : 0, c.requests, c.replies,
		       c.errors, c.time_outs, c.late, c.nonsense, c.resets, c.notifications,
		       c.in_flight, c.max_in_flight);
	len += snprintk(buf + len, size - len,
			"watches %u\nevents %lu\nmerged %lu\nlost %lu\nstray %lu\n", w.watches,
			w.events, w.merged, w.lost, w.stray);
	spin_unlock(&xs_lock);
	return len;
}
