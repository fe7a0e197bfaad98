/* SPDX-License-Identifier: MIT */
/*
 * Sockets of the Unix domain: files that are passed in messages (SCM_RIGHTS).
 *
 * A packet with files holds a reference to each. So a socket may be held by nothing but packets:
 * its own, or those of a second one that is held by packets of the first, and no program would ever
 * reach any of them again. rights_collect() finds these circles. A socket whose file has as many
 * references as packets that it is in is suspect. Of these references, those by packets in the
 * queues of suspects are taken off; a suspect that has some left is reachable after all, and with
 * it all that is in its queue. The rest is lost: their packets' files are closed, and the sockets
 * go with them. That is done when a Unix socket is closed, and before ETOOMANYREFS.
 *
 * Never more than IN_FLIGHT_MAX files are in packets: that bounds both the memory and the search.
 *
 * The last reference to a socket may be dropped here, whose packets' files have then to be closed,
 * and so on: that would need a stack as deep as the chain is long. So files to be closed are put on
 * one list, and whoever finds nobody at work empties it.
 */
#include "unix.h"

#include <proc.h>
#include <string.h>

#define IN_FLIGHT_MAX 1024

/* All under unix_lock. */
static struct list flying = LIST_INIT(flying); /* sockets in packets */
static struct list doomed = LIST_INIT(doomed); /* rights whose files are to be closed */
static unsigned nr_flying;                     /* files in packets */
static bool closing;

/* The Unix socket that @f is; NULL: it is none. */
static struct unix_sock *socket_in(struct file *f)
{
	struct socket *s = file_socket(f);

	return s && s->ops == &unix_ops ? unix_of(s) : NULL;
}

/* The files go into a packet (+1), or leave it (-1); unix_lock held. */
static void count_flight(struct rights *r, int by)
{
	for (unsigned i = 0; i < r->nr; i++) {
		struct unix_sock *u = socket_in(r->file[i]);

		if (!u)
			continue;
		if (!u->in_flight)
			list_add_tail(&flying, &u->flight_link);
		u->in_flight += (unsigned)by;
		if (!u->in_flight)
			list_del(&u->flight_link);
	}
	nr_flying += (unsigned)by * r->nr;
}

int rights_make(struct sock_msg *m, struct rights **out)
{
	bool full = READ_ONCE(nr_flying) + m->nr_files > IN_FLIGHT_MAX;
	struct rights *r;

	*out = NULL;
	if (!m->nr_files)
		return 0;
	if (full)
		rights_collect();
	r = kmalloc(sizeof(*r) + m->nr_files * sizeof(r->file[0]), ALLOC_ZERO);
	if (!r)
		return -ENOMEM;
	list_init(&r->link);
	r->nr = m->nr_files;
	memcpy(r->file, m->files, r->nr * sizeof(r->file[0]));
	spin_lock(&unix_lock);
	full = nr_flying + r->nr > IN_FLIGHT_MAX;
	if (!full)
		count_flight(r, 1);
	spin_unlock(&unix_lock);
	if (full) {
		kfree(r);
		return -ETOOMANYREFS;
	}
	m->nr_files = 0;
	*out = r;
	return 0;
}

void rights_attach(struct rights *r, struct packet *pk, struct unix_sock *u)
{
	spin_lock(&unix_lock);
	r->packet = pk;
	pk->rights = r;
	list_add_tail(&u->rights, &r->link);
	spin_unlock(&unix_lock);
}

/* The rights are nobody's any more; unix_lock held. */
static void detach(struct rights *r)
{
	if (r->packet)
		r->packet->rights = NULL;
	r->packet = NULL;
	list_del(&r->link);
	count_flight(r, -1);
}

unsigned rights_take(struct packet *pk, struct file **files)
{
	struct rights *r;
	unsigned n;

	spin_lock(&unix_lock);
	r = pk->rights;
	if (r)
		detach(r);
	spin_unlock(&unix_lock);
	if (!r)
		return 0;
	n = r->nr;
	memcpy(files, r->file, n * sizeof(files[0]));
	kfree(r);
	return n;
}

