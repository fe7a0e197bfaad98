/* SPDX-License-Identifier: MIT */
/*
 * Sockets of the Unix domain: names and connections.
 *
 *   client.peer --> server side's queue        server side.peer --> client's queue
 *
 * Each socket has one queue, for what comes in; to send is to put into the peer's. All that a
 * sender or a reader may wait for is state of that one queue, changed under its lock: it has data,
 * it has room, it is closed. So shutdown() closes queues: SHUT_RD one's own, SHUT_WR that of the
 * peer of a connection, and close() both; a reader finds the end behind the last byte, a sender
 * EPIPE. A datagram socket's peer is only where send() goes without an address.
 *
 * connect() makes the server's side itself and puts it into the listening socket's list, so it need
 * not wait for accept(). A name is a vnode of type S_IFSOCK; while the socket lives, vn->pipe leads
 * to it; afterwards the name is stale, and connecting gives ECONNREFUSED.
 *
 * A socket's peer is a reference, which close() gives up: of two that are connected, the last to be
 * closed frees the first.
 */
#include "unix.h"

#include <parvix/fcntl.h>
#include <proc.h>
#include <string.h>

spinlock_t unix_lock = SPINLOCK("unix");

#define ADDR_HEAD offsetof(struct parvix_sockaddr_un, sun_path)

static bool is_dgram(const struct unix_sock *u)
{
	return u->sock.type == SOCK_DGRAM;
}

static struct parvix_ucred my_cred(void)
{
	const struct proc *p = current_proc();

	return (struct parvix_ucred){p->pid, p->cred.euid, p->cred.egid};
}

static struct unix_sock *unix_alloc(int type)
{
	struct unix_sock *u = kmalloc(sizeof(*u), ALLOC_ZERO);

	if (!u)
		return NULL;
	socket_setup(&u->sock, &unix_ops, AF_UNIX, type);
	mutex_init(&u->lock, "unix socket");
	waitq_init(&u->rd_wait);
	waitq_init(&u->wr_wait);
	waitq_init(&u->watchers);
	list_init(&u->packets);
	list_init(&u->pending);
	list_init(&u->pending_link);
	list_init(&u->senders);
	list_init(&u->sender_link);
	list_init(&u->rights);
	u->limit = SOCK_BUFFER_MAX;
	return u;
}

void unix_name_put(struct unix_name *name)
{
	if (name && !__atomic_sub_fetch(&name->refs, 1, __ATOMIC_ACQ_REL))
		kfree(name);
}

void unix_put(struct unix_sock *u)
{
	if (!u || __atomic_sub_fetch(&u->sock.refs, 1, __ATOMIC_ACQ_REL))
		return;
	ring_free(&u->ring);
	unix_name_put(u->name);
	kfree(u);
}

int unix_create(int type, struct socket **out)
{
	struct unix_sock *u;

	if (type != SOCK_STREAM && type != SOCK_DGRAM && type != SOCK_SEQPACKET)
		return -EPROTOTYPE;
	u = unix_alloc(type);
	if (!u)
		return -ENOMEM;
	*out = &u->sock;
	return 0;
}

/* @u sends to @to from now on; unix_lock held. Returns whom it sent to before, to be put. */
static struct unix_sock *set_peer(struct unix_sock *u, struct unix_sock *to)
{
	struct unix_sock *old = u->peer;

	if (old)
		list_del(&u->sender_link);
	u->peer = to ? unix_get(to) : NULL;
	if (to)
		list_add_tail(&to->senders, &u->sender_link);
	return old;
}

/* A connection; unix_lock held. */
static void join(struct unix_sock *a, struct unix_sock *b)
{
	set_peer(a, b);
	set_peer(b, a);
	a->peer_cred = b->cred;
	b->peer_cred = a->cred;
	unix_set_limit(a);
	unix_set_limit(b);
}

int unix_pair(int type, struct socket *out[2])
{
	int err = unix_create(type, &out[0]);

	if (err)
		return err;
	err = unix_create(type, &out[1]);
	if (err) {
		unix_put(unix_of(out[0]));
		return err;
	}
	unix_of(out[0])->cred = unix_of(out[1])->cred = my_cred();
	spin_lock(&unix_lock);
	join(unix_of(out[0]), unix_of(out[1]));
	spin_unlock(&unix_lock);
	return 0;
}

void unix_wake_senders(struct unix_sock *u)
{
	struct unix_sock *s;

	spin_lock(&unix_lock);
	list_for_each (s, &u->senders, sender_link)
		wake_all(&s->watchers);
	spin_unlock(&unix_lock);
}

