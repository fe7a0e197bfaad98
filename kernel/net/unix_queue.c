/* SPDX-License-Identifier: MIT */
/*
 * Sockets of the Unix domain: what is sent.
 *
 * A queue is the ring of bytes that a pipe has, and a list of packets that says what they are: each
 * so many bytes, from whom, with which files. For datagrams and SOCK_SEQPACKET a packet is a
 * message. In a stream a packet is only where something else begins: bytes are added to the last
 * one if they come without files from the same sender, so a stream that is merely written and read
 * has one. A receiver gets a packet's files with its first byte, and at that byte a longer recv
 * stops, as otherwise it could not tell which bytes they belong to.
 *
 * Bounds. A queue holds no more bytes than SO_RCVBUF (nor, in a connection, the sender's
 * SO_SNDBUF), at most 64 KiB, and UNIX_PACKETS packets; then send() waits. All queues together hold
 * an eighth of memory, then send() gives ENOBUFS.
 *
 * Data moves between user memory and the ring under the queue's lock, as in a pipe. poll() does not
 * take it; it reads nr_packets and ring.used as they are, and whoever changes what poll() would say
 * wakes the watchers afterwards.
 */
#include "unix.h"

#include <proc.h>
#include <string.h>

static size_t queued; /* bytes in all queues; atomic */

static size_t room(const struct unix_sock *u)
{
	size_t used = READ_ONCE(u->ring.used);

	return used < u->limit ? u->limit - used : 0;
}

bool unix_roomy(const struct unix_sock *u)
{
	return room(u) >= UNIX_LOW_WATER && READ_ONCE(u->nr_packets) < UNIX_PACKETS;
}

void unix_set_limit(struct unix_sock *u)
{
	size_t limit = u->sock.rcvbuf;

	if (u->peer && u->sock.type != SOCK_DGRAM)
		limit = min(limit, (size_t)u->peer->sock.sndbuf);
	u->limit = limit;
}

/* ---- packets ---- */

static struct packet *packet_new(const struct sock_msg *m, struct unix_name *from)
{
	struct packet *pk = kmalloc(sizeof(*pk), ALLOC_ZERO);

	if (!pk)
		return NULL;
	list_init(&pk->link);
	pk->cred = m->cred;
	pk->from = from;
	if (from)
		__atomic_fetch_add(&from->refs, 1, __ATOMIC_RELAXED);
	return pk;
}

static void packet_free(struct packet *pk)
{
	rights_drop(pk);
	unix_name_put(pk->from);
	kfree(pk);
}

/* @pk, or NULL for the last one, has @n bytes more, which are in the ring; @u is locked. */
static void add_to_queue(struct unix_sock *u, struct packet *pk, size_t n, struct rights *r)
{
	__atomic_add_fetch(&queued, n, __ATOMIC_RELAXED);
	if (!pk) {
		list_last(&u->packets, struct packet, link)->len += n;
		return;
	}
	pk->len = n;
	list_add_tail(&u->packets, &pk->link);
	if (r)
		rights_attach(r, pk, u);
	WRITE_ONCE(u->nr_packets, u->nr_packets + 1);
}

/* The first @n bytes of the queue, in its first packet, have been read; @u is locked. A packet of
 * a stream goes with its last byte, others at once. */
static void take_from_queue(struct unix_sock *u, size_t n)
{
	struct packet *pk = list_first(&u->packets, struct packet, link);

	__atomic_sub_fetch(&queued, n, __ATOMIC_RELAXED);
	ring_take(&u->ring, n);
	pk->len -= n;
	if (pk->len)
		return;
	list_del(&pk->link);
	WRITE_ONCE(u->nr_packets, u->nr_packets - 1);
	packet_free(pk);
}

void unix_drop_packets(struct unix_sock *u)
{
	mutex_lock(&u->lock);
	while (u->nr_packets)
		take_from_queue(u, list_first(&u->packets, struct packet, link)->len);
	mutex_unlock(&u->lock);
	rights_close();
}

/* ---- sending ---- */

/* Wait until @n bytes, and a packet, fit into the queue of @to, which is locked. */
static int wait_room(struct unix_sock *to, size_t n, ktime_t deadline)
{
	size_t most = pages_total() * (PAGE_SIZE / 8);

	while (!to->closed && to->nr_packets && (room(to) < n || to->nr_packets >= UNIX_PACKETS)) {
		int err = sock_wait(&to->wr_wait, &to->lock, deadline);

		if (err)
			return err;
	}
	if (to->closed)
		return to->dead && to->sock.type == SOCK_DGRAM ? -ECONNREFUSED : -EPIPE;
	return __atomic_load_n(&queued, __ATOMIC_RELAXED) + n > most ? -ENOBUFS : 0;
}