unsigned rights_peek(struct packet *pk, struct file **files)
{
	unsigned n = 0;

	spin_lock(&unix_lock);
	if (pk->rights)
		for (; n < pk->rights->nr; n++)
			files[n] = file_get(pk->rights->file[n]);
	spin_unlock(&unix_lock);
	return n;
}

void rights_give_back(struct rights *r, struct sock_msg *m)
{
	spin_lock(&unix_lock);
	detach(r);
	spin_unlock(&unix_lock);
	m->nr_files = r->nr;
	kfree(r);
}

/* Close what is doomed, unless somebody does so already: perhaps ourselves, further up. */
void rights_close(void)
{
	if (list_empty(&doomed))
		return;
	spin_lock(&unix_lock);
	while (!closing && !list_empty(&doomed)) {
		struct rights *r = list_first(&doomed, struct rights, link);

		list_del(&r->link);
		closing = true;
		spin_unlock(&unix_lock);
		for (unsigned i = 0; i < r->nr; i++)
			file_put(r->file[i]);
		kfree(r);
		spin_lock(&unix_lock);
		closing = false;
	}
	spin_unlock(&unix_lock);
}

void rights_drop(struct packet *pk)
{
	struct rights *r;

	spin_lock(&unix_lock);
	r = pk->rights;
	if (r) {
		detach(r);
		list_add_tail(&doomed, &r->link);
	}
	spin_unlock(&unix_lock);
}

/* ---- circles ---- */

/* @fn for each Unix socket that the packets of @u hold. */
static void each_held(struct unix_sock *u, void (*fn)(struct unix_sock *held, struct list *arg),
		      struct list *arg)
{
	struct unix_sock *n;
	struct rights *r;

	list_for_each (r, &u->rights, link)
		for (unsigned i = 0; i < r->nr; i++)
			if (socket_in(r->file[i]))
				fn(socket_in(r->file[i]), arg);
	/* Connections that nobody has accepted have packets too. */
	list_for_each (n, &u->pending, pending_link)
		each_held(n, fn, arg);
}

static void take_off(struct unix_sock *held, struct list *arg)
{
	(void)arg;
	held->outside--;
}

static void reachable(struct unix_sock *held, struct list *found)
{
	if (!held->suspect)
		return;
	held->suspect = false;
	list_add_tail(found, &held->scan_link);
}

/* All that a lost socket holds is doomed. */
static void doom_held(struct unix_sock *u)
{
	struct unix_sock *n;
	struct rights *r, *next;

	list_for_each_safe (r, next, &u->rights, link) {
		detach(r);
		list_add_tail(&doomed, &r->link);
	}
	list_for_each (n, &u->pending, pending_link)
		doom_held(n);
}

void rights_collect(void)
{
	struct list found = LIST_INIT(found), lost = LIST_INIT(lost);
	struct unix_sock *u;

	if (list_empty(&flying))
		return;
	spin_lock(&unix_lock);
	list_for_each (u, &flying, flight_link) {
		u->outside = u->in_flight;
		u->suspect = u->sock.file->refs == (int)u->in_flight;
	}
	list_for_each (u, &flying, flight_link)
		if (u->suspect)
			each_held(u, take_off, NULL);
	list_for_each (u, &flying, flight_link)
		if (u->suspect && u->outside)
			reachable(u, &found);
	while (!list_empty(&found)) {
		u = list_first(&found, struct unix_sock, scan_link);
		list_del(&u->scan_link);
		each_held(u, reachable, &found);
	}
	list_for_each (u, &flying, flight_link)
		if (u->suspect)
			list_add_tail(&lost, &u->scan_link);
	/* Doomed files keep their references until they are closed. */
	while (!list_empty(&lost)) {
		u = list_first(&lost, struct unix_sock, scan_link);
		list_del(&u->scan_link);
		doom_held(u);
	}
	spin_unlock(&unix_lock);
	rights_close();
}