/* The state of the queue has changed: everybody looks again. */
static void wake_everybody(struct unix_sock *u)
{
	wake_all(&u->rd_wait);
	wake_all(&u->wr_wait);
	wake_all(&u->watchers);
	unix_wake_senders(u);
}

static void close_queue(struct unix_sock *u, int error)
{
	mutex_lock(&u->lock);
	u->closed = true;
	if (error)
		u->error = error;
	mutex_unlock(&u->lock);
	wake_everybody(u);
}

/* ---- names ---- */

static int check_addr(const struct sock_addr *addr, char path[PARVIX_UNIX_PATH + 1])
{
	size_t n;

	if (addr->len < sizeof(addr->any.sa_family))
		return -EINVAL;
	if (addr->any.sa_family != AF_UNIX)
		return -EAFNOSUPPORT;
	if (addr->len > sizeof(addr->un))
		return -EINVAL;
	n = addr->len - ADDR_HEAD;
	memcpy(path, addr->un.sun_path, n);
	path[n] = 0;
	return *path ? 0 : -ENOENT;
}

int unix_find(const struct sock_addr *addr, int type, struct unix_sock **out)
{
	char path[PARVIX_UNIX_PATH + 1];
	struct unix_sock *u = NULL;
	struct vnode *vn;
	int err = check_addr(addr, path);

	if (!err)
		err = namei(NULL, path, 0, &vn);
	if (err)
		return err;
	err = vnode_access(vn, W_OK);
	if (!err && (vn->mode & S_IFMT) == S_IFSOCK) {
		spin_lock(&unix_lock);
		if (vn->pipe)
			u = unix_get(vn->pipe);
		spin_unlock(&unix_lock);
	}
	vnode_put(vn);
	if (!err && !u)
		err = -ECONNREFUSED;
	if (!err && u->sock.type != type) {
		unix_put(u);
		err = -EPROTOTYPE;
	}
	if (!err)
		*out = u;
	return err;
}

static int unix_bind(struct socket *s, const struct sock_addr *addr)
{
	struct unix_sock *u = unix_of(s);
	struct unix_name *name = kmalloc(sizeof(*name), ALLOC_ZERO);
	char path[PARVIX_UNIX_PATH + 1];
	struct vnode *vn = NULL;
	int err = name ? check_addr(addr, path) : -ENOMEM;
	size_t len;

	mutex_lock(&u->lock);
	if (!err && u->name)
		err = -EINVAL;
	if (!err)
		err = path_mksock(NULL, path, &vn);
	if (!err) {
		len = strlen(path);
		name->refs = 1;
		name->un.sun_family = AF_UNIX;
		memcpy(name->un.sun_path, path, len);
		name->len = (unsigned)(ADDR_HEAD + min(len + 1, sizeof(name->un.sun_path)));
		spin_lock(&unix_lock);
		u->name = name;
		u->vnode = vn;
		vn->pipe = u;
		spin_unlock(&unix_lock);
	}
	mutex_unlock(&u->lock);
	if (err)
		kfree(name);
	return err == -EEXIST ? -EADDRINUSE : err;
}

static int unix_getname(struct socket *s, bool peer, struct sock_addr *addr)
{
	struct unix_sock *u = unix_of(s);
	int err = 0;

	addr->len = sizeof(addr->any.sa_family);
	addr->any.sa_family = AF_UNIX;
	spin_lock(&unix_lock);
	if (peer)
		u = u->peer;
	if (!u) {
		err = -ENOTCONN;
	} else if (u->name) {
		addr->len = u->name->len;
		addr->un = u->name->un;
	}
	spin_unlock(&unix_lock);
	return err;
}

/* ---- connections ---- */

static int unix_listen(struct socket *s, int backlog)
{
	struct unix_sock *u = unix_of(s);
	int err = 0;

	if (is_dgram(u))
		return -EOPNOTSUPP;
	mutex_lock(&u->lock);
	spin_lock(&unix_lock);
	if (u->peer || u->closed)
		err = -EINVAL;
	else if (!u->name)
		err = -EDESTADDRREQ;
	if (!err) {
		u->listening = true;
		u->backlog = backlog < 0 ? 0 : min((unsigned)backlog, (unsigned)SOMAXCONN);
		u->cred = my_cred();
	}
	spin_unlock(&unix_lock);
	mutex_unlock(&u->lock);
	wake_all(&u->wr_wait);
	return err;
}