static bool fits_last(const struct unix_sock *to, const struct sock_msg *m, const struct rights *r)
{
	const struct packet *last;

	if (r || !to->nr_packets)
		return false;
	last = list_last(&to->packets, struct packet, link);
	return !last->rights && !memcmp(&last->cred, &m->cred, sizeof(m->cred));
}

/* @n bytes into the queue of @to, which is locked and has the room; a stream's may be fewer. */
static ssize_t put(struct unix_sock *u, struct unix_sock *to, struct sock_msg *m, size_t n,
		   struct rights *r)
{
	bool stream = to->sock.type == SOCK_STREAM;
	struct packet *pk = NULL;
	ssize_t done;

	if (!stream || !fits_last(to, m, r)) {
		pk = packet_new(m, u->name);
		if (!pk)
			return -ENOMEM;
	}
	done = ring_write(&to->ring, &m->uio, n, !stream);
	if (done >= 0)
		add_to_queue(to, pk, (size_t)done, r);
	else if (pk)
		packet_free(pk);
	return done;
}

static ssize_t send_stream(struct unix_sock *u, struct unix_sock *to, struct sock_msg *m,
			   struct rights **r)
{
	size_t done = 0;
	ssize_t n = 0;

	while (m->uio.resid) {
		n = wait_room(to, min(m->uio.resid, (size_t)UNIX_LOW_WATER), m->deadline);
		if (!n)
			n = put(u, to, m, min(m->uio.resid, room(to)), *r);
		if (n < 0)
			break;
		*r = NULL;
		done += (size_t)n;
		wake_one(&to->rd_wait);
		if (m->uio.resid)
			wake_all(&to->watchers); /* before this waits for room */
	}
	return done ? (ssize_t)done : n;
}

static ssize_t send_packet(struct unix_sock *u, struct unix_sock *to, struct sock_msg *m,
			   struct rights **r)
{
	size_t n = m->uio.resid;
	ssize_t err;

	if (n > u->sock.sndbuf || n > to->sock.rcvbuf)
		return -EMSGSIZE;
	err = wait_room(to, n, m->deadline);
	if (!err)
		err = put(u, to, m, n, *r);
	if (err < 0)
		return err;
	*r = NULL;
	wake_one(&to->rd_wait);
	return (ssize_t)n;
}

/* Where a message goes, referenced. */
static int find_receiver(struct unix_sock *u, const struct sock_msg *m, struct unix_sock **out)
{
	bool dgram = u->sock.type == SOCK_DGRAM;
	struct unix_sock *to = NULL;
	int err = 0;

	if (m->addr.len && dgram)
		err = unix_find(&m->addr, SOCK_DGRAM, &to);
	if (err)
		return err;
	spin_lock(&unix_lock);
	if (!to && u->peer)
		to = unix_get(u->peer);
	if (!to)
		err = dgram ? -EDESTADDRREQ : -ENOTCONN;
	else if (m->addr.len && !dgram)
		err = -EISCONN;
	else if (dgram && to->peer && to->peer != u)
		err = -EPERM; /* it is connected, and not to us */
	spin_unlock(&unix_lock);
	if (err)
		unix_put(to);
	*out = to;
	return err;
}

ssize_t unix_send(struct socket *s, struct sock_msg *m)
{
	struct unix_sock *u = unix_of(s), *to;
	struct rights *r = NULL;
	ssize_t n;

	if (u->no_send)
		return -EPIPE;
	n = find_receiver(u, m, &to);
	if (n)
		return n;
	n = rights_make(m, &r);
	if (!n) {
		mutex_lock(&to->lock);
		n = (s->type == SOCK_STREAM ? send_stream : send_packet)(u, to, m, &r);
		mutex_unlock(&to->lock);
		wake_all(&to->watchers);
	}
	if (r)
		rights_give_back(r, m);
	if (n == -ECONNREFUSED)
		unix_disconnect(u, to);
	unix_put(to);
	return n;
}

/* ---- receiving ---- */

/* Wait until there is a packet; 1: there will be none. @u is locked. */
static int wait_packet(struct unix_sock *u, ktime_t deadline)
{
	while (!u->nr_packets) {
		int err = -__atomic_exchange_n(&u->error, 0, __ATOMIC_RELAXED);

		if (!err && u->closed)
			return 1;
		if (!err)
			err = sock_wait(&u->rd_wait, &u->lock, deadline);
		if (err) {
			/* The wake-up may have been the one that somebody else needs. */
			if (u->nr_packets)
				wake_one(&u->rd_wait);
			return err;
		}
	}
	return 0;
}

/* What comes with the data of @pk. */
static void take_meaning(struct unix_sock *u, struct packet *pk, struct sock_msg *m)
{
	if (pk->from) {
		m->addr.len = pk->from->len;
		m->addr.un = pk->from->un;
	}
	m->has_cred = u->sock.options & SO_PASSCRED;
	m->cred = pk->cred;
	if (m->no_control)
		return;
	m->nr_files = (m->flags & MSG_PEEK ? rights_peek : rights_take)(pk, m->files);
}

static ssize_t take_packet(struct unix_sock *u, struct sock_msg *m)
{
	struct packet *pk = list_first(&u->packets, struct packet, link);
	size_t n = min(m->uio.resid, pk->len);
	ssize_t done = ring_read(&u->ring, 0, &m->uio, n);

	if (done != (ssize_t)n)
		return -EFAULT;
	take_meaning(u, pk, m);
	m->length = pk->len;
	if (n < pk->len)
		m->out_flags |= MSG_TRUNC;
	if (!(m->flags & MSG_PEEK))
		take_from_queue(u, pk->len);
	return m->flags & MSG_TRUNC ? (ssize_t)m->length : done;
}

/* May the bytes of @pk follow others in the same answer? */
static bool continues(const struct unix_sock *u, const struct packet *pk, const struct sock_msg *m)
{
	return !pk->rights &&
	       (!(u->sock.options & SO_PASSCRED) || !memcmp(&pk->cred, &m->cred, sizeof(m->cred)));
}

/* As much of a stream as is there and belongs together; *@more: more may follow. @done bytes have
 * been taken before. */
static ssize_t take_bytes(struct unix_sock *u, struct sock_msg *m, size_t done, bool *more)
{
	struct packet *pk, *next;
	size_t at = 0;
	bool peek = m->flags & MSG_PEEK;

	*more = true;
	list_for_each_safe (pk, next, &u->packets, link) {
		bool rights = pk->rights;
		ssize_t n;

		if ((done || at) && !continues(u, pk, m)) {
			*more = false;
			break;
		}
		n = ring_read(&u->ring, peek ? at : 0, &m->uio, min(m->uio.resid, pk->len));
		if (n < 0 && !at)
			return n;
		if (n <= 0) {
			*more = false;
			break;
		}
		if (!(done || at))
			take_meaning(u, pk, m);
		at += (size_t)n;
		*more = !rights && m->uio.resid;
		if (!peek) {
			if (m->no_control)
				rights_drop(pk); /* go with the first byte */
			take_from_queue(u, (size_t)n);
		}
		if (!*more)
			break;
	}
	return (ssize_t)at;
}

static ssize_t recv_stream(struct unix_sock *u, struct sock_msg *m)
{
	bool more = true;
	size_t done = 0;
	ssize_t n = 0;

	while (m->uio.resid && more) {
		n = wait_packet(u, m->deadline);
		if (n)
			break; /* an error, or 1: the end */
		n = take_bytes(u, m, done, &more);
		if (n < 0)
			break;
		done += (size_t)n;
		if ((m->flags & MSG_PEEK) || !(m->flags & MSG_WAITALL))
			break;
		wake_all(&u->wr_wait);
		unix_wake_senders(u);
	}
	return done ? (ssize_t)done : n == 1 ? 0 : n;
}

static ssize_t recv_packet(struct unix_sock *u, struct sock_msg *m)
{
	int err = wait_packet(u, m->deadline);

	return err == 1 ? 0 : err ? err : take_packet(u, m);
}

ssize_t unix_recv(struct socket *s, struct sock_msg *m)
{
	struct unix_sock *u = unix_of(s);
	bool was_roomy, roomy, more;
	ssize_t n;

	m->addr.len = 0;
	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (s->type != SOCK_DGRAM && !READ_ONCE(u->peer))
		return -ENOTCONN;
	mutex_lock(&u->lock);
	was_roomy = unix_roomy(u);
	n = (s->type == SOCK_STREAM ? recv_stream : recv_packet)(u, m);
	roomy = unix_roomy(u);
	more = u->nr_packets;
	mutex_unlock(&u->lock);
	rights_close();
	if (more)
		wake_one(&u->rd_wait);
	if (!(m->flags & MSG_PEEK))
		wake_all(&u->wr_wait);
	if (roomy && !was_roomy)
		unix_wake_senders(u);
	return n;
}

size_t unix_unread(struct socket *s)
{
	struct unix_sock *u = unix_of(s);
	size_t n = 0;

	mutex_lock(&u->lock);
	if (u->nr_packets)
		n = s->type == SOCK_STREAM ? u->ring.used
					   : list_first(&u->packets, struct packet, link)->len;
	mutex_unlock(&u->lock);
	return n;
}