/* Wait for room in the list of the listening socket @l, which is locked. */
static int wait_backlog(struct unix_sock *l, ktime_t deadline)
{
	while (l->listening && !l->closed && l->nr_pending > l->backlog) {
		int err = sock_wait(&l->wr_wait, &l->lock, deadline);

		if (err) {
			wake_one(&l->wr_wait);
			return err;
		}
	}
	return l->listening && !l->closed ? 0 : -ECONNREFUSED;
}

/* @n, new, becomes the other side of @u and waits to be accepted from @l, which is locked. */
static int add_pending(struct unix_sock *u, struct unix_sock *l, struct unix_sock *n)
{
	int err = 0;

	spin_lock(&unix_lock);
	if (u->peer) {
		err = -EISCONN;
	} else if (u->listening) {
		err = -EOPNOTSUPP;
	} else {
		n->name = l->name;
		__atomic_fetch_add(&n->name->refs, 1, __ATOMIC_RELAXED);
		n->cred = l->cred;
		u->cred = my_cred();
		join(u, n);
		list_add_tail(&l->pending, &n->pending_link);
		l->nr_pending++;
	}
	spin_unlock(&unix_lock);
	return err;
}

static int connect_to(struct unix_sock *u, struct unix_sock *l, ktime_t deadline)
{
	struct unix_sock *n = unix_alloc(u->sock.type);
	int err;

	if (!n)
		return -ENOMEM;
	mutex_lock(&l->lock);
	err = wait_backlog(l, deadline);
	if (!err)
		err = add_pending(u, l, n);
	mutex_unlock(&l->lock);
	if (err) {
		unix_put(n);
		return err;
	}
	wake_one(&l->rd_wait);
	wake_all(&l->watchers);
	return 0;
}

void unix_disconnect(struct unix_sock *u, struct unix_sock *from)
{
	struct unix_sock *old = NULL;

	spin_lock(&unix_lock);
	if (!from || u->peer == from)
		old = set_peer(u, NULL);
	spin_unlock(&unix_lock);
	unix_put(old);
}

static int connect_dgram(struct unix_sock *u, struct unix_sock *to)
{
	struct unix_sock *old = NULL;
	int err = 0;

	spin_lock(&unix_lock);
	if (to->peer && to->peer != u)
		err = -EPERM;
	else
		old = set_peer(u, to);
	spin_unlock(&unix_lock);
	unix_put(old);
	wake_all(&u->watchers);
	return err;
}

static int unix_connect(struct socket *s, const struct sock_addr *addr, ktime_t deadline)
{
	struct unix_sock *u = unix_of(s), *to;
	int err;

	if (is_dgram(u) && addr->len >= sizeof(addr->any.sa_family) &&
	    addr->any.sa_family == AF_UNSPEC) {
		unix_disconnect(u, NULL);
		return 0;
	}
	if (!is_dgram(u) && READ_ONCE(u->peer))
		return -EISCONN;
	err = unix_find(addr, s->type, &to);
	if (err)
		return err;
	err = is_dgram(u) ? connect_dgram(u, to) : connect_to(u, to, deadline);
	unix_put(to);
	return err;
}

static int wait_pending(struct unix_sock *u, ktime_t deadline)
{
	while (u->listening && !u->closed && !u->nr_pending) {
		int err = sock_wait(&u->rd_wait, &u->lock, deadline);

		if (err) {
			if (u->nr_pending)
				wake_one(&u->rd_wait);
			return err;
		}
	}
	return u->listening && !u->closed ? 0 : -EINVAL;
}

/* The next pending connection of @u, which is locked; NULL: none. */
static struct unix_sock *take_pending(struct unix_sock *u)
{
	struct unix_sock *n = NULL;

	spin_lock(&unix_lock);
	if (!list_empty(&u->pending)) {
		n = list_first(&u->pending, struct unix_sock, pending_link);
		list_del(&n->pending_link);
		u->nr_pending--;
	}
	spin_unlock(&unix_lock);
	return n;
}

static int unix_accept(struct socket *s, ktime_t deadline, struct socket **out)
{
	struct unix_sock *u = unix_of(s), *n = NULL;
	bool more;
	int err;

	if (is_dgram(u))
		return -EOPNOTSUPP;
	mutex_lock(&u->lock);
	err = wait_pending(u, deadline);
	if (!err)
		n = take_pending(u);
	more = u->nr_pending;
	mutex_unlock(&u->lock);
	if (err)
		return err;
	wake_one(&u->wr_wait);
	if (more)
		wake_one(&u->rd_wait);
	*out = &n->sock;
	return 0;
}

/* The peer, referenced; NULL: none. */
static struct unix_sock *get_peer(struct unix_sock *u)
{
	struct unix_sock *peer;

	spin_lock(&unix_lock);
	peer = u->peer ? unix_get(u->peer) : NULL;
	spin_unlock(&unix_lock);
	return peer;
}

static int unix_shutdown(struct socket *s, int how)
{
	struct unix_sock *u = unix_of(s), *peer = get_peer(u);

	if (!peer && !u->listening)
		return -ENOTCONN;
	if (how != SHUT_WR)
		close_queue(u, 0);
	if (how != SHUT_RD && is_dgram(u))
		u->no_send = true;
	else if (how != SHUT_RD && peer)
		close_queue(peer, 0);
	unix_put(peer);
	return 0;
}

/* No file leads here any more, and to those that nobody accepted never one did. */
static void unix_close(struct socket *s)
{
	struct unix_sock *u = unix_of(s), *peer, *n;
	struct vnode *vn;
	bool unread;

	spin_lock(&unix_lock);
	unread = !s->file; /* never accepted */
	s->file = NULL;
	vn = u->vnode;
	u->vnode = NULL;
	if (vn)
		vn->pipe = NULL;
	spin_unlock(&unix_lock);
	vnode_put(vn);
	mutex_lock(&u->lock);
	u->closed = u->dead = true;
	unread |= u->nr_packets > 0;
	mutex_unlock(&u->lock);
	peer = get_peer(u);
	if (peer && !is_dgram(u))
		close_queue(peer, unread ? ECONNRESET : 0);
	unix_disconnect(u, NULL);
	unix_put(peer);
	wake_everybody(u);
	for (;;) {
		mutex_lock(&u->lock);
		n = take_pending(u);
		mutex_unlock(&u->lock);
		if (!n)
			break;
		unix_close(&n->sock);
	}
	unix_drop_packets(u);
	unix_put(u);
	rights_collect();
}

/* ---- the rest ---- */

static unsigned unix_poll(struct socket *s, struct poll_table *pt)
{
	struct unix_sock *u = unix_of(s);
	struct unix_sock *peer;
	unsigned events = 0;
	bool closed = READ_ONCE(u->closed);

	poll_wait(pt, &u->watchers);
	if (READ_ONCE(u->nr_packets) || READ_ONCE(u->nr_pending) || closed)
		events |= POLLIN | POLLRDNORM;
	if (closed)
		events |= POLLRDHUP;
	if (READ_ONCE(u->error))
		events |= POLLERR;
	if (READ_ONCE(u->listening))
		return events;
	spin_lock(&unix_lock);
	peer = u->peer;
	if (!peer || READ_ONCE(peer->closed) || unix_roomy(peer))
		events |= POLLOUT | POLLWRNORM;
	if (!is_dgram(u) && (!peer || (closed && READ_ONCE(peer->closed))))
		events |= POLLHUP;
	spin_unlock(&unix_lock);
	return events;
}

static int unix_getsockopt(struct socket *s, int level, int name, void *buf, unsigned *len)
{
	struct unix_sock *u = unix_of(s);
	struct parvix_ucred cred;
	bool connected;

	if (level != SOL_SOCKET || name != SO_PEERCRED)
		return -ENOPROTOOPT;
	spin_lock(&unix_lock);
	cred = u->peer_cred;
	connected = u->peer && cred.pid;
	spin_unlock(&unix_lock);
	if (!connected)
		return -ENOTCONN;
	*len = min(*len, (unsigned)sizeof(cred));
	memcpy(buf, &cred, *len);
	return 0;
}

static void unix_resized(struct socket *s)
{
	struct unix_sock *u = unix_of(s);

	spin_lock(&unix_lock);
	unix_set_limit(u);
	wake_all(&u->wr_wait);
	wake_all(&u->watchers);
	if (u->peer) {
		unix_set_limit(u->peer);
		wake_all(&u->peer->wr_wait);
	}
	spin_unlock(&unix_lock);
	unix_wake_senders(u);
}

static int unix_error(struct socket *s)
{
	return __atomic_exchange_n(&unix_of(s)->error, 0, __ATOMIC_RELAXED);
}

static bool unix_listening(struct socket *s)
{
	return unix_of(s)->listening;
}

const struct sock_ops unix_ops = {
	.bind = unix_bind,
	.listen = unix_listen,
	.accept = unix_accept,
	.connect = unix_connect,
	.send = unix_send,
	.recv = unix_recv,
	.shutdown = unix_shutdown,
	.getname = unix_getname,
	.getsockopt = unix_getsockopt,
	.resized = unix_resized,
	.error = unix_error,
	.listening = unix_listening,
	.unread = unix_unread,
	.poll = unix_poll,
	.close = unix_close,
};
